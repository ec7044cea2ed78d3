import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { ApiVersion } from '../../proto/envoy/config/core/v3/config_source_pb.js';
import {
  BufferSettingsSchema,
  CheckSettingsSchema,
  ExtAuthzPerRouteSchema,
  ExtAuthzSchema,
  type BufferSettings,
} from '../../proto/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import { HttpStatusSchema } from '../../proto/envoy/type/v3/http_status_pb.js';
import { RuntimeFeatureFlagSchema } from '../../proto/envoy/config/core/v3/base_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import type { StringMatcherData } from '../../route/match/matcher-data.ts';
import { decodeMetadataMatcher } from '../../route/match/state-decode.ts';
import { decodeRuntimeFraction } from '../decode-fraction.ts';
import { decodeAuthorizationService, decodeList } from './decode-service.ts';
import type {
  AuthorizationServiceData,
  ExtAuthzData,
  ExtAuthzPerRouteData,
  RequestBodyData,
} from './ext-authz-data.ts';
import { decodeMutationRules } from './rules/decode.ts';

const supported = new SupportedFields(
  ExtAuthzSchema,
  [
    'grpc_service',
    'http_service',
    'transport_api_version',
    'failure_mode_allow',
    'failure_mode_allow_header_add',
    'with_request_body',
    'clear_route_cache',
    'status_on_error',
    'bootstrap_metadata_labels_key',
    'validate_mutations',
    'decoder_header_mutation_rules',
    'metadata_context_namespaces',
    'route_metadata_context_namespaces',
    'filter_enabled',
    'filter_enabled_metadata',
    'deny_at_disable',
    'include_peer_certificate',
    'include_tls_session',
    'stat_prefix',
    'allowed_headers',
    'disallowed_headers',
    'charge_cluster_response_stats',
    'encode_raw_headers',
    'enable_dynamic_metadata_ingestion',
    'max_denied_response_body_bytes',
    'shadow_mode',
    'enforce_response_header_limits',
  ],
  // Dynamic metadata here has no typed part that a filter could set; and what the filter says of itself is for Envoy's
  // own filters, which are written in C++: no access log can show it.
  ['typed_metadata_context_namespaces', 'route_typed_metadata_context_namespaces', 'filter_metadata'],
);
const bodyFields = new SupportedFields(BufferSettingsSchema, [
  'max_request_bytes',
  'allow_partial_message',
  'pack_as_bytes',
]);
const statusFields = new SupportedFields(HttpStatusSchema, ['code']);
const flagFields = new SupportedFields(RuntimeFeatureFlagSchema, ['default_value', 'runtime_key']);
const perRouteFields = new SupportedFields(ExtAuthzPerRouteSchema, ['disabled', 'check_settings']);
const checkFields = new SupportedFields(CheckSettingsSchema, [
  'context_extensions',
  'disable_request_body_buffering',
  'with_request_body',
  'grpc_service',
  'http_service',
]);

const forbidden = 403;

const nobody: AuthorizationServiceData = {
  kind: 'grpc',
  service: {
    cluster: '',
    authority: '',
    timeoutMs: 0,
    initialMetadata: [],
    skipEnvoyHeaders: false,
    maxReceiveMessageLength: 0,
  },
};

