import { createRegistry, fromJson, type JsonObject } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import type { ExtensionDecoder, Extensions } from '../../../../src/core/extension.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { OpenTelemetryConfigSchema } from '../../../../src/proto/envoy/config/trace/v3/opentelemetry_pb.js';
import { ZipkinConfigSchema } from '../../../../src/proto/envoy/config/trace/v3/zipkin_pb.js';
import { HttpConnectionManager_TracingSchema } from '../../../../src/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { EnvironmentResourceDetectorConfigSchema } from '../../../../src/proto/envoy/extensions/tracers/opentelemetry/resource_detectors/v3/environment_resource_detector_pb.js';
import { StaticConfigResourceDetectorConfigSchema } from '../../../../src/proto/envoy/extensions/tracers/opentelemetry/resource_detectors/v3/static_config_resource_detector_pb.js';
import { AlwaysOnSamplerConfigSchema } from '../../../../src/proto/envoy/extensions/tracers/opentelemetry/samplers/v3/always_on_sampler_pb.js';
import { DynatraceSamplerConfigSchema } from '../../../../src/proto/envoy/extensions/tracers/opentelemetry/samplers/v3/dynatrace_sampler_pb.js';
import { ParentBasedSamplerConfigSchema } from '../../../../src/proto/envoy/extensions/tracers/opentelemetry/samplers/v3/parent_based_sampler_pb.js';
import { TraceIdRatioBasedSamplerConfigSchema } from '../../../../src/proto/envoy/extensions/tracers/opentelemetry/samplers/v3/trace_id_ratio_based_sampler_pb.js';
import { decodeTracing } from '../../../../src/proxy/trace/decode.ts';
import { openTelemetryDecoder } from '../../../../src/proxy/trace/opentelemetry-decode.ts';
import {
  alwaysOnDecoder,
  environmentDetectorDecoder,
  parentBasedDecoder,
  ratioDecoder,
  staticDetectorDecoder,
} from '../../../../src/proxy/trace/opentelemetry-parts-decode.ts';
import { zipkinDecoder } from '../../../../src/proxy/trace/zipkin-decode.ts';

const registry = createRegistry(
  ZipkinConfigSchema,
  OpenTelemetryConfigSchema,
  EnvironmentResourceDetectorConfigSchema,
  StaticConfigResourceDetectorConfigSchema,
  AlwaysOnSamplerConfigSchema,
  DynatraceSamplerConfigSchema,
  ParentBasedSamplerConfigSchema,
  TraceIdRatioBasedSamplerConfigSchema,
);
const decoders: readonly ExtensionDecoder[] = [
  zipkinDecoder,
  openTelemetryDecoder,
  environmentDetectorDecoder,
  staticDetectorDecoder,
  alwaysOnDecoder,
  ratioDecoder,
  parentBasedDecoder,
];

const extensions: Extensions = {
  open(category, name, config, reasons) {
    const decoder = decoders.find(({ kind }) => config?.typeUrl.endsWith(`/${kind}`));
    if (config === undefined || decoder === undefined) {
      reasons.add(`no ${category} ${name}`);
      return null;
    }
    return { name, kind: decoder.kind, data: decoder.decode(config.value, reasons.at('typed_config'), extensions) };
  },
};

const tracers = 'type.googleapis.com/envoy.config.trace.v3.';
const parts = 'type.googleapis.com/envoy.extensions.tracers.opentelemetry.';

function decoded(json: JsonObject, open: Extensions = extensions) {
  const reasons = new Reasons();
  const message = fromJson(HttpConnectionManager_TracingSchema, json, { registry });
  return {
    data: decodeTracing(message, reasons, open),
    reasons: reasons.list.map(({ path, message: text }) => `${path}: ${text}`),
  };
}

const provider = (type: string, fields: JsonObject): JsonObject => ({
  provider: { name: 'p', typedConfig: { '@type': `${tracers}${type}`, ...fields } },
});
const zipkinOf = (fields: JsonObject) => decoded(provider('ZipkinConfig', fields));
const otlpOf = (fields: JsonObject) => decoded(provider('OpenTelemetryConfig', fields));

test('defaults are those of Envoy', () => {
  expect(decoded({})).toEqual({
    reasons: [],
    data: {
      provider: null,
      clientSampling: { numerator: 10_000, denominator: 10_000 },
      randomSampling: { numerator: 10_000, denominator: 10_000 },
      overallSampling: { numerator: 10_000, denominator: 10_000 },
      verbose: false,
      pathTagMax: 256,
      customTags: [],
      spawnsUpstreamSpan: false,
      operation: '',
      upstreamOperation: '',
      propagatesContext: true,
    },
  });
  expect(decoded({ randomSampling: { value: 1.5 } }).data.randomSampling.numerator).toBe(150);
});

test('the bootstrap has the tracer of who names none', () => {
  const tracer = { kind: 'zipkin' };
  expect(decoded({}, { ...extensions, tracer }).data.provider).toBe(tracer);
});

