import type { FilterBuilder } from '../filter.ts';
import type { HeaderMutationFilterData, MutationsData } from './header-mutation-data.ts';
import { HeaderMutationFilter, Mutations } from './header-mutation.ts';

export const headerMutationBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.header_mutation.v3.HeaderMutation',
  perRouteKind: 'envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute',
  build: (data, context) => new HeaderMutationFilter(data as HeaderMutationFilterData, context),
  buildPerRoute: (data) => new Mutations(data as MutationsData),
};
