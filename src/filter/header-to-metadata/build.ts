import type { FilterBuilder } from '../filter.ts';
import type { HeaderToMetadataData } from './header-to-metadata-data.ts';
import { HeaderToMetadataFilter, MetadataRules } from './header-to-metadata.ts';

export const headerToMetadataBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.header_to_metadata.v3.Config',
  perRouteKind: 'envoy.extensions.filters.http.header_to_metadata.v3.Config',
  build: (data, context) =>
    new HeaderToMetadataFilter(new MetadataRules(data as HeaderToMetadataData, context), context),
  buildPerRoute: (data, context) => new MetadataRules(data as HeaderToMetadataData, context),
};
