import { durationMs } from '../../core/duration.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { RetryPolicySchema, type RetryPolicy } from '../../proto/envoy/config/core/v3/base_pb.js';
import {
  JwksAsyncFetchSchema,
  JwtCacheConfigSchema,
  JwtClaimToHeaderSchema,
  JwtHeaderSchema,
  JwtProvider_NormalizePayloadSchema,
  JwtProviderSchema,
  RemoteJwksSchema,
  type JwtProvider,
  type RemoteJwks,
} from '../../proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import { decodeStringMatcher } from '../../route/match/decode.ts';
import { SourceReader, because, textOf } from '../../identity/decode/data-source-decode.ts';
import { lowerAscii } from '../../route/wire-text.ts';
import type { CallRetries } from '../call-outs.ts';
import { decodeHttpUri } from '../http-uri-decode.ts';
import { parseJwks } from './jwks.ts';
import type { JwksSourceData, JwtProviderData } from './jwt-authn-data.ts';

const providerFields = new SupportedFields(JwtProviderSchema, [
  'issuer',
  'audiences',
  'subjects',
  'require_expiration',
  'max_lifetime',
  'remote_jwks',
  'local_jwks',
  'forward',
  'from_headers',
  'from_params',
  'from_cookies',
  'forward_payload_header',
  'pad_forward_payload_header',
  'payload_in_metadata',
  'normalize_payload_in_metadata',
  'header_in_metadata',
  'failed_status_in_metadata',
  'clock_skew_seconds',
  'jwt_cache_config',
  'claim_to_headers',
  'clear_route_cache',
]);
const headerFields = new SupportedFields(JwtHeaderSchema, ['name', 'value_prefix']);
const claimFields = new SupportedFields(JwtClaimToHeaderSchema, ['header_name', 'claim_name']);
const normalizeFields = new SupportedFields(JwtProvider_NormalizePayloadSchema, ['space_delimited_claims']);
const cacheFields = new SupportedFields(JwtCacheConfigSchema, ['jwt_cache_size', 'jwt_max_token_size']);
const remoteFields = new SupportedFields(RemoteJwksSchema, [
  'http_uri',
  'cache_duration',
  'async_fetch',
  'retry_policy',
]);
const asyncFields = new SupportedFields(
  JwksAsyncFetchSchema,
  ['failed_refetch_duration'],
  // Requests that come before the first keys wait for them, so no listener has to.
  ['fast_listener'],
);
const retryFields = new SupportedFields(
  RetryPolicySchema,
  ['retry_back_off', 'num_retries'],
  // Envoy retries what it thinks fit.
  ['retry_on'],
);

/** Envoy's. */
const clockSkewSecondsDefault = 60;
const cacheMsDefault = 600_000;
const failedRefetchMsDefault = 1000;
const retryBaseMsDefault = 1000;

export function decodeProvider(name: string, message: JwtProvider, reasons: Reasons): JwtProviderData {
  providerFields.check(message, reasons);
  const { jwtCacheConfig: cache, normalizePayloadInMetadata: normalize } = message;
  if (cache !== undefined) cacheFields.check(cache, reasons.at('jwt_cache_config'));
  if (normalize !== undefined) normalizeFields.check(normalize, reasons.at('normalize_payload_in_metadata'));
  for (const [i, header] of message.fromHeaders.entries()) headerFields.check(header, reasons.at('from_headers', i));
  for (const [i, claim] of message.claimToHeaders.entries())
    claimFields.check(claim, reasons.at('claim_to_headers', i));
  return {
    name,
    issuer: message.issuer,
    audiences: message.audiences,
    subjects: message.subjects === undefined ? null : decodeStringMatcher(message.subjects, reasons.at('subjects')),
    maxLifetimeMs: lifetimeMs(message),
    clockSkewSeconds: message.clockSkewSeconds || clockSkewSecondsDefault,
    keys: decodeKeys(name, message, reasons),
    forward: message.forward,
    fromHeaders: message.fromHeaders.map(({ name: header, valuePrefix }) => ({
      name: lowerAscii(header),
      valuePrefix,
    })),
    fromParams: message.fromParams,
    fromCookies: message.fromCookies,
    forwardPayloadHeader: lowerAscii(message.forwardPayloadHeader),
    padsForwardPayload: message.padForwardPayloadHeader,
    payloadInMetadata: message.payloadInMetadata,
    headerInMetadata: message.headerInMetadata,
    failedStatusInMetadata: message.failedStatusInMetadata,
    spaceDelimitedClaims: normalize?.spaceDelimitedClaims ?? [],
    cache: cache === undefined ? null : { entries: cache.jwtCacheSize, tokenBytes: cache.jwtMaxTokenSize },
    claimToHeaders: message.claimToHeaders.map(({ headerName, claimName }) => ({
      header: lowerAscii(headerName),
      claim: claimName,
    })),
    clearRouteCache: message.clearRouteCache,
  };
}

function lifetimeMs({ maxLifetime, requireExpiration }: JwtProvider): number | null {
  if (maxLifetime !== undefined) return durationMs(maxLifetime, 0);
  return requireExpiration ? Infinity : null;
}

function decodeKeys(name: string, { jwksSourceSpecifier: source }: JwtProvider, reasons: Reasons): JwksSourceData {
  switch (source.case) {
    case 'localJwks': {
      const at = reasons.at('local_jwks');
      const read = new SourceReader().read(source.value, at);
      if (read.problem !== '') at.add(`the keys cannot be read${because(read)}`);
      const text = textOf(read);
      const { problem } = parseJwks(text);
      if (text !== '' && problem !== '')
        at.add(`Provider '${name}' in jwt_authn config has invalid local jwks: ${problem}`);
      return { kind: 'local', text };
    }
    case 'remoteJwks':
      return decodeRemote(name, source.value, reasons.at('remote_jwks'));
    default:
      return { kind: 'none' };
  }
}

function decodeRemote(provider: string, message: RemoteJwks, reasons: Reasons): JwksSourceData {
  remoteFields.check(message, reasons);
  const { asyncFetch, retryPolicy } = message;
  if (asyncFetch !== undefined) asyncFields.check(asyncFetch, reasons.at('async_fetch'));
  const uri = message.httpUri?.uri ?? '';
  if (!/^https?:\/\/[^/?#]+/i.test(uri))
    reasons.at('http_uri').add(`Provider '${provider}' has an invalid URI: '${uri}'`);
  return {
    kind: 'remote',
    ...decodeHttpUri(message.httpUri, reasons.at('http_uri')),
    cacheMs: Math.floor(durationMs(message.cacheDuration, cacheMsDefault) / 1000) * 1000,
    ahead:
      asyncFetch === undefined
        ? null
        : { failedRefetchMs: durationMs(asyncFetch.failedRefetchDuration, failedRefetchMsDefault) },
    retries: decodeRetries(retryPolicy, reasons.at('retry_policy')),
  };
}

/** As Envoy reads it: the largest interval of the back-off limits each try too. */
function decodeRetries(message: RetryPolicy | undefined, reasons: Reasons): CallRetries | null {
  if (message === undefined) return null;
  retryFields.check(message, reasons);
  const baseMs = durationMs(message.retryBackOff?.baseInterval, retryBaseMsDefault);
  const maxMs = durationMs(message.retryBackOff?.maxInterval, 10 * baseMs);
  return { max: message.numRetries ?? 1, baseMs, maxMs, tryTimeoutMs: maxMs };
}
