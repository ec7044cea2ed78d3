import type { FilterBuilder } from '../filter.ts';
import { SetMetadataFilter, type SetMetadataData } from './set-metadata.ts';

export const setMetadataBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.set_metadata.v3.Config',
  build: (data, context) => new SetMetadataFilter(data as SetMetadataData, context),
};
