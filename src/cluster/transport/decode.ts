import type { Extensions } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { UpstreamTlsData } from '../../identity/tls-context-data.ts';
import { Cluster_TransportSocketMatchSchema, type Cluster } from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import { TransportSocketSchema, type TransportSocket } from '../../proto/envoy/config/core/v3/base_pb.js';
import {
  isSecure,
  rawSocket,
  type InternalSocketData,
  type ProxyProtocolSocketData,
  type TransportData,
  type TransportSocketData,
} from './transport-data.ts';

const supported = new SupportedFields(TransportSocketSchema, ['name', 'typed_config']);
const supportedMatch = new SupportedFields(Cluster_TransportSocketMatchSchema, ['name', 'match', 'transport_socket']);

const category = 'envoy.transport_sockets.upstream';
const rawBuffer = 'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer';
const tlsContext = 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';

/** All transport sockets that the cluster's hosts may have. */
export function decodeTransports(cluster: Cluster, reasons: Reasons, extensions: Extensions): TransportData[] {
  const own = decodeTransportSocket(cluster.transportSocket, reasons.at('transport_socket'), extensions);
  const matches = cluster.transportSocketMatches.map((match, i): TransportData => {
    const at = reasons.at('transport_socket_matches', i);
    supportedMatch.check(match, at);
    const socket = decodeTransportSocket(match.transportSocket, at.at('transport_socket'), extensions);
    return { name: match.name, match: match.match ?? {}, socket };
  });
  return [{ name: 'default', match: null, socket: own }, ...matches];
}

/** Absent: plain. Where it is refused, reasons were added. */
export function decodeTransportSocket(
  socket: TransportSocket | undefined,
  reasons: Reasons,
  extensions: Extensions,
): TransportSocketData {
  if (socket === undefined) return rawSocket;
  supported.check(socket, reasons);
  const config = socket.configType.case === 'typedConfig' ? socket.configType.value : undefined;
  const kind = config === undefined ? '' : config.typeUrl.slice(config.typeUrl.lastIndexOf('/') + 1);
  if (kind === rawBuffer || (config === undefined && socket.name === 'envoy.transport_sockets.raw_buffer'))
    return rawSocket;
  const opened = extensions.open(category, socket.name, config, reasons);
  if (opened === null) return rawSocket;
  return opened.kind === tlsContext
    ? { kind: 'tls', tls: opened.data as UpstreamTlsData }
    : (opened.data as ProxyProtocolSocketData | InternalSocketData);
}

/** A cluster that lets ALPN choose what it speaks needs ALPN. Envoy's words. */
export function refuseWithoutAlpn(name: string, transports: readonly TransportData[], reasons: Reasons): void {
  if (transports.every(({ socket }) => isSecure(socket))) return;
  reasons.add(`ALPN configured for cluster ${name} which has a non-ALPN transport socket`);
}
