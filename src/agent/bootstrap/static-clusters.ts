import { AgentError } from '../agent-error.ts';
import { textIn } from './node-metadata.ts';
import type { Message } from './proxy-config.ts';

const httpOptionsName = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const http2Options = {
  typed_extension_protocol_options: {
    [httpOptionsName]: {
      '@type': `type.googleapis.com/${httpOptionsName}`,
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};
const manyRequests = { max_connections: 100000, max_pending_requests: 100000, max_requests: 100000 };

/** A cluster of this machine: the admin, or the agent. */
export function localCluster(name: string, address: string, port: number): Message {
  return {
    name,
    alt_stat_name: `${name};`,
    type: 'STATIC',
    connect_timeout: '0.250s',
    lb_policy: 'ROUND_ROBIN',
    load_assignment: oneEndpoint(name, { socket_address: { protocol: 'TCP', address, port_value: port } }),
  };
}

/** A gRPC service behind a Unix socket. */
export function socketCluster(name: string, path: string): Message {
  return {
    name,
    alt_stat_name: `${name};`,
    type: 'STATIC',
    ...http2Options,
    connect_timeout: '1s',
    lb_policy: 'ROUND_ROBIN',
    load_assignment: oneEndpoint(name, { pipe: { path } }),
  };
}

/** The control plane, as it is reached through the agent. */
export function controlPlaneCluster(path: string): Message {
  return {
    ...socketCluster('xds-grpc', path),
    circuit_breakers: {
      thresholds: [
        { priority: 'DEFAULT', ...manyRequests },
        { priority: 'HIGH', ...manyRequests },
      ],
    },
    upstream_connection_options: { tcp_keepalive: { keepalive_time: 300 } },
    max_requests_per_connection: 1,
  };
}

export interface RemoteOptions {
  readonly name: string;
  /** `host:port`; the host `$(HOST_IP)` is that of the node. */
  readonly address: string;
  readonly hostAddress: string;
  readonly dnsLookupFamily: string;
  readonly isHttp2: boolean;
  /** ClientTLSSettings; undefined: none. */
  readonly tls: Message | undefined;
  readonly refreshRate?: string;
  readonly keepalive?: Message;
}

/** A service elsewhere, found by its name: a tracer, an access-log service or a metrics service. */
export function remoteCluster(options: RemoteOptions): Message {
  const { name, isHttp2, refreshRate, keepalive } = options;
  const socket = transportSocket(options);
  return {
    name,
    alt_stat_name: `${name};`,
    ...(socket === null ? {} : { transport_socket: socket }),
    ...(keepalive === undefined ? {} : { upstream_connection_options: { tcp_keepalive: keepaliveOf(keepalive) } }),
    type: 'STRICT_DNS',
    respect_dns_ttl: true,
    dns_lookup_family: options.dnsLookupFamily,
    ...(refreshRate === undefined ? {} : { dns_refresh_rate: refreshRate }),
    connect_timeout: '1s',
    lb_policy: 'ROUND_ROBIN',
    ...(isHttp2 ? http2Options : {}),
    load_assignment: oneEndpoint(name, { socket_address: socketAddress(options.address, options.hostAddress) }),
  };
}

/** @throws AgentError where it is no `host:port` */
export function socketAddress(address: string, hostAddress: string): Message {
  const found = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(address);
  if (found === null) throw new AgentError(`'${address}' is no host:port`);
  const host = found[1] ?? found[2];
  return { address: host === '$(HOST_IP)' && hostAddress !== '' ? hostAddress : host, port_value: Number(found[3]) };
}

function oneEndpoint(name: string, address: Message): Message {
  return { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
}

function keepaliveOf(written: Message): Message {
  const seconds = (text: unknown): number =>
    Math.trunc(Number(typeof text === 'string' ? text.replace(/s$/, '') : '0'));
  const probes = Number(written['probes'] ?? 0);
  const time = seconds(written['time']);
  const interval = seconds(written['interval']);
  return {
    ...(probes > 0 ? { keepalive_probes: probes } : {}),
    ...(time > 0 ? { keepalive_time: time } : {}),
    ...(interval > 0 ? { keepalive_interval: interval } : {}),
  };
}

const agentSource = {
  api_config_source: {
    api_type: 'GRPC',
    transport_api_version: 'V3',
    set_node_on_first_message_only: true,
    grpc_services: [{ envoy_grpc: { cluster_name: 'sds-grpc' } }],
  },
  resource_api_version: 'V3',
};

function transportSocket({ tls, name, isHttp2 }: RemoteOptions): Message | null {
  const mode = tls?.['mode'] ?? 'DISABLE';
  if (tls === undefined || mode === 'DISABLE') return null;
  const isMesh = mode === 'ISTIO_MUTUAL';
  const secret = (secretName: string): Message => ({
    name: secretName,
    // The workload's own is waited for as long as it takes.
    sds_config: { ...agentSource, ...(isMesh ? { initial_fetch_timeout: '0s' } : {}) },
  });
  const certificate = isMesh ? 'default' : `file-cert:${textIn(tls, 'clientCertificate')}~${textIn(tls, 'privateKey')}`;
  const root = isMesh ? 'ROOTCA' : `file-root:${textIn(tls, 'caCertificates')}`;
  const names = (tls['subjectAltNames'] ?? []) as readonly string[];
  const sni = tls['sni'] ?? (isMesh ? name : undefined);
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      ...(sni === undefined ? {} : { sni }),
      common_tls_context: {
        ...(isHttp2 ? { alpn_protocols: isMesh ? ['istio', 'h2'] : ['h2'] } : {}),
        ...(mode === 'SIMPLE' ? {} : { tls_certificate_sds_secret_configs: [secret(certificate)] }),
        combined_validation_context: {
          default_validation_context:
            names.length === 0 ? {} : { match_subject_alt_names: names.map((exact) => ({ exact })) },
          validation_context_sds_secret_config: secret(root),
        },
      },
    },
  };
}
