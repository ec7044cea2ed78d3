import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  RuntimeFractionalPercentSchema,
  type RuntimeFractionalPercent,
} from '../../proto/envoy/config/core/v3/base_pb.js';
import type { TypedExtensionConfig } from '../../proto/envoy/config/core/v3/extension_pb.js';
import {
  RouteMatch_TlsContextMatchOptionsSchema,
  RouteMatchSchema,
  type RouteMatch,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { UriTemplateMatchConfigSchema } from '../../proto/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js';
import { FractionalPercent_DenominatorType } from '../../proto/envoy/type/v3/percent_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeCookieMatcher, decodeHeaderMatchers, decodeQueryMatcher, decodeRegex } from '../match/decode.ts';
import { decodeFilterStateMatcher, decodeMetadataMatcher } from '../match/state-decode.ts';
import type { PathMatchData, RouteConditionsData, RuntimeFractionData } from '../route-data.ts';
import { templateProblem } from '../uri-template.ts';
import { wireText } from '../wire-text.ts';
import type { RouteDecoding } from './field-decode.ts';

const matchFields = new SupportedFields(RouteMatchSchema, [
  'prefix',
  'path',
  'safe_regex',
  'connect_matcher',
  'path_separated_prefix',
  'path_match_policy',
  'case_sensitive',
  'runtime_fraction',
  'headers',
  'query_parameters',
  'cookies',
  'grpc',
  'tls_context',
  'dynamic_metadata',
  'filter_state',
]);
const tlsFields = new SupportedFields(RouteMatch_TlsContextMatchOptionsSchema, ['presented', 'validated']);
const templateFields = new SupportedFields(UriTemplateMatchConfigSchema, ['path_template']);
const fractionFields = new SupportedFields(RuntimeFractionalPercentSchema, ['default_value', 'runtime_key']);

const matchesNothing: PathMatchData = { kind: 'prefix', value: '', caseSensitive: true };

export function decodePathMatch(message: RouteMatch, reasons: Reasons, decoding: RouteDecoding): PathMatchData {
  matchFields.check(message, reasons);
  const specifier = message.pathSpecifier;
  const caseSensitive = message.caseSensitive ?? true;
  switch (specifier.case) {
    case 'prefix':
      return { kind: 'prefix', value: wireText(specifier.value), caseSensitive };
    case 'path':
      return { kind: 'exact', value: wireText(specifier.value), caseSensitive };
    case 'pathSeparatedPrefix':
      return { kind: 'separatedPrefix', value: wireText(specifier.value), caseSensitive };
    case 'safeRegex': {
      const value = decodeRegex(specifier.value, reasons.at('safe_regex'), decoding.maxProgramSize);
      return { kind: 'regex', value, caseSensitive: true };
    }
    case 'pathMatchPolicy':
      return decodeTemplate(specifier.value, reasons.at('path_match_policy'));
    case 'connectMatcher':
      return { kind: 'connect', value: '', caseSensitive: true };
    default:
      reasons.add('a route must say which paths it matches');
      return matchesNothing;
  }
}

function decodeTemplate(config: TypedExtensionConfig, reasons: Reasons): PathMatchData {
  const any = config.typedConfig;
  if (any === undefined || !any.typeUrl.endsWith(`/${UriTemplateMatchConfigSchema.typeName}`)) {
    reasons.add(`path matcher '${config.name}' of type '${any?.typeUrl ?? ''}' is not supported by sekisho`);
    return matchesNothing;
  }
  const message = fromBinary(UriTemplateMatchConfigSchema, any.value);
  templateFields.check(message, reasons.at('typed_config'));
  const problem = templateProblem(message.pathTemplate);
  if (problem !== null) {
    const at = reasons.at('typed_config').at('path_template');
    at.add(`path_match_policy.path_template ${message.pathTemplate} is invalid: ${problem}`);
  }
  return { kind: 'template', value: message.pathTemplate, caseSensitive: true };
}

/** Null: the path alone decides. */
export function decodeConditions(
  message: RouteMatch,
  reasons: Reasons,
  decoding: RouteDecoding,
): RouteConditionsData | null {
  const { headers, queryParameters, cookies, grpc, runtimeFraction, tlsContext, dynamicMetadata, filterState } =
    message;
  const lists = [headers, queryParameters, cookies, dynamicMetadata, filterState];
  const isEmpty = lists.every((list) => list.length === 0);
  if (isEmpty && grpc === undefined && runtimeFraction === undefined && tlsContext === undefined) return null;
  if (tlsContext !== undefined) tlsFields.check(tlsContext, reasons.at('tls_context'));
  const limit = decoding.maxProgramSize;
  return {
    headers: decodeHeaderMatchers(headers, 'headers', reasons, limit),
    queryParameters: queryParameters.map((matcher, i) =>
      decodeQueryMatcher(matcher, reasons.at('query_parameters', i), limit),
    ),
    cookies: cookies.map((matcher, i) => decodeCookieMatcher(matcher, reasons.at('cookies', i), limit)),
    grpc: grpc !== undefined,
    tls:
      tlsContext === undefined
        ? null
        : { presented: tlsContext.presented ?? null, validated: tlsContext.validated ?? null },
    fraction: runtimeFraction === undefined ? null : decodeFraction(runtimeFraction, reasons.at('runtime_fraction')),
    ...(dynamicMetadata.length === 0
      ? {}
      : {
          metadata: dynamicMetadata.map((matcher, i) =>
            decodeMetadataMatcher(matcher, reasons.at('dynamic_metadata', i)),
          ),
        }),
    ...(filterState.length === 0
      ? {}
      : {
          filterState: filterState.map((matcher, i) =>
            decodeFilterStateMatcher(matcher, reasons.at('filter_state', i), limit),
          ),
        }),
  };
}

export function decodeFraction(message: RuntimeFractionalPercent, reasons: Reasons): RuntimeFractionData {
  fractionFields.check(message, reasons);
  const value = message.defaultValue;
  return { key: message.runtimeKey, numerator: value?.numerator ?? 0, denominator: denominator(value?.denominator) };
}

function denominator(type: FractionalPercent_DenominatorType | undefined): number {
  switch (type) {
    case FractionalPercent_DenominatorType.TEN_THOUSAND:
      return 10_000;
    case FractionalPercent_DenominatorType.MILLION:
      return 1_000_000;
    default:
      return 100;
  }
}
