import { createRegistry, fromJson, toBinary, type JsonValue } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import type { ClusterData } from '../../../../src/cluster/cluster-data.ts';
import { decodeCluster } from '../../../../src/cluster/decode.ts';
import { httpProtocolOptionsDecoder } from '../../../../src/cluster/protocol/extension-decode.ts';
import { ExtensionTable } from '../../../../src/control/extension-table.ts';
import type { Extensions } from '../../../../src/core/extension.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { ClusterSchema } from '../../../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { ClusterConfigSchema } from '../../../../src/proto/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.js';
import { FilterConfigSchema } from '../../../../src/proto/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy_pb.js';
import {
  FilterConfigSchema as HttpFilterConfigSchema,
  PerRouteConfigSchema,
} from '../../../../src/proto/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy_pb.js';
import { HttpProtocolOptionsSchema } from '../../../../src/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import {
  dynamicForwardProxyDecoder,
  dynamicForwardProxyPerRouteDecoder,
} from '../../../../src/proxy/http/decode/dynamic-forward-proxy-decode.ts';
import { sniProxyDecoder } from '../../../../src/proxy/network/sni-proxy-decode.ts';

type Json = Record<string, JsonValue>;

const registry = createRegistry(ClusterConfigSchema, HttpProtocolOptionsSchema);
const { typeName } = HttpProtocolOptionsSchema;
const extensions: ExtensionTable & Extensions = new ExtensionTable([
  { category: 'envoy.upstream_options', kind: typeName, load: () => Promise.resolve(httpProtocolOptionsDecoder) },
]);
await extensions.load([typeName]);

