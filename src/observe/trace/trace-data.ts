import type { FormatExtension } from '../format/format.ts';

/** How many of so many are chosen: a runtime fraction's default. */
export interface SamplingData {
  readonly numerator: number;
  readonly denominator: number;
}

/** `tracing` of a connection manager, as plain data. */
export interface TracingData {
  /** Null: nothing is traced, though the reason is found and counted. */
  readonly provider: TracerData | null;
  readonly clientSampling: SamplingData;
  readonly randomSampling: SamplingData;
  readonly overallSampling: SamplingData;
  /** Spans have the moments of their stream as annotations. */
  readonly verbose: boolean;
  /** Of the path in `http.url`: characters. */
  readonly pathTagMax: number;
  readonly customTags: readonly CustomTagData[];
  /** Each try has a span of its own. */
  readonly spawnsUpstreamSpan: boolean;
  /** Formats of the names of spans; empty: the tracer's own name. */
  readonly operation: string;
  readonly upstreamOperation: string;
  readonly propagatesContext: boolean;
}

/** `tracing` of a route: instead of, or besides, that of its connection manager. */
export interface RouteTracingData {
  readonly clientSampling: SamplingData;
  readonly randomSampling: SamplingData;
  readonly overallSampling: SamplingData;
  readonly customTags: readonly CustomTagData[];
  readonly operation: string;
  readonly upstreamOperation: string;
}

/** `envoy.type.tracing.v3.CustomTag`. An empty value is no tag. */
export type CustomTagData = { readonly tag: string } & (
  | { readonly kind: 'literal'; readonly value: string }
  | { readonly kind: 'environment' | 'request-header'; readonly name: string; readonly otherwise: string }
  | {
      readonly kind: 'metadata';
      readonly of: 'request' | 'route' | 'cluster' | 'host';
      readonly namespace: string;
      readonly path: readonly string[];
      readonly otherwise: string;
    }
  | { readonly kind: 'format'; readonly format: string; readonly extensions: readonly FormatExtension[] }
);

/** Where spans go, and how traces are told to the next one. */
export type TracerData = ZipkinData | OpenTelemetryData;

/** Whole requests to a cluster, as `HttpService` and `HttpUri` say. */
export interface CollectorData {
  readonly cluster: string;
  readonly authority: string;
  /** With query. */
  readonly path: string;
  /** 0: no limit. */
  readonly timeoutMs: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** `envoy.config.trace.v3.ZipkinConfig`. */
export interface ZipkinData {
  readonly kind: 'zipkin';
  readonly collector: CollectorData;
  readonly encoding: 'json' | 'proto';
  readonly longTraceIds: boolean;
  /** Trace ids begin with the second, as AWS X-Ray wants it. */
  readonly timestampTraceIds: boolean;
  /** A server's span is its client's. */
  readonly sharesContext: boolean;
  /** `split_spans_for_request`. */
  readonly splitsSpans: boolean;
  /** `USE_B3_WITH_W3C_PROPAGATION`. */
  readonly speaksW3c: boolean;
}

/** What `GrpcServiceData` of identity/ is, for those who may not know it. */
export interface GrpcCollectorData {
  readonly cluster: string;
  readonly authority: string;
  readonly timeoutMs: number;
  readonly initialMetadata: readonly { readonly key: string; readonly value: string }[];
  readonly skipEnvoyHeaders: boolean;
  readonly maxReceiveMessageLength: number;
}

export type OtlpServiceData =
  | { readonly kind: 'grpc'; readonly service: GrpcCollectorData }
  | { readonly kind: 'http'; readonly collector: CollectorData };

/** `envoy.config.trace.v3.OpenTelemetryConfig`. */
export interface OpenTelemetryData {
  readonly kind: 'opentelemetry';
  /** Null: spans go nowhere, and traces are told on all the same. */
  readonly service: OtlpServiceData | null;
  /** Of the resource, in the order in which they were found; the last of a name counts. */
  readonly resource: readonly (readonly [key: string, value: string])[];
  /** Null: as the request's own trace says, else as the connection manager decided. */
  readonly sampler: SamplerData | null;
  readonly spansMax: number;
}

export type SamplerData =
  | { readonly kind: 'always-on' }
  | { readonly kind: 'ratio'; readonly numerator: number; readonly denominator: number }
  | { readonly kind: 'parent'; readonly root: SamplerData };
