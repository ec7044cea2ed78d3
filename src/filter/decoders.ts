import type { ExtensionDecoder } from '../core/extension.ts';
import { corsDecoder, corsPolicyDecoder } from './cors/decode.ts';
import { faultDecoder } from './fault/decode.ts';
import { grpcHttp1BridgeDecoder } from './grpc-http1-bridge/decode.ts';
import { grpcJsonTranscoderDecoder } from './grpc-json-transcoder/decode.ts';
import { grpcStatsDecoder } from './grpc-stats/decode.ts';
import { grpcWebDecoder } from './grpc-web/decode.ts';
import { headerMutationDecoder, headerMutationPerRouteDecoder } from './header-mutation/decode.ts';
import { routerDecoder } from './router/decode.ts';

/** Configurations of the category `envoy.filters.http`, of filters and of routes. Main thread. */
export const httpFilterDecoders: readonly ExtensionDecoder[] = [
  corsDecoder,
  corsPolicyDecoder,
  faultDecoder,
  grpcHttp1BridgeDecoder,
  grpcJsonTranscoderDecoder,
  grpcStatsDecoder,
  grpcWebDecoder,
  headerMutationDecoder,
  headerMutationPerRouteDecoder,
  routerDecoder,
];
