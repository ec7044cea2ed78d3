import { cluster, tcp, type Yaml } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const filters = 'type.googleapis.com/envoy.extensions.filters';

/** Who connects says by SNI whom they want, which the listener reads without taking part in the handshake. */
const inspected = `{ listener_filters: [{ name: tls_inspector, typed_config: { '@type': ${filters}.listener.tls_inspector.v3.TlsInspector } }] }`;

function behind(name: string, filter: Yaml, upstream: string, clusters: readonly Yaml[], rows: readonly Row[]): Group {
  return {
    name: `TLS passed through: ${name}`,
    config: tcp(`cluster: ${upstream}`, clusters, {
      listener: inspected,
      log: ['REQUESTED_SERVER_NAME', 'UPSTREAM_HOST_NAME', 'FILTER_STATE(envoy.tcp_proxy.cluster:PLAIN)'],
      chains: (own) => [{ filters: [filter, ...own] }],
    }),
    origins: { secure: { certificate: 'server' } },
    tls: { alpn: ['http/1.1'] },
    rows,
  };
}

/** Signatures of one key are of several lengths. */
const handshake = /\.(sent|received)$/;

/** The client's first bytes may be unread when the proxy closes. */
const unreached: Pick<Row, 'until' | 'waitMs' | 'logLines' | 'ignores'> = {
  until: 'closed',
  waitMs: 1500,
  logLines: 1,
  ignores: /\.end$|\.tls\./,
};

const sniCluster = {
  name: 'envoy.filters.network.sni_cluster',
  typed_config: { '@type': `${filters}.network.sni_cluster.v3.SniCluster` },
};

const byCluster = behind(
  'sni_cluster',
  sniCluster,
  'echo',
  [cluster('server.test', ['secure']), cluster('echo', ['echo'])],
  [
    { name: 'a name that is a cluster', ignores: handshake },
    { name: 'one that is none', tls: { serverName: 'nobody.test' }, ...unreached },
    { name: 'no name', tls: null, raw: ['hello', 50, 'end'], answers: 0, until: 'closed', logLines: 1 },
  ],
);

const cache = { name: 'names', dns_lookup_family: 'V4_ONLY' };
const dynamicCluster = {
  name: 'dynamic',
  connect_timeout: '1s',
  lb_policy: 'CLUSTER_PROVIDED',
  cluster_type: {
    name: 'envoy.clusters.dynamic_forward_proxy',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig',
      dns_cache_config: cache,
    },
  },
};
const sniProxy = (more: Yaml = {}): Yaml => ({
  name: 'envoy.filters.network.sni_dynamic_forward_proxy',
  typed_config: {
    '@type': `${filters}.network.sni_dynamic_forward_proxy.v3.FilterConfig`,
    dns_cache_config: { ...cache, ...more },
    port_value: '{{secure}}',
  },
});

const byName = behind(
  'sni_dynamic_forward_proxy',
  sniProxy(),
  'dynamic',
  [dynamicCluster],
  [
    { name: 'a name with an address', tls: { serverName: 'localhost' }, stats: /^dns_cache\./, ignores: handshake },
    { name: 'once more', tls: { serverName: 'localhost' }, stats: /^dns_cache\./, ignores: handshake },
    { name: 'a name without', tls: { serverName: 'nobody.invalid' }, stats: /^dns_cache\./, ...unreached },
    { name: 'no name', tls: { serverName: null }, stats: /^dns_cache\./, ...unreached },
  ],
);

/** Groups about TLS that ends behind the proxy. */
export const tlsPassthrough: readonly Group[] = [byCluster, byName];
