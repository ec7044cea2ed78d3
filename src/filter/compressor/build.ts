import type { FilterBuilder } from '../filter.ts';
import { CompressorFilter } from './compressor.ts';
import type { CompressorData, CompressorPerRouteData } from './compressor-data.ts';
import { CompressorRoute, CompressorSettings } from './compressor-settings.ts';

export const compressorBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.compressor.v3.Compressor',
  perRouteKind: 'envoy.extensions.filters.http.compressor.v3.CompressorPerRoute',
  build: (data, context) => new CompressorFilter(new CompressorSettings(data as CompressorData, context)),
  buildPerRoute: (data) => new CompressorRoute(data as CompressorPerRouteData),
};
