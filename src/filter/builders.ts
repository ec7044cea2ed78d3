import { corsBuilder } from './cors/build.ts';
import { faultBuilder } from './fault/build.ts';
import type { FilterBuilder } from './filter.ts';
import { grpcHttp1BridgeBuilder } from './grpc-http1-bridge/build.ts';
import { grpcJsonTranscoderBuilder } from './grpc-json-transcoder/build.ts';
import { grpcStatsBuilder } from './grpc-stats/build.ts';
import { grpcWebBuilder } from './grpc-web/build.ts';
import { headerMutationBuilder } from './header-mutation/build.ts';

/** The HTTP filters by the message name of their configuration. Not the router: `proxy/http` is the router. */
export const httpFilterBuilders: ReadonlyMap<string, FilterBuilder> = new Map(
  [
    corsBuilder,
    faultBuilder,
    grpcHttp1BridgeBuilder,
    grpcJsonTranscoderBuilder,
    grpcStatsBuilder,
    grpcWebBuilder,
    headerMutationBuilder,
  ].map((builder) => [builder.kind, builder]),
);
