import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { TracingSchema, type Tracing } from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { FractionalPercent_DenominatorType, type FractionalPercent } from '../../proto/envoy/type/v3/percent_pb.js';
import { formatProblem } from '../format/format.ts';
import { decodeCustomTags } from './custom-tag-decode.ts';
import type { RouteTracingData, SamplingData } from './trace-data.ts';

const fields = new SupportedFields(TracingSchema, [
  'client_sampling',
  'random_sampling',
  'overall_sampling',
  'custom_tags',
  'operation',
  'upstream_operation',
]);

/** `tracing` of a route. */
export function decodeRouteTracing(message: Tracing, reasons: Reasons): RouteTracingData {
  fields.check(message, reasons);
  return {
    clientSampling: fractionOf(message.clientSampling),
    randomSampling: fractionOf(message.randomSampling),
    overallSampling: fractionOf(message.overallSampling),
    customTags: decodeCustomTags(message.customTags, reasons.at('custom_tags')),
    operation: checkedFormat(message.operation, reasons.at('operation')),
    upstreamOperation: checkedFormat(message.upstreamOperation, reasons.at('upstream_operation')),
  };
}

/** The name of a span. */
export function checkedFormat(format: string, reasons: Reasons): string {
  const problem = formatProblem(format);
  if (problem !== null) reasons.add(problem);
  return format;
}

function fractionOf(message: FractionalPercent | undefined): SamplingData {
  if (message === undefined) return { numerator: 100, denominator: 100 };
  return { numerator: message.numerator, denominator: denominators[message.denominator] };
}

const denominators: Readonly<Record<FractionalPercent_DenominatorType, number>> = {
  [FractionalPercent_DenominatorType.HUNDRED]: 100,
  [FractionalPercent_DenominatorType.TEN_THOUSAND]: 10_000,
  [FractionalPercent_DenominatorType.MILLION]: 1_000_000,
};
