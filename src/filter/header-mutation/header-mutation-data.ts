import type { StringMatcherData } from '../../route/match/matcher-data.ts';
import type { HeaderAdditionData } from '../../route/route-data.ts';

export type AppendActionData = HeaderAdditionData['action'];

/** `envoy.config.core.v3.HeaderValueOption` */
export interface HeaderAppendData extends HeaderAdditionData {
  readonly kind: 'append';
}

/** `envoy.config.common.mutation_rules.v3.HeaderMutation` */
export type HeaderMutationData =
  | HeaderAppendData
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'remove-matching'; readonly names: StringMatcherData };

/** `envoy.config.core.v3.KeyValueMutation` on the query; `key` is decoded text. */
export type QueryMutationData =
  | { readonly kind: 'append'; readonly key: string; readonly value: string; readonly action: AppendActionData }
  | { readonly kind: 'remove'; readonly key: string };

/** `envoy.extensions.filters.http.header_mutation.v3.Mutations` */
export interface MutationsData {
  readonly request: readonly HeaderMutationData[];
  readonly query: readonly QueryMutationData[];
  readonly response: readonly HeaderMutationData[];
  readonly requestTrailers: readonly HeaderMutationData[];
  readonly responseTrailers: readonly HeaderMutationData[];
}

export interface HeaderMutationFilterData {
  readonly mutations: MutationsData;
  /** Route levels are applied least specific first, so that the most specific has the last word. */
  readonly mostSpecificWins: boolean;
}
