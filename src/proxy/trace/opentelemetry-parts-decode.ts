import type { ExtensionDecoder } from '../../core/extension.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { SamplerData } from '../../observe/trace/trace-data.ts';
import { EnvironmentResourceDetectorConfigSchema } from '../../proto/envoy/extensions/tracers/opentelemetry/resource_detectors/v3/environment_resource_detector_pb.js';
import { StaticConfigResourceDetectorConfigSchema } from '../../proto/envoy/extensions/tracers/opentelemetry/resource_detectors/v3/static_config_resource_detector_pb.js';
import { AlwaysOnSamplerConfigSchema } from '../../proto/envoy/extensions/tracers/opentelemetry/samplers/v3/always_on_sampler_pb.js';
import { ParentBasedSamplerConfigSchema } from '../../proto/envoy/extensions/tracers/opentelemetry/samplers/v3/parent_based_sampler_pb.js';
import { TraceIdRatioBasedSamplerConfigSchema } from '../../proto/envoy/extensions/tracers/opentelemetry/samplers/v3/trace_id_ratio_based_sampler_pb.js';
import { FractionalPercent_DenominatorType as Denominator } from '../../proto/envoy/type/v3/percent_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { ResourceAttributes } from './opentelemetry-decode.ts';

const environmentFields = new SupportedFields(EnvironmentResourceDetectorConfigSchema, []);
const staticFields = new SupportedFields(StaticConfigResourceDetectorConfigSchema, ['attributes']);
const alwaysOnFields = new SupportedFields(AlwaysOnSamplerConfigSchema, []);
const ratioFields = new SupportedFields(TraceIdRatioBasedSamplerConfigSchema, ['sampling_percentage']);
const parentFields = new SupportedFields(ParentBasedSamplerConfigSchema, ['wrapped_sampler']);

/** `OTEL_RESOURCE_ATTRIBUTES` of this process: `key=value,key=value`. Read when the configuration is. */
export const environmentDetectorDecoder: ExtensionDecoder = {
  kind: EnvironmentResourceDetectorConfigSchema.typeName,
  decode(bytes, reasons): ResourceAttributes {
    environmentFields.check(fromBinary(EnvironmentResourceDetectorConfigSchema, bytes), reasons);
    const text = process.env['OTEL_RESOURCE_ATTRIBUTES'] ?? '';
    return text.split(',').flatMap((pair) => {
      const [key, value, ...more] = pair.split('=');
      return value === undefined || more.length > 0 ? [] : [[key, value] as const];
    });
  },
};

export const staticDetectorDecoder: ExtensionDecoder = {
  kind: StaticConfigResourceDetectorConfigSchema.typeName,
  decode(bytes, reasons): ResourceAttributes {
    const message = fromBinary(StaticConfigResourceDetectorConfigSchema, bytes);
    staticFields.check(message, reasons);
    return Object.entries(message.attributes).filter(([key, value]) => key !== '' && value !== '');
  },
};

export const alwaysOnDecoder: ExtensionDecoder = {
  kind: AlwaysOnSamplerConfigSchema.typeName,
  decode(bytes, reasons): SamplerData {
    alwaysOnFields.check(fromBinary(AlwaysOnSamplerConfigSchema, bytes), reasons);
    return { kind: 'always-on' };
  },
};

const denominators: Readonly<Record<Denominator, number>> = {
  [Denominator.HUNDRED]: 100,
  [Denominator.TEN_THOUSAND]: 10_000,
  [Denominator.MILLION]: 1_000_000,
};

export const ratioDecoder: ExtensionDecoder = {
  kind: TraceIdRatioBasedSamplerConfigSchema.typeName,
  decode(bytes, reasons): SamplerData {
    const message = fromBinary(TraceIdRatioBasedSamplerConfigSchema, bytes);
    ratioFields.check(message, reasons);
    const { samplingPercentage: share } = message;
    return {
      kind: 'ratio',
      numerator: share?.numerator ?? 0,
      denominator: denominators[share?.denominator ?? Denominator.HUNDRED],
    };
  },
};

export const parentBasedDecoder: ExtensionDecoder = {
  kind: ParentBasedSamplerConfigSchema.typeName,
  decode(bytes, reasons, extensions): SamplerData | null {
    const message = fromBinary(ParentBasedSamplerConfigSchema, bytes);
    parentFields.check(message, reasons);
    const { wrappedSampler: wrapped } = message;
    const at = reasons.at('wrapped_sampler');
    if (wrapped === undefined) {
      at.add('is required');
      return null;
    }
    const opened = extensions.open('envoy.tracers.opentelemetry.samplers', wrapped.name, wrapped.typedConfig, at);
    return opened === null ? null : { kind: 'parent', root: opened.data as SamplerData };
  },
};
