import type { Message } from './proxy-config.ts';

/** Addresses of the listeners that a bootstrap has: those of both families where the node has both. */
export interface ListenerPlace {
  readonly address: string;
  /** Null: one family only. */
  readonly additionalAddress: string | null;
  readonly port: number;
}

const compressedTypes = [
  'text/plain',
  'application/vnd.google.protobuf',
  'application/openmetrics-text',
  'application/openmetrics-protobuf',
];
const compressors = [
  ['brotli', 'Brotli'],
  ['zstd', 'Zstd'],
  ['gzip', 'Gzip'],
] as const;

const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
};

/** What Prometheus reads: the admin's page of stats. */
export function prometheusListener(place: ListenerPlace, isCompressed: boolean): Message {
  const filters = isCompressed ? [...compressors.map(([name, type]) => compressor(name, type)), router] : [router];
  return listener(place, 'stats', '/stats/prometheus', 'prometheus_stats', filters, {});
}

/** What the kubelet asks: whether the agent says that the proxy is ready. */
export function statusListener(place: ListenerPlace, takesProxyProtocol: boolean): Message {
  const more = takesProxyProtocol
    ? {
        listener_filters: [
          {
            name: 'envoy.listener.proxy_protocol',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol',
              allow_requests_without_proxy_protocol: true,
            },
          },
        ],
      }
    : {};
  return listener(place, 'agent', '/healthz/ready', 'agent', [router], more);
}

function listener(
  { address, additionalAddress, port }: ListenerPlace,
  statPrefix: string,
  path: string,
  cluster: string,
  filters: readonly Message[],
  more: Message,
): Message {
  const socket = (at: string): Message => ({ socket_address: { protocol: 'TCP', address: at, port_value: port } });
  return {
    name: `${address}_${port}`,
    address: socket(address),
    ignore_global_conn_limit: true,
    bypass_overload_manager: true,
    ...(additionalAddress === null ? {} : { additional_addresses: [{ address: socket(additionalAddress) }] }),
    ...more,
    filter_chains: [{ filters: [connectionManager(statPrefix, path, cluster, filters)] }],
  };
}

function connectionManager(statPrefix: string, path: string, cluster: string, filters: readonly Message[]): Message {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      codec_type: 'AUTO',
      stat_prefix: statPrefix,
      route_config: {
        virtual_hosts: [{ name: 'backend', domains: ['*'], routes: [{ match: { prefix: path }, route: { cluster } }] }],
      },
      http_filters: filters,
    },
  };
}

function compressor(name: string, type: string): Message {
  return {
    name: `envoy.filters.http.compressor.${name}`,
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.compressor.v3.Compressor',
      compressor_library: {
        name: `stats_${name}`,
        typed_config: {
          '@type': `type.googleapis.com/envoy.extensions.compression.${name}.compressor.v3.${type}`,
        },
      },
      response_direction_config: { common_config: { content_type: compressedTypes } },
    },
  };
}
