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
  [{ api_config_source: { api_type: 'AGGREGATED_GRPC' } }, /AGGREGATED_GRPC is not supported/],
])('%j is refused by name', (json, reason) => {
  const { reasons } = decode(json);
  expect(reasons.some((one) => reason.test(one))).toBe(true);
});

test('how long to wait before a stream is opened again', () => {
  const over = (retry_policy?: object) => {
    const grpc_services = [{ envoy_grpc: { cluster_name: 'c', ...(retry_policy !== undefined && { retry_policy }) } }];
    const { data, reasons } = decode({ api_config_source: { api_type: 'GRPC', grpc_services } });
    return [(data as { from: { services: { backOff?: object }[] } }).from.services[0].backOff, reasons];
  };
  expect(over()).toEqual([undefined, []]);
  expect(over({ num_retries: 3 })).toEqual([undefined, []]);
  expect(over({ retry_back_off: { base_interval: '0.1s' } })).toEqual([{ baseMs: 100, maxMs: 1000 }, []]);
  expect(over({ retry_back_off: { base_interval: '2s', max_interval: '1s' } })[1]).toEqual([
    expect.stringContaining('max_interval must be greater than or equal to the base_interval'),
  ]);
});
