/** ConfigSource: where resources of the control plane come from. */
export interface ConfigSourceData {
  /** 0: waits for ever. Envoy's default is 15 s. */
  readonly initialFetchTimeoutMs: number;
  readonly from: PathSourceData | ApiSourceData | AdsSourceData;
}

/** A file that holds a DiscoveryResponse, in YAML, JSON or protobuf by the end of its name. */
export interface PathSourceData {
  readonly kind: 'path';
  readonly path: string;
  /** Read again whenever something is moved into this folder; empty: when the file itself is moved over. */
  readonly watchedDirectory: string;
}

export interface ApiSourceData {
  readonly kind: 'api';
  readonly protocol: 'GRPC' | 'DELTA_GRPC';
  /** Never empty; the first that answers. */
  readonly services: readonly GrpcServiceData[];
  /** Discovery requests at a time and a second; null: unlimited. */
  readonly rateLimit: { readonly maxTokens: number; readonly fillPerSecond: number } | null;
  readonly nodeOnFirstMessageOnly: boolean;
}

/** Over the one stream of `dynamic_resources.ads_config`. */
export interface AdsSourceData {
  readonly kind: 'ads';
}

/** GrpcService over a cluster: of the configuration, or one that is made of a `google_grpc`. */
export interface GrpcServiceData {
  readonly cluster: string;
  /** Empty: the cluster's name. */
  readonly authority: string;
  /** 0: none. */
  readonly timeoutMs: number;
  readonly initialMetadata: readonly { readonly key: string; readonly value: string }[];
  /** Before the stream of a control plane is opened again, milliseconds; absent: Envoy's. */
  readonly backOff?: { readonly baseMs: number; readonly maxMs: number };
  /** No `x-envoy-…` fields. */
  readonly skipEnvoyHeaders: boolean;
  /** 0: the limit of our own. */
  readonly maxReceiveMessageLength: number;
}
