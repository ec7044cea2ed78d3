import type { ExtensionDecoder, Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { exporterName } from '../export/export-environment.ts';
import { decodeService } from '../../identity/decode/config-source-decode.ts';
import type { OpenTelemetryData, OtlpServiceData, SamplerData } from '../../observe/trace/trace-data.ts';
import {
  OpenTelemetryConfigSchema,
  type OpenTelemetryConfig,
} from '../../proto/envoy/config/trace/v3/opentelemetry_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeHttpService } from './http-service-decode.ts';

const fields = new SupportedFields(OpenTelemetryConfigSchema, [
  'grpc_service',
  'http_service',
  'service_name',
  'resource_detectors',
  'sampler',
  'max_cache_size',
  'set_telemetry_sdk_resource_attributes',
  'set_service_name_resource_attribute',
]);

/** Envoy's default of max_cache_size. */
const spansMaxDefault = 1024;
const defaultService = 'unknown_service:envoy';

/** What a detector has found. */
export type ResourceAttributes = readonly (readonly [key: string, value: string])[];

/** `envoy.tracers.opentelemetry`. */
export const openTelemetryDecoder: ExtensionDecoder = {
  kind: OpenTelemetryConfigSchema.typeName,
  decode(bytes, reasons, extensions): OpenTelemetryData {
    const message = fromBinary(OpenTelemetryConfigSchema, bytes);
    fields.check(message, reasons);
    return {
      kind: 'opentelemetry',
      service: serviceOf(message, reasons),
      resource: resourceOf(message, reasons, extensions),
      sampler: samplerOf(message, reasons, extensions),
      spansMax: message.maxCacheSize ?? spansMaxDefault,
    };
  },
};

function serviceOf(message: OpenTelemetryConfig, reasons: Reasons): OtlpServiceData | null {
  const { grpcService, httpService } = message;
  if (grpcService !== undefined && httpService !== undefined) {
    reasons.add(
      'OpenTelemetry Tracer cannot have both gRPC and HTTP exporters configured. OpenTelemetry tracer will be disabled.',
    );
    return null;
  }
  if (grpcService !== undefined) {
    const service = decodeService(grpcService, reasons.at('grpc_service'));
    return service === null ? null : { kind: 'grpc', service };
  }
  if (httpService === undefined) return null;
  return { kind: 'http', collector: decodeHttpService(httpService, reasons.at('http_service')) };
}

/** Detectors in their order; what is configured stands in front, so that they may say otherwise. */
function resourceOf(message: OpenTelemetryConfig, reasons: Reasons, extensions: Extensions): [string, string][] {
  const found = new Map<string, string>();
  if (message.setServiceNameResourceAttribute ?? true)
    found.set('service.name', message.serviceName === '' ? defaultService : message.serviceName);
  if (message.setTelemetrySdkResourceAttributes ?? true) {
    found.set('telemetry.sdk.language', 'nodejs');
    found.set('telemetry.sdk.name', exporterName);
  }
  for (const [i, detector] of message.resourceDetectors.entries()) {
    const at = reasons.at('resource_detectors', i);
    const opened = extensions.open(
      'envoy.tracers.opentelemetry.resource_detectors',
      detector.name,
      detector.typedConfig,
      at,
    );
    for (const [key, value] of (opened?.data as ResourceAttributes | undefined) ?? []) found.set(key, value);
  }
  return [...found];
}

function samplerOf(message: OpenTelemetryConfig, reasons: Reasons, extensions: Extensions): SamplerData | null {
  const { sampler } = message;
  if (sampler === undefined) return null;
  const at = reasons.at('sampler');
  const opened = extensions.open('envoy.tracers.opentelemetry.samplers', sampler.name, sampler.typedConfig, at);
  return (opened?.data as SamplerData | undefined) ?? null;
}
