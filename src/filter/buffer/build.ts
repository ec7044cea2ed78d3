import type { FilterBuilder } from '../filter.ts';
import { BufferFilter, type BufferData } from './buffer.ts';

export const bufferBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.buffer.v3.Buffer',
  perRouteKind: 'envoy.extensions.filters.http.buffer.v3.BufferPerRoute',
  build: (data, context) => new BufferFilter(data as BufferData, context),
  buildPerRoute: (data) => data,
};
