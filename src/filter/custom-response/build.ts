import type { FilterBuilder } from '../filter.ts';
import { CustomResponseFilter, CustomResponses } from './custom-response.ts';
import type { CustomResponseData } from './custom-response-data.ts';

export const customResponseBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.custom_response.v3.CustomResponse',
  build: (data, context) => new CustomResponseFilter(new CustomResponses(data as CustomResponseData), context),
  buildPerRoute: (data) => new CustomResponses(data as CustomResponseData),
};
