import type { FilterBuilder } from '../filter.ts';
import { DecompressorFilter } from './decompressor.ts';
import type { DecompressorData } from './decompressor-data.ts';

export const decompressorBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.decompressor.v3.Decompressor',
  build: (data, context) => new DecompressorFilter(data as DecompressorData, context),
};
