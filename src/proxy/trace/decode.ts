import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeCustomTags } from '../../observe/trace/custom-tag-decode.ts';
import { checkedFormat } from '../../observe/trace/route-tracing-decode.ts';
import type { SamplingData, TracerData, TracingData } from '../../observe/trace/trace-data.ts';
import { Tracing_HttpSchema, type Tracing_Http } from '../../proto/envoy/config/trace/v3/http_tracer_pb.js';
import {
  HttpConnectionManager_TracingSchema,
  type HttpConnectionManager_Tracing,
} from '../../proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { Percent } from '../../proto/envoy/type/v3/percent_pb.js';

const fields = new SupportedFields(HttpConnectionManager_TracingSchema, [
  'client_sampling',
  'random_sampling',
  'overall_sampling',
  'verbose',
  'max_path_tag_length',
  'custom_tags',
  'provider',
  'spawn_upstream_span',
  'operation',
  'upstream_operation',
  'no_context_propagation',
]);
const providerFields = new SupportedFields(Tracing_HttpSchema, ['name', 'typed_config']);

/** Envoy's default of max_path_tag_length. */
const pathTagMaxDefault = 256;

/** `tracing` of a connection manager. */
export function decodeTracing(
  message: HttpConnectionManager_Tracing,
  reasons: Reasons,
  extensions: Extensions,
): TracingData {
  fields.check(message, reasons);
  const { provider } = message;
  return {
    provider:
      provider === undefined
        ? ((extensions.tracer as TracerData | undefined) ?? null)
        : decodeProvider(provider, reasons.at('provider'), extensions),
    clientSampling: percent(message.clientSampling),
    randomSampling: percent(message.randomSampling),
    overallSampling: percent(message.overallSampling),
    verbose: message.verbose,
    pathTagMax: message.maxPathTagLength ?? pathTagMaxDefault,
    customTags: decodeCustomTags(message.customTags, reasons.at('custom_tags')),
    spawnsUpstreamSpan: message.spawnUpstreamSpan ?? false,
    operation: checkedFormat(message.operation, reasons.at('operation')),
    upstreamOperation: checkedFormat(message.upstreamOperation, reasons.at('upstream_operation')),
    propagatesContext: !message.noContextPropagation,
  };
}

/** A tracer, of a connection manager or of the bootstrap. Null: reasons were added. */
export function decodeProvider(message: Tracing_Http, reasons: Reasons, extensions: Extensions): TracerData | null {
  providerFields.check(message, reasons);
  const config = message.configType.case === 'typedConfig' ? message.configType.value : undefined;
  const opened = extensions.open('envoy.tracers', message.name, config, reasons);
  return (opened?.data as TracerData | undefined) ?? null;
}

function percent(message: Percent | undefined): SamplingData {
  return { numerator: message === undefined ? 10_000 : Math.round(message.value * 100), denominator: 10_000 };
}
