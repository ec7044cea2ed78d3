import { durationMs } from '../../core/duration.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeService } from '../../identity/decode/config-source-decode.ts';
import type { GrpcService } from '../../proto/envoy/config/core/v3/grpc_service_pb.js';
import { BackoffStrategySchema } from '../../proto/envoy/config/core/v3/backoff_pb.js';
import { HeaderValueSchema, RetryPolicySchema, type RetryPolicy } from '../../proto/envoy/config/core/v3/base_pb.js';
import {
  AuthorizationRequestSchema,
  AuthorizationResponseSchema,
  HttpServiceSchema,
  type HttpService,
} from '../../proto/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import { ListStringMatcherSchema, type ListStringMatcher } from '../../proto/envoy/type/matcher/v3/string_pb.js';
import { decodeStringMatcher } from '../../route/match/decode.ts';
import type { StringMatcherData } from '../../route/match/matcher-data.ts';
import { lowerAscii, wireText } from '../../route/wire-text.ts';
import type { CallRetries } from '../call-outs.ts';
import { decodeHttpUri } from '../http-uri-decode.ts';
import type { AuthorizationServiceData } from './ext-authz-data.ts';

const httpFields = new SupportedFields(HttpServiceSchema, [
  'server_uri',
  'path_prefix',
  'path_override',
  'authorization_request',
  'authorization_response',
  'retry_policy',
]);
const retryFields = new SupportedFields(RetryPolicySchema, ['retry_back_off', 'num_retries', 'retry_on']);
const backOffFields = new SupportedFields(BackoffStrategySchema, ['base_interval', 'max_interval']);
const requestFields = new SupportedFields(AuthorizationRequestSchema, ['allowed_headers', 'headers_to_add']);
const responseFields = new SupportedFields(AuthorizationResponseSchema, [
  'allowed_upstream_headers',
  'allowed_upstream_headers_to_append',
  'allowed_client_headers',
  'allowed_client_headers_on_success',
  'dynamic_metadata_from_headers',
]);
const headerFields = new SupportedFields(HeaderValueSchema, ['key', 'value']);
const listFields = new SupportedFields(ListStringMatcherSchema, ['patterns']);

/** Envoy's. */
const grpcTimeoutMs = 200;
const retryBaseMsDefault = 1000;

type Services =
  | { readonly case: 'grpcService'; readonly value: GrpcService }
  | { readonly case: 'httpService'; readonly value: HttpService }
  | { readonly case: undefined; readonly value?: undefined };

/** `headers`: those that the older field of an HTTP service allows are added. Null: there is none, or reasons were added. */
export function decodeAuthorizationService(
  services: Services,
  headers: StringMatcherData[],
  reasons: Reasons,
): AuthorizationServiceData | null {
  switch (services.case) {
    case 'grpcService': {
      const at = reasons.at('grpc_service');
      const service = decodeService(services.value, at);
      if (service === null) return null;
      return {
        kind: 'grpc',
        service: services.value.timeout === undefined ? { ...service, timeoutMs: grpcTimeoutMs } : service,
      };
    }
    case 'httpService':
      return decodeHttpService(services.value, headers, reasons.at('http_service'));
    default:
      return null;
  }
}

function decodeHttpService(
  message: HttpService,
  headers: StringMatcherData[],
  reasons: Reasons,
): AuthorizationServiceData {
  httpFields.check(message, reasons);
  const { authorizationRequest: request, authorizationResponse: response, pathPrefix, pathOverride } = message;
  const atRequest = reasons.at('authorization_request');
  const atResponse = reasons.at('authorization_response');
  if (request !== undefined) requestFields.check(request, atRequest);
  if (response !== undefined) responseFields.check(response, atResponse);
  for (const [i, header] of (request?.headersToAdd ?? []).entries())
    headerFields.check(header, atRequest.at('headers_to_add', i));
  headers.push(...decodeList(request?.allowedHeaders, atRequest.at('allowed_headers')));
  if (pathPrefix !== '' && !pathPrefix.startsWith('/'))
    reasons.at('path_prefix').add('path_prefix should start with "/".');
  if (pathOverride !== '' && !pathOverride.startsWith('/'))
    reasons.at('path_override').add('path_override should start with "/".');
  if (pathPrefix !== '' && pathOverride !== '')
    reasons.at('path_override').add('Only one of path_prefix or path_override may be set.');
  return {
    kind: 'http',
    uri: decodeHttpUri(message.serverUri, reasons.at('server_uri')),
    retries: message.retryPolicy === undefined ? null : decodeRetries(message.retryPolicy, reasons.at('retry_policy')),
    pathPrefix,
    pathOverride,
    headersToAdd: (request?.headersToAdd ?? []).map(({ key, value }) => [lowerAscii(key), wireText(value)] as const),
    upstreamHeaders: decodeList(response?.allowedUpstreamHeaders, atResponse.at('allowed_upstream_headers')),
    upstreamHeadersToAppend: decodeList(
      response?.allowedUpstreamHeadersToAppend,
      atResponse.at('allowed_upstream_headers_to_append'),
    ),
    clientHeaders: decodeList(response?.allowedClientHeaders, atResponse.at('allowed_client_headers')),
    clientHeadersOnSuccess: decodeList(
      response?.allowedClientHeadersOnSuccess,
      atResponse.at('allowed_client_headers_on_success'),
    ),
    metadataHeaders: decodeList(response?.dynamicMetadataFromHeaders, atResponse.at('dynamic_metadata_from_headers')),
  };
}

/** What `5xx` says already, beside it. */
const withinServerErrors: ReadonlySet<string> = new Set([
  '5xx',
  'gateway-error',
  'connect-failure',
  'reset',
  'reset-before-request',
  'refused-stream',
]);

/**
 * As Envoy reads it: the largest interval of the back-off limits each try too, and where nothing is said of what is to
 * be asked again for, nothing is.
 */
function decodeRetries(message: RetryPolicy, reasons: Reasons): CallRetries {
  retryFields.check(message, reasons);
  const { retryBackOff, numRetries, retryOn } = message;
  if (retryBackOff !== undefined) backOffFields.check(retryBackOff, reasons.at('retry_back_off'));
  const conditions = retryOn === '' ? ['5xx'] : retryOn.split(',').map((condition) => condition.trim());
  if (!conditions.includes('5xx') || !conditions.every((condition) => withinServerErrors.has(condition)))
    reasons.at('retry_on').add(`'${retryOn}' is not supported by sekisho here; 5xx is`);
  const baseMs = durationMs(retryBackOff?.baseInterval, retryBaseMsDefault);
  const maxMs = durationMs(retryBackOff?.maxInterval, 10 * baseMs);
  return { max: retryOn === '' ? null : (numRetries ?? 1), baseMs, maxMs, tryTimeoutMs: maxMs };
}

export function decodeList(list: ListStringMatcher | undefined, reasons: Reasons): StringMatcherData[] {
  if (list === undefined) return [];
  listFields.check(list, reasons);
  return list.patterns.map((pattern, i) => decodeStringMatcher(pattern, reasons.at('patterns', i)));
}
