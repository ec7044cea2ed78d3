import { fieldValue, isFieldValue } from '../../core/field-value.ts';
import type { Headers } from '../../core/headers.ts';
import { compileFormat } from '../../observe/format/format.ts';
import type { Formatter } from '../../observe/format/formatter.ts';
import { Outcome } from '../../observe/outcome.ts';
import { appendHeader, joinedRequestHeaders, joinedResponseHeaders } from '../../route/joined-headers.ts';
import { StringMatcher } from '../../route/match/string-matcher.ts';
import type { HeaderAppendData, HeaderMutationData } from './header-mutation-data.ts';

/** For values without operators. */
const noOutcome = new Outcome();

interface HeaderMutation {
  apply(headers: Headers, outcome: Outcome): void;
}

/** Whose headers are changed: it decides which names Envoy keeps as one field. */
type HeadersKind = 'request' | 'response' | 'trailers';

const joinedNames: Readonly<Record<HeadersKind, ReadonlySet<string>>> = {
  request: joinedRequestHeaders,
  response: joinedResponseHeaders,
  trailers: new Set(),
};

/** Header mutations in order, compiled. */
export class HeaderMutations {
  private readonly mutations: readonly HeaderMutation[];

  constructor(data: readonly HeaderMutationData[], kind: HeadersKind) {
    this.mutations = data.map((mutation) => compileMutation(mutation, kind));
  }

  get isEmpty(): boolean {
    return this.mutations.length === 0;
  }

  apply(headers: Headers, outcome: Outcome): void {
    for (const mutation of this.mutations) mutation.apply(headers, outcome);
  }
}

function compileMutation(data: HeaderMutationData, kind: HeadersKind): HeaderMutation {
  switch (data.kind) {
    case 'append':
      return new Append(data, kind);
    case 'remove':
      return new Remove(data.name);
    case 'remove-matching':
      return new RemoveMatching(new StringMatcher(data.names));
  }
}

class Append implements HeaderMutation {
  private readonly name: string;
  private readonly fixed: string | null;
  private readonly formatter: Formatter;
  private readonly action: HeaderAppendData['action'];
  private readonly keepEmpty: boolean;
  private readonly kind: HeadersKind;

  constructor(data: HeaderAppendData, kind: HeadersKind) {
    this.name = data.name;
    this.formatter = compileFormat(data.value, { omitEmptyValues: true });
    this.fixed = data.value.includes('%') ? null : this.formatter.format(noOutcome);
    this.action = data.action;
    this.keepEmpty = data.keepEmpty;
    this.kind = kind;
  }

  apply(headers: Headers, outcome: Outcome): void {
    const value = this.fixed ?? this.format(outcome);
    if (value === '' && !this.keepEmpty) return;
    switch (this.action) {
      case 'APPEND_IF_EXISTS_OR_ADD':
        appendHeader(headers, joinedNames[this.kind], this.name, value);
        return;
      case 'ADD_IF_ABSENT':
        if (!headers.has(this.name)) headers.add(this.name, value);
        return;
      case 'OVERWRITE_IF_EXISTS_OR_ADD':
        headers.set(this.name, value);
        return;
      case 'OVERWRITE_IF_EXISTS':
        if (headers.has(this.name)) headers.set(this.name, value);
    }
  }

  /** Some operators decode what a client has sent: what would begin another field must not get out. */
  private format(outcome: Outcome): string {
    const value = this.formatter.format(outcome);
    if (isFieldValue(value)) return value;
    if (this.kind === 'request') outcome.invalidField = this.name;
    return fieldValue(value);
  }
}

class Remove implements HeaderMutation {
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  apply(headers: Headers): void {
    headers.remove(this.name);
  }
}

class RemoveMatching implements HeaderMutation {
  private readonly names: StringMatcher;

  constructor(names: StringMatcher) {
    this.names = names;
  }

  apply(headers: Headers): void {
    for (let i = headers.length - 1; i >= 0; i--) if (this.names.matches(headers.names[i])) headers.removeAt(i);
  }
}
