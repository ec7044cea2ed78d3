import type { FilterBuilder } from '../filter.ts';
import { TranscoderFilter } from './transcoder.ts';
import type { TranscoderData } from './transcoder-data.ts';
import { TranscoderSettings } from './transcoder-settings.ts';

const kind = 'envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder';

export const grpcJsonTranscoderBuilder: FilterBuilder = {
  kind,
  perRouteKind: kind,
  build: (data, context) => new TranscoderFilter(buildSettings(data as TranscoderData), context),
  buildPerRoute: (data) => buildSettings(data as TranscoderData),
};

function buildSettings({ active }: TranscoderData): TranscoderSettings | null {
  return active === null ? null : new TranscoderSettings(active);
}
