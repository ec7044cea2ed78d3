import type { HeaderMatcherData } from '../../route/match/matcher-data.ts';

/** One test of a route table: a request, and what is to become of it. The names are those of Envoy's route checker. */
export interface RouteCase {
  readonly name: string;
  readonly input: CaseInput;
  readonly expected: CaseExpectation;
}

export interface CaseInput {
  readonly authority: string;
  readonly path: string;
  readonly method: string;
  /** Decides between weighted clusters, and whether a runtime fraction holds. */
  readonly randomValue: bigint;
  readonly isSsl: boolean;
  readonly isInternal: boolean;
  /** The only key of the runtime that routes find; empty: none. */
  readonly runtimeKey: string;
  readonly requestHeaders: readonly HeaderField[];
  readonly responseHeaders: readonly HeaderField[];
  /** What filters have noted: namespace → struct. */
  readonly dynamicMetadata: ReadonlyMap<string, unknown>;
}

export interface HeaderField {
  readonly key: string;
  readonly value: string;
}

/** What must be one text; an empty one means that there is none. */
export const expectedTexts = [
  'cluster_name',
  'virtual_cluster_name',
  'virtual_host_name',
  'path_rewrite',
  'host_rewrite',
  'path_redirect',
] as const;
export type ExpectedText = (typeof expectedTexts)[number];

export interface CaseExpectation {
  readonly texts: ReadonlyMap<ExpectedText, string>;
  /** Status of a redirect or direct response; null: not asked. */
  readonly codeRedirect: number | null;
  /** Milliseconds; null: not asked. */
  readonly timeoutMs: number | null;
  readonly routeMetadata: readonly ExpectedMetadata[];
  readonly requestHeaders: readonly ExpectedHeader[];
  readonly responseHeaders: readonly ExpectedHeader[];
}

export interface ExpectedMetadata {
  readonly namespace: string;
  readonly key: string;
  readonly value: string;
}

export interface ExpectedHeader {
  /** As written. */
  readonly name: string;
  /** As the checker calls it: `request_header_matches.string_match.exact`. */
  readonly type: string;
  /** What an exact match asks for; null: the matcher is of another kind. */
  readonly exact: string | null;
  readonly matcher: HeaderMatcherData;
}
