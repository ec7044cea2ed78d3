import { compileFormat } from '../../observe/format/format.ts';
import type { Formatter } from '../../observe/format/formatter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { QueryMutationData } from './header-mutation-data.ts';

interface Parameter {
  /** Decoded, for comparing. */
  readonly key: string;
  /** `key=value` as it is written. */
  readonly text: string;
}

/**
 * Mutates a path's query. As in Envoy the parameters come out sorted by key, each with a `=`; unlike Envoy, which
 * writes decoded ones, those that stay are written as the client wrote them, so that no space or control character
 * gets into the request line.
 */
export class QueryMutations {
  private readonly mutations: readonly { readonly data: QueryMutationData; readonly formatter: Formatter | null }[];

  constructor(data: readonly QueryMutationData[]) {
    this.mutations = data.map((mutation) => ({
      data: mutation,
      formatter: mutation.kind === 'append' ? compileFormat(mutation.value, { omitEmptyValues: true }) : null,
    }));
  }

  get isEmpty(): boolean {
    return this.mutations.length === 0;
  }

  apply(path: string, outcome: Outcome): string {
    const question = path.indexOf('?');
    let parameters = question < 0 ? [] : parse(path.slice(question + 1));
    for (const { data, formatter } of this.mutations) {
      parameters =
        formatter === null || data.kind === 'remove'
          ? parameters.filter((parameter) => parameter.key !== data.key)
          : append(parameters, data, formatter.format(outcome));
    }
    const target = question < 0 ? path : path.slice(0, question);
    if (parameters.length === 0) return target;
    const sorted = parameters.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    return `${target}?${sorted.map((parameter) => parameter.text).join('&')}`;
  }
}

function append(
  parameters: readonly Parameter[],
  data: QueryMutationData & { kind: 'append' },
  value: string,
): Parameter[] {
  const exists = parameters.some((parameter) => parameter.key === data.key);
  const added = { key: data.key, text: `${encode(data.key)}=${encode(value)}` };
  switch (data.action) {
    case 'APPEND_IF_EXISTS_OR_ADD':
      return [...parameters, added];
    case 'ADD_IF_ABSENT':
      return exists ? [...parameters] : [...parameters, added];
    case 'OVERWRITE_IF_EXISTS':
      if (!exists) return [...parameters];
      break;
    case 'OVERWRITE_IF_EXISTS_OR_ADD':
  }
  return [...parameters.filter((parameter) => parameter.key !== data.key), added];
}

function parse(query: string): Parameter[] {
  if (query === '') return [];
  return query.split('&').map((part) => {
    const equals = part.indexOf('=');
    return equals < 0 ? { key: decode(part), text: `${part}=` } : { key: decode(part.slice(0, equals)), text: part };
  });
}

/** Escapes become the bytes they stand for; broken ones stay. */
function decode(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Everything but RFC 3986's unreserved characters, byte for byte. */
function encode(text: string): string {
  return text.replace(
    /[^A-Za-z0-9\-._~]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