export const extAuthzDecoder: ExtensionDecoder = {
  kind: ExtAuthzSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): ExtAuthzData {
    const message = fromBinary(ExtAuthzSchema, bytes);
    supported.check(message, reasons);
    if (message.transportApiVersion === ApiVersion.V2) reasons.at('transport_api_version').add('only V3 is supported');
    const { statusOnError, denyAtDisable, filterEnabledMetadata, withRequestBody } = message;
    const { decoderHeaderMutationRules: rules } = message;
    if (statusOnError !== undefined) statusFields.check(statusOnError, reasons.at('status_on_error'));
    if (denyAtDisable !== undefined) flagFields.check(denyAtDisable, reasons.at('deny_at_disable'));
    const allowedHeaders: StringMatcherData[] = decodeList(message.allowedHeaders, reasons.at('allowed_headers'));
    const ofService: StringMatcherData[] = [];
    const service = decodeAuthorizationService(message.services, ofService, reasons);
    if (service === null && message.services.case === undefined)
      reasons.add('one of grpc_service and http_service must be set');
    if (ofService.length > 0 && allowedHeaders.length > 0)
      reasons.at('allowed_headers').add('Invalid duplicate configuration for allowed_headers.');
    return {
      service: service ?? nobody,
      failureModeAllow: message.failureModeAllow,
      failureModeAllowHeaderAdd: message.failureModeAllowHeaderAdd,
      body: withRequestBody === undefined ? null : decodeBody(withRequestBody, reasons.at('with_request_body')),
      clearRouteCache: message.clearRouteCache,
      statusOnError: statusOnError?.code ?? forbidden,
      validateMutations: message.validateMutations,
      requestRules:
        rules === undefined ? null : decodeMutationRules(rules, reasons.at('decoder_header_mutation_rules')),
      labelsKey: message.bootstrapMetadataLabelsKey,
      metadataNamespaces: message.metadataContextNamespaces,
      routeMetadataNamespaces: message.routeMetadataContextNamespaces,
      enabled: decodeRuntimeFraction(message.filterEnabled),
      enabledMetadata:
        filterEnabledMetadata === undefined
          ? null
          : decodeMetadataMatcher(filterEnabledMetadata, reasons.at('filter_enabled_metadata')),
      denyAtDisable:
        denyAtDisable === undefined
          ? null
          : { runtimeKey: denyAtDisable.runtimeKey, isOn: denyAtDisable.defaultValue ?? false },
      includesPeerCertificate: message.includePeerCertificate,
      includesTlsSession: message.includeTlsSession,
      statPrefix: message.statPrefix,
      allowedHeaders: [...allowedHeaders, ...ofService],
      disallowedHeaders: decodeList(message.disallowedHeaders, reasons.at('disallowed_headers')),
      chargesClusterStats: message.chargeClusterResponseStats ?? true,
      encodesRawHeaders: message.encodeRawHeaders,
      ingestsMetadata: message.enableDynamicMetadataIngestion ?? true,
      enforcesAnswerLimits: message.enforceResponseHeaderLimits,
      isShadow: message.shadowMode,
      deniedBodyBytesMax: message.maxDeniedResponseBodyBytes,
    };
  },
};

export const extAuthzPerRouteDecoder: ExtensionDecoder = {
  kind: ExtAuthzPerRouteSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): ExtAuthzPerRouteData {
    const { override } = checked(fromBinary(ExtAuthzPerRouteSchema, bytes), reasons);
    const none = { isDisabled: false, contextExtensions: {}, skipsBody: false, body: null, service: null };
    if (override.case === 'disabled') return { ...none, isDisabled: override.value };
    if (override.case === undefined) return none;
    const at = reasons.at('check_settings');
    const settings = override.value;
    checkFields.check(settings, at);
    if (settings.disableRequestBodyBuffering && settings.withRequestBody !== undefined)
      at.add(
        'Invalid configuration for check_settings. Only one of disable_request_body_buffering or with_request_body can be set.',
      );
    return {
      isDisabled: false,
      contextExtensions: settings.contextExtensions,
      skipsBody: settings.disableRequestBodyBuffering,
      body:
        settings.withRequestBody === undefined
          ? null
          : decodeBody(settings.withRequestBody, at.at('with_request_body')),
      service: decodeAuthorizationService(settings.serviceOverride, [], at),
    };
  },
};

function checked(message: ReturnType<typeof fromBinary<typeof ExtAuthzPerRouteSchema>>, reasons: Reasons) {
  perRouteFields.check(message, reasons);
  return message;
}

function decodeBody(message: BufferSettings, reasons: Reasons): RequestBodyData {
  bodyFields.check(message, reasons);
  return {
    bytesMax: message.maxRequestBytes,
    allowsPartial: message.allowPartialMessage,
    packsAsBytes: message.packAsBytes,
  };
}
