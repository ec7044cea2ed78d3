/** `internal_redirect_policy` as plain data. */
export interface InternalRedirectData {
  readonly maxRedirects: number;
  readonly codes: readonly number[];
  readonly allowsCrossScheme: boolean;
  /** Lower-case. */
  readonly headersToCopy: readonly string[];
  /** In the order in which they are asked. */
  readonly predicates: readonly RedirectPredicateData[];
}

export type RedirectPredicateData =
  | { readonly kind: 'listed'; readonly routes: readonly string[] }
  | { readonly kind: 'previous' }
  | { readonly kind: 'safe' };
