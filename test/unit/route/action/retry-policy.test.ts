import { expect, test } from 'vitest';
import { ConfiguredRetryPolicy } from '../../../../src/route/action/retry-policy.ts';
import { anyHost, decodeYaml } from '../fixture.ts';

function policyOf(fields: string): ConfiguredRetryPolicy {
  const { data, reasons } = decodeYaml(
    anyHost(`{ match: { prefix: / }, route: { cluster: c, retry_policy: { retry_on: 5xx, ${fields} } } }`),
  );
  const action = data?.virtualHosts[0].routes[0].action;
  if (action?.kind !== 'forward' || action.retry === null) throw new Error(JSON.stringify(reasons));
  return new ConfiguredRetryPolicy(action.retry);
}

const omitting = (match: string): ConfiguredRetryPolicy =>
  policyOf(
    `retry_host_predicate: [{ name: x, typed_config: { '@type': type.googleapis.com/envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig, metadata_match: ${match} } }]`,
  );
const labels = (match: string): ConfiguredRetryPolicy => omitting(`{ filter_metadata: { envoy.lb: ${match} } }`);
const host = { 'envoy.lb': { a: '1', list: ['x', 'y'], deep: { b: 2, c: 3 } } };

test.each([
  ['{ a: "1" }', true],
  ['{ a: "2" }', false],
  ['{ a: "1", b: "1" }', false],
  ['{ list: y }', true],
  ['{ list: [x, y] }', true],
  ['{ deep: { c: 3, b: 2 } }', true],
  ['{}', true],
])('omit_host_metadata %s: %s', (match, expected) => {
  expect(labels(match).omits(host)).toBe(expected);
});

test('a host without metadata is omitted by nothing that names a label', () => {
  expect(labels('{ a: "1" }').omits(null)).toBe(false);
  expect(omitting('{}').omits(host)).toBe(false);
  expect(policyOf('').omits(host)).toBe(false);
});

test('rate_limited_retry_back_off', () => {
  expect(policyOf('').rateLimited).toBeNull();
  expect(
    policyOf(
      'rate_limited_retry_back_off: { reset_headers: [{ name: Retry-After }, { name: x, format: UNIX_TIMESTAMP }] }',
    ).rateLimited,
  ).toEqual({
    maxIntervalMs: 300_000,
    resetHeaders: [
      { name: 'retry-after', isTimestamp: false },
      { name: 'x', isTimestamp: true },
    ],
  });
});
