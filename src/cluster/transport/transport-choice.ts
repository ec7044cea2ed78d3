import type { MatcherData } from '../../match/matcher-data.ts';
import { buildMatcher, type Matcher } from '../../match/matcher.ts';
import { matchTransport } from './match.ts';
import type { TransportData } from './transport-data.ts';

type Metadata = Readonly<Record<string, unknown>> | null;

/** An input of `transport_socket_matcher`: a value in metadata. */
export interface MetadataInputData {
  readonly of: 'endpoint' | 'locality';
  /** Namespace. */
  readonly filter: string;
  readonly path: readonly string[];
}

export interface TextTestData {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains';
  readonly value: string;
  readonly ignoreCase: boolean;
}

interface Subject {
  readonly endpoint: Metadata;
  readonly locality: Metadata;
}

/** Which of a cluster's transport sockets a host has; kept by the main thread, since hosts carry the answer. */
export class TransportChoice {
  readonly transports: readonly TransportData[];
  private readonly matcher: Matcher<Subject, string> | null;

  /** `matcher`: takes the place of what each transport socket matches; null: none. */
  constructor(transports: readonly TransportData[], matcher: MatcherData | null = null) {
    this.transports = transports;
    this.matcher = matcher === null ? null : buildMatcher(matcher, words);
  }

  /** An index of `transports`. */
  of(endpoint: Metadata, locality: Metadata): number {
    if (this.matcher === null) return matchTransport(this.transports, endpoint, locality);
    const name = this.matcher.match({ endpoint, locality });
    // One that is not there is the cluster's own, as in Envoy.
    return Math.max(
      0,
      this.transports.findIndex((transport, i) => i > 0 && transport.name === name),
    );
  }
}

const words = {
  input(data: unknown) {
    const { of, filter, path } = data as MetadataInputData;
    return (subject: Subject): string | null => textAt(subject[of]?.[filter], path);
  },
  string(data: unknown) {
    const { kind, value, ignoreCase } = data as TextTestData;
    const wanted = ignoreCase ? value.toLowerCase() : value;
    return { matches: (text: string) => tests[kind](ignoreCase ? text.toLowerCase() : text, wanted) };
  },
  action: (data: unknown): string => data as string,
};

const tests: Readonly<Record<TextTestData['kind'], (text: string, wanted: string) => boolean>> = {
  exact: (text, wanted) => text === wanted,
  prefix: (text, wanted) => text.startsWith(wanted),
  suffix: (text, wanted) => text.endsWith(wanted),
  contains: (text, wanted) => text.includes(wanted),
};

/** As Envoy: what is no string is its JSON. */
function textAt(root: unknown, path: readonly string[]): string | null {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
