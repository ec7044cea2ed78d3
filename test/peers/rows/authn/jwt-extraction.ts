import { http } from '../../config.ts';
import type { Group, Pairs, Request, Row } from '../../row.ts';
import { jwks, keys, now, token } from './tokens.ts';

const type = 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3';
const local = `local_jwks: { inline_string: '${jwks(keys.rs256, keys.es256)}' }`;
const telling = 'payload_in_metadata: payload, header_in_metadata: header, failed_status_in_metadata: failed';

const providers = `providers: {
    a: { issuer: issuer-a, audiences: [books], ${local}, forward: true, forward_payload_header: x-payload, claim_to_headers: [{ header_name: x-sub, claim_name: sub }], ${telling} },
    b: { issuer: issuer-b, ${local}, claim_to_headers: [{ header_name: x-sub-b, claim_name: sub }], ${telling} } }`;

const usual = 'x-jwt-signature-verified';

function bearer(text: string, inQuery = ''): Request {
  return { path: inQuery === '' ? '/' : `/?access_token=${inQuery}`, headers: [['authorization', `Bearer ${text}`]] };
}

const spoofed = (...more: Pairs): Request => ({
  path: '/',
  headers: [...more, [usual, 'true'], ['x-own', 'true'], ['x-sub', 'eve'], ['x-payload', 'eve']],
});

const good = token(keys.rs256);
const bad = token(keys.stranger);
const cases: readonly (readonly [string, Request])[] = [
  ['good', bearer(good)],
  ['none', { path: '/' }],
  ['good, of the second', bearer(token(keys.es256, { iss: 'issuer-b' }))],
  ['expired', bearer(token(keys.rs256, { exp: now - 1000 }))],
  ['for others', bearer(token(keys.rs256, { aud: 'x' }))],
  ['signed by a stranger', bearer(bad)],
  ['of an unknown issuer', bearer(token(keys.rs256, { iss: 'other' }))],
  ['nonsense', bearer('nonsense')],
  ['good and bad', bearer(good, bad)],
  ['bad and good', bearer(bad, good)],
  ['bad and bad', bearer(bad, 'nonsense')],
  ['none, but its fields', spoofed()],
  ['good, and its fields', spoofed(['authorization', `Bearer ${good}`])],
  ['bad, and its fields', spoofed(['authorization', `Bearer ${bad}`])],
];

function extracting(name: string, requirement: string): Group {
  return {
    name: `jwt_authn: extraction: ${name}`,
    config: http({
      filters: `
- name: envoy.filters.http.jwt_authn
  typed_config: { '@type': ${type}.JwtAuthentication, ${providers}, rules: [{ match: { prefix: / }, requires: { ${requirement} } }] }`,
      log: ['DYNAMIC_METADATA(envoy.filters.http.jwt_authn)'],
    }),
    rows: cases.map(([text, request]): Row => ({ name: text, request, stats: /jwt_authn/ })),
  };
}

const extract = (header: string): string => `extract_only_without_validation: { ${header} }`;

/** `extract_only_without_validation`. */
export const jwtExtractionGroups: readonly Group[] = [
  extracting('alone', extract('')),
  extracting('a header of its own', extract('verification_status_header: X-Own')),
  extracting('no header', extract("verification_status_header: '-'")),
  extracting('or a provider', `requires_any: { requirements: [{ provider_name: a }, { ${extract('')} }] }`),
  extracting('or a provider behind it', `requires_any: { requirements: [{ ${extract('')} }, { provider_name: a }] }`),
  extracting('and a provider', `requires_all: { requirements: [{ ${extract('')} }, { provider_name: a }] }`),
];
