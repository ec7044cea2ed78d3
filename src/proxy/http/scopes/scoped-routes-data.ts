import type { RouteConfigurationData } from '../../../route/route-data.ts';

/** `scoped_routes` as plain data: a value of the request says which of several route configurations holds for it. */
export interface ScopedRoutesData {
  /** What a request's key is made of. */
  readonly fragments: readonly ScopeFragmentData[];
  /** Key of the scopes that come by SRDS; null: they are `scopes`. */
  readonly discovery: string | null;
  readonly scopes: readonly ScopeData[];
}

/** A part of a header's value. */
export interface ScopeFragmentData {
  /** Lower-case. */
  readonly header: string;
  /** Between the elements of the value; empty: it is one. */
  readonly separator: string;
  /** Which element; where `element` is not null, that does not count. */
  readonly index: number;
  /** The element whose part in front of `separator` is `key`: what is behind it. */
  readonly element: { readonly key: string; readonly separator: string } | null;
}

export interface ScopeData {
  /** `scopeKey` of its fragments. */
  readonly key: string;
  /** Null: it comes by RDS. */
  readonly routes: RouteConfigurationData | null;
  /** Key of what comes by RDS; empty: it is `routes`. */
  readonly rds: string;
}

/** Scopes that have come by SRDS, as workers have them. */
export interface DiscoveredScopes {
  readonly scopes: readonly ScopeData[];
}

/** Fragments as one text, in which none runs into the next. */
export function scopeKey(fragments: readonly string[]): string {
  return fragments.length === 1 ? fragments[0] : fragments.map((text) => `${text.length}:${text}`).join('');
}