function decode(config: Json, more: Json = {}): { data: ClusterData | null; reasons: string[] } {
  const reasons = new Reasons('cluster');
  const typed = { '@type': `type.googleapis.com/${ClusterConfigSchema.typeName}`, ...config };
  const json = { name: 'c', lb_policy: 'CLUSTER_PROVIDED', cluster_type: { name: 'd', typed_config: typed }, ...more };
  const data = decodeCluster(fromJson(ClusterSchema, json, { registry }), reasons, extensions);
  return { data, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

const cacheOf = ({ data }: { data: ClusterData | null }): unknown => {
  const discovery = data!.discovery;
  return discovery.kind === 'dynamic' ? discovery.cache : null;
};

test('the defaults of Envoy', () => {
  const decoded = decode({ dns_cache_config: { name: 'a' } });
  expect(decoded.reasons).toEqual([]);
  expect(structuredClone(cacheOf(decoded))).toEqual({
    name: 'a',
    family: 'AUTO',
    refreshMs: 60_000,
    refreshMinMs: 5000,
    failureRefresh: null,
    forgetsFailures: false,
    hostTtlMs: 300_000,
    maxHosts: 1024,
    maxPending: 1024,
    queryTimeoutMs: 5000,
    resolver: expect.objectContaining({ kind: 'cares' }) as unknown,
    preresolved: [],
  });
  expect(decoded.data!.http.names).toMatchObject({ autoSni: true, autoSanValidation: true });
});

test('everything that may be said', () => {
  const decoded = decode({
    dns_cache_config: {
      name: 'a',
      dns_lookup_family: 'V4_ONLY',
      dns_refresh_rate: '10s',
      dns_min_refresh_rate: '2s',
      host_ttl: '30s',
      max_hosts: 7,
      disable_dns_refresh_on_failure: true,
      dns_failure_refresh_rate: { base_interval: '1s', max_interval: '3s' },
      dns_cache_circuit_breaker: { max_pending_requests: 9 },
      preresolve_hostnames: [{ address: 'A.test', port_value: 80 }],
      dns_query_timeout: '1s',
    },
  });
  expect(decoded.reasons).toEqual([]);
  expect(cacheOf(decoded)).toMatchObject({
    family: 'V4_ONLY',
    refreshMs: 10_000,
    refreshMinMs: 2000,
    failureRefresh: { baseMs: 1000, maxMs: 3000 },
    forgetsFailures: true,
    hostTtlMs: 30_000,
    maxHosts: 7,
    maxPending: 9,
    queryTimeoutMs: 1000,
    preresolved: ['a.test:80'],
  });
});

const insecure = {
  typed_extension_protocol_options: {
    [typeName]: {
      '@type': `type.googleapis.com/${typeName}`,
      explicit_http_config: { http_protocol_options: {} },
      upstream_http_protocol_options: { auto_sni: true },
    },
  },
};
const unchecked =
  'cluster: dynamic_forward_proxy cluster must have auto_sni and auto_san_validation true unless allow_insecure_cluster_options is set';

test.each<[string, Json, Json, string[]]>([
  ['names that are not checked', { dns_cache_config: { name: 'a' } }, insecure, [unchecked]],
  ['or are not meant to be', { dns_cache_config: { name: 'a' }, allow_insecure_cluster_options: true }, insecure, []],
  [
    'another policy',
    { dns_cache_config: { name: 'a' } },
    { lb_policy: 'RANDOM' },
    ["cluster: cluster manager: cluster provided LB not specified but cluster 'c' provided one"],
  ],
  [
    'the policy alone',
    {},
    { cluster_type: null },
    [
      "cluster.lb_policy: cluster manager: cluster provided LB specified but cluster 'c' did not provide one. Check cluster documentation.",
    ],
  ],
  [
    'clusters below it',
    { sub_clusters_config: {} },
    {},
    ["cluster.cluster_type.typed_config.sub_clusters_config: field 'sub_clusters_config' is not supported by sekisho"],
  ],
])('%s', (_, config, more, reasons) => {
  expect(decode(config, more).reasons).toEqual(reasons);
});

test('the filter that asks for names by SNI', () => {
  const read = (json: Json): unknown => {
    const reasons = new Reasons();
    const bytes = toBinary(FilterConfigSchema, fromJson(FilterConfigSchema, json));
    const data = sniProxyDecoder.decode(bytes, reasons, extensions);
    return reasons.isEmpty ? data : reasons.list.map(({ message }) => message);
  };
  expect(read({ dns_cache_config: { name: 'a' } })).toEqual({ cache: { name: 'a', maxPending: 1024 }, port: 443 });
  expect(read({ dns_cache_config: { name: 'a' }, port_value: 8443 })).toMatchObject({ port: 8443 });
  expect(read({ save_upstream_address: true })).toEqual(["field 'save_upstream_address' is not supported by sekisho"]);
});

test('one name is one cache: another that says otherwise is refused, wherever it stands', () => {
  extensions.dnsCaches = new Map();
  try {
    expect(decode({ dns_cache_config: { name: 'a', max_hosts: 1 } }).reasons).toEqual([]);
    expect(decode({ dns_cache_config: { name: 'a', max_hosts: 1 } }).reasons).toEqual([]);
    expect(decode({ dns_cache_config: { name: 'b', max_hosts: 2 } }).reasons).toEqual([]);
    const words = "config specified DNS cache 'a' with different settings";
    expect(decode({ dns_cache_config: { name: 'a', max_hosts: 2 } }).reasons).toEqual([
      `cluster.cluster_type.typed_config.dns_cache_config: ${words}`,
    ]);
    const reasons = new Reasons('filter');
    const config = fromJson(HttpFilterConfigSchema, { dns_cache_config: { name: 'a', max_hosts: 3 } });
    dynamicForwardProxyDecoder.decode(toBinary(HttpFilterConfigSchema, config), reasons, extensions);
    expect(reasons.list).toMatchObject([{ path: 'filter.dns_cache_config', message: words }]);
  } finally {
    delete extensions.dnsCaches;
  }
});

test('the HTTP filter names its cache, and routes name hosts', () => {
  const reasons = new Reasons('filter');
  const filter = (json: Json): unknown =>
    dynamicForwardProxyDecoder.decode(
      toBinary(HttpFilterConfigSchema, fromJson(HttpFilterConfigSchema, json)),
      reasons,
      extensions,
    );
  const route = (json: Json): unknown =>
    dynamicForwardProxyPerRouteDecoder.decode(
      toBinary(PerRouteConfigSchema, fromJson(PerRouteConfigSchema, json)),
      reasons,
      extensions,
    );
  expect(filter({ dns_cache_config: { name: 'a' } })).toEqual({
    cache: { name: 'a', maxPending: 1024 },
    followsState: false,
  });
  expect(route({ host_rewrite_literal: 'a.test' })).toEqual({ literal: 'a.test', header: '' });
  expect(route({ host_rewrite_header: 'X-To' })).toEqual({ literal: '', header: 'x-to' });
  expect(reasons.list).toEqual([]);
  filter({ sub_cluster_config: {}, save_upstream_address: true });
  expect(reasons.list.map(({ path }) => path)).toEqual(['filter.sub_cluster_config', 'filter.save_upstream_address']);
});
