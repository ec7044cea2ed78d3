import { fieldValue, isFieldValue } from '../../core/field-value.ts';
import type { Headers } from '../../core/headers.ts';
import type { Formatter } from '../../observe/format/formatter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import { appendHeader, joinedRequestHeaders, joinedResponseHeaders } from '../joined-headers.ts';
import type { HeaderAdditionData, HeaderMutationsData } from '../route-data.ts';
import type { FormatCompiler } from '../route.ts';

const Action = { Append: 0, AddIfAbsent: 1, Overwrite: 2, OverwriteIfExists: 3 } as const;
const actions = {
  APPEND_IF_EXISTS_OR_ADD: Action.Append,
  ADD_IF_ABSENT: Action.AddIfAbsent,
  OVERWRITE_IF_EXISTS_OR_ADD: Action.Overwrite,
  OVERWRITE_IF_EXISTS: Action.OverwriteIfExists,
};

class Addition {
  readonly name: string;
  readonly action: number;
  /** Null: `value` is the whole text. */
  readonly formatter: Formatter | null;
  readonly value: string;
  readonly keepEmpty: boolean;

  constructor(data: HeaderAdditionData, compile: FormatCompiler) {
    this.name = data.name;
    this.action = actions[data.action];
    this.formatter = data.value.includes('%') ? compile(data.value, true) : null;
    this.value = data.value;
    this.keepEmpty = data.keepEmpty;
  }
}

/**
 * What one level (route configuration, virtual host, route, weighted cluster) does to a head. As Envoy: removals come
 * first; then every value is formatted and every "if present" decided on what is there; then overwriting, then adding.
 */
export class HeaderMutations {
  private readonly removals: readonly string[];
  private readonly additions: readonly Addition[];
  private readonly joined: ReadonlySet<string>;
  private readonly isRequest: boolean;
  /** Formatted values of the additions, between the steps; null: nothing to do. Formatters cannot come back here. */
  private readonly pending: (string | null)[];

  constructor(data: HeaderMutationsData, side: 'request' | 'response', compile: FormatCompiler) {
    this.removals = data.remove;
    this.additions = data.add.map((addition) => new Addition(addition, compile));
    this.isRequest = side === 'request';
    this.joined = side === 'request' ? joinedRequestHeaders : joinedResponseHeaders;
    this.pending = data.add.map(() => null);
  }

  apply(headers: Headers, outcome: Outcome): void {
    for (let i = 0; i < this.removals.length; i++) headers.remove(this.removals[i]);
    const { additions, pending } = this;
    for (let i = 0; i < additions.length; i++) pending[i] = this.valueOf(additions[i], headers, outcome);
    for (let i = 0; i < additions.length; i++) {
      const value = pending[i]!;
      const { action, name } = additions[i];
      if (value === null || action < Action.Overwrite) continue;
      headers.remove(name);
      headers.add(name, value);
    }
    for (let i = 0; i < additions.length; i++) {
      const value = pending[i]!;
      const { action, name } = additions[i];
      if (value !== null && action < Action.Overwrite) appendHeader(headers, this.joined, name, value);
    }
  }

  private valueOf(addition: Addition, headers: Headers, outcome: Outcome): string | null {
    const value =
      addition.formatter === null ? addition.value : this.format(addition.formatter, addition.name, outcome);
    if (value === '' && !addition.keepEmpty) return null;
    if (addition.action === Action.AddIfAbsent && headers.has(addition.name)) return null;
    if (addition.action === Action.OverwriteIfExists && !headers.has(addition.name)) return null;
    return value;
  }

  /** Some operators decode what a client has sent: what would begin another field must not get out. */
  private format(formatter: Formatter, name: string, outcome: Outcome): string {
    const value = formatter.format(outcome);
    if (isFieldValue(value)) return value;
    if (this.isRequest) outcome.invalidField = name;
    return fieldValue(value);
  }
}

/** The levels of one head in the order in which they apply. */
export type MutationLevels = readonly HeaderMutations[];

export const noMutations: MutationLevels = [];

export function applyAll(levels: MutationLevels, headers: Headers, outcome: Outcome): void {
  for (let i = 0; i < levels.length; i++) levels[i].apply(headers, outcome);
}
