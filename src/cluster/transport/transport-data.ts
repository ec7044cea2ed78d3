import type { ProxyTlv } from '../../core/peer.ts';
import type { UpstreamTlsData } from '../../identity/tls-context-data.ts';

/** A transport socket of a cluster as plain data. */
export type TransportSocketData = RawSocketData | TlsSocketData | ProxyProtocolSocketData | InternalSocketData;

export interface RawSocketData {
  readonly kind: 'raw';
}

export interface TlsSocketData {
  readonly kind: 'tls';
  readonly tls: UpstreamTlsData;
}

/** `ProxyProtocolUpstreamTransport`. */
export interface ProxyProtocolSocketData {
  readonly kind: 'proxy-protocol';
  readonly inner: TransportSocketData;
  readonly version: 1 | 2;
  /** TLVs that the client's own header had: all, those of these types, or none. */
  readonly passedTlvs: 'all' | readonly number[];
  readonly addedTlvs: readonly ProxyTlv[];
  /** Connections are shared only by those whose TLVs are alike, too. */
  readonly isTlvInKey: boolean;
}

/** `InternalUpstreamTransport`. */
export interface InternalSocketData {
  readonly kind: 'internal';
  readonly inner: TransportSocketData;
  /** Namespaces of whose metadata an internal listener gets to know. */
  readonly passed: readonly { readonly of: 'host' | 'cluster'; readonly name: string }[];
}

/** A transport socket that a cluster's hosts may have, by what their metadata say. */
export interface TransportData {
  /** As configured; `default` is the cluster's own. Names its stats. */
  readonly name: string;
  /** Fields of `envoy.transport_socket_match`, and their values; null: the cluster's own, for hosts that no other takes. */
  readonly match: Readonly<Record<string, unknown>> | null;
  readonly socket: TransportSocketData;
}

export const rawSocket: RawSocketData = { kind: 'raw' };

/** Index 0 is the cluster's own. */
export const plainTransports: readonly TransportData[] = [{ name: 'default', match: null, socket: rawSocket }];

/** Whether SNI is the host's own name. */
export function namesHost(socket: TransportSocketData): boolean {
  return 'inner' in socket ? namesHost(socket.inner) : socket.kind === 'tls' && socket.tls.autoHostSni;
}

/** Whether what is carried is encrypted, so that ALPN may choose what it is. */
export function isSecure(socket: TransportSocketData): boolean {
  return 'inner' in socket ? isSecure(socket.inner) : socket.kind === 'tls';
}
