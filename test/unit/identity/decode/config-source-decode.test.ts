import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { decodeConfigSource } from '../../../../src/identity/decode/config-source-decode.ts';
import { ConfigSourceSchema } from '../../../../src/proto/envoy/config/core/v3/config_source_pb.js';
import { fromJson } from '../../../../src/proto/protobuf.js';

function decode(json: object, resource = ''): { data: unknown; reasons: readonly string[] } {
  const reasons = new Reasons();
  const data = decodeConfigSource(fromJson(ConfigSourceSchema, json as never), reasons, resource);
  return { data, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

const ads = { ads: {}, resource_api_version: 'V3' };

test('over ADS, after 15 s without', () => {
  expect(decode(ads)).toEqual({ data: { initialFetchTimeoutMs: 15_000, from: { kind: 'ads' } }, reasons: [] });
});

test('a name of xdstp is refused', () => {
  const { reasons } = decode(ads, 'xdstp://authority/envoy.config.cluster.v3.Cluster/a');
  expect(reasons).toEqual([
    ": names of xdstp are not supported by sekisho: 'xdstp://authority/envoy.config.cluster.v3.Cluster/a'",
  ]);
});

test.each([
  [{ self: {} }, /self/],
  [{ ads: {}, authorities: [{ name: 'a' }] }, /authorities/],
  [{ api_config_source: { api_type: 'REST', cluster_names: ['a'] } }, /REST is not supported/],
  [
    {
      api_config_source: { api_type: 'GRPC', grpc_services: [{ google_grpc: { target_uri: 'a', stat_prefix: 'b' } }] },
    },
    /google_grpc/,
  ],
  [{ api_config_source: { api_type: 'AGGREGATED_GRPC' } }, /AGGREGATED_GRPC is not supported/],
])('%j is refused by name', (json, reason) => {
  const { reasons } = decode(json);
  expect(reasons.some((one) => reason.test(one))).toBe(true);
});