test('Zipkin, as istiod configures it', () => {
  const fields = {
    collectorService: {
      httpUri: { uri: 'http://zipkin.test/api/v2/spans', cluster: 'outbound|9411||zipkin', timeout: '5s' },
      requestHeadersToAdd: [{ header: { key: 'X-Key', value: 'v' } }],
    },
    collectorEndpointVersion: 'HTTP_JSON',
    sharedSpanContext: false,
    traceId128bit: true,
  };
  expect(zipkinOf(fields)).toMatchObject({
    reasons: [],
    data: {
      provider: {
        kind: 'zipkin',
        collector: {
          cluster: 'outbound|9411||zipkin',
          authority: 'zipkin.test',
          path: '/api/v2/spans',
          headers: [['x-key', 'v']],
        },
        encoding: 'json',
        longTraceIds: true,
        sharesContext: false,
        speaksW3c: false,
      },
    },
  });
});

test('Zipkin by the older fields', () => {
  const older = { collectorCluster: 'z', collectorEndpoint: '/s', collectorEndpointVersion: 'HTTP_PROTO' };
  const { data } = zipkinOf({ ...older, collectorHostname: 'h', traceContextOption: 'USE_B3_WITH_W3C_PROPAGATION' });
  expect(data.provider).toMatchObject({
    collector: { cluster: 'z', authority: 'h', path: '/s' },
    encoding: 'proto',
    sharesContext: true,
    speaksW3c: true,
  });
  expect(zipkinOf({}).reasons).toEqual([
    'provider.typed_config: collector_cluster and collector_endpoint must be specified when not using collector_service',
  ]);
  expect(zipkinOf({ collectorCluster: 'z' }).reasons).toHaveLength(1);
});

test('OpenTelemetry, as istiod configures it', () => {
  process.env['OTEL_RESOURCE_ATTRIBUTES'] = 'a=b,c=d,bad,e=f=g';
  const { data, reasons } = otlpOf({
    grpcService: { envoyGrpc: { clusterName: 'otel', authority: 'otel.test' } },
    resourceDetectors: [
      { name: 'e', typedConfig: { '@type': `${parts}resource_detectors.v3.EnvironmentResourceDetectorConfig` } },
    ],
    serviceName: 'reviews.default',
  });
  delete process.env['OTEL_RESOURCE_ATTRIBUTES'];
  expect(reasons).toEqual([]);
  expect(data.provider).toEqual({
    kind: 'opentelemetry',
    service: { kind: 'grpc', service: expect.objectContaining({ cluster: 'otel', authority: 'otel.test' }) as unknown },
    resource: [
      ['service.name', 'reviews.default'],
      ['telemetry.sdk.language', 'nodejs'],
      ['telemetry.sdk.name', 'sekisho'],
      ['a', 'b'],
      ['c', 'd'],
    ],
    sampler: null,
    spansMax: 1024,
  });
});

test('OpenTelemetry with everything', () => {
  const sampler = (type: string, fields: JsonObject = {}): JsonObject => ({
    name: 's',
    typedConfig: { '@type': `${parts}samplers.v3.${type}`, ...fields },
  });
  const { data, reasons } = otlpOf({
    httpService: { httpUri: { uri: 'http://h.test/v1/traces', cluster: 'o', timeout: '1s' } },
    resourceDetectors: [
      {
        name: 'x',
        typedConfig: {
          '@type': `${parts}resource_detectors.v3.StaticConfigResourceDetectorConfig`,
          attributes: { k: 'v', 'service.name': 'other' },
        },
      },
    ],
    maxCacheSize: 5,
    setTelemetrySdkResourceAttributes: false,
    sampler: sampler('ParentBasedSamplerConfig', {
      wrappedSampler: sampler('TraceIdRatioBasedSamplerConfig', {
        samplingPercentage: { numerator: 5, denominator: 'TEN_THOUSAND' },
      }),
    }),
  });
  expect(reasons).toEqual([]);
  expect(data.provider).toMatchObject({
    service: { kind: 'http', collector: { cluster: 'o', authority: 'h.test', path: '/v1/traces', timeoutMs: 1000 } },
    resource: [
      ['service.name', 'other'],
      ['k', 'v'],
    ],
    sampler: { kind: 'parent', root: { kind: 'ratio', numerator: 5, denominator: 10_000 } },
    spansMax: 5,
  });
  expect(otlpOf({ sampler: sampler('AlwaysOnSamplerConfig') }).data.provider).toMatchObject({
    service: null,
    sampler: { kind: 'always-on' },
  });
  expect(otlpOf({ sampler: sampler('ParentBasedSamplerConfig') }).reasons).toEqual([
    'provider.typed_config.sampler.typed_config.wrapped_sampler: is required',
  ]);
});

test('what is not there is refused by name', () => {
  const sampler = { name: 's', typedConfig: { '@type': `${parts}samplers.v3.DynatraceSamplerConfig`, tenant: 't' } };
  expect(otlpOf({ sampler }).reasons).toEqual([
    'provider.typed_config.sampler: no envoy.tracers.opentelemetry.samplers s',
  ]);
  const both = {
    httpService: { httpUri: { uri: 'http://h/', cluster: 'o', timeout: '1s' } },
    grpcService: { envoyGrpc: { clusterName: 'o' } },
  };
  expect(otlpOf(both).reasons[0]).toContain('cannot have both gRPC and HTTP exporters');
  expect(decoded({ operation: '%NOPE%' }).reasons).toHaveLength(1);
});
