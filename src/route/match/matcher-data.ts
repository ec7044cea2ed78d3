import type { ValueMatcherData } from '../../observe/access-log/access-log-data.ts';

/** `envoy.type.matcher.v3.StringMatcher`. `value` is wire text, a pattern for `regex`; lower-case where `ignoreCase`. */
export interface StringMatcherData {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains' | 'regex';
  readonly value: string;
  /** ASCII letters only. */
  readonly ignoreCase: boolean;
}

/** `envoy.config.route.v3.HeaderMatcher`, the flat deprecated forms folded into `string`. */
export interface HeaderMatcherData {
  /** Lower-case; may be a pseudo-header. */
  readonly name: string;
  readonly test:
    | { readonly kind: 'string'; readonly string: StringMatcherData }
    /** Half open. */
    | { readonly kind: 'range'; readonly start: bigint; readonly end: bigint }
    | { readonly kind: 'present'; readonly present: boolean };
  readonly invert: boolean;
  readonly treatMissingAsEmpty: boolean;
}

/** `envoy.config.route.v3.QueryParameterMatcher`. */
export interface QueryMatcherData {
  readonly name: string;
  readonly test:
    | { readonly kind: 'string'; readonly string: StringMatcherData }
    | { readonly kind: 'present'; readonly present: boolean };
}

/** `envoy.config.route.v3.CookieMatcher`. */
export interface CookieMatcherData {
  readonly name: string;
  readonly string: StringMatcherData;
  readonly invert: boolean;
}

/** `envoy.type.matcher.v3.MetadataMatcher`, of dynamic metadata. */
export interface MetadataMatcherData {
  readonly filter: string;
  readonly path: readonly string[];
  readonly value: ValueMatcherData;
  readonly invert: boolean;
}

/** `envoy.type.matcher.v3.FilterStateMatcher`. */
export interface FilterStateMatcherData {
  readonly key: string;
  readonly string: StringMatcherData;
}

/** What a virtual host's matcher looks at. */
export type RouteMatchInputData =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'filter-state'; readonly key: string };

/** An action of a virtual host's matcher: its routes from `from` to before `to`. */
export interface RouteRangeData {
  readonly from: number;
  readonly to: number;
}
