import type { TlsFacts } from './tls-facts.ts';

/** An IP address and port, a Unix socket's path, or an internal listener's name. */
export interface Address {
  readonly kind: 'ip' | 'pipe' | 'internal';
  /** IP without brackets, path, or name. */
  readonly host: string;
  /** 0 for pipes and internal addresses. */
  readonly port: number;
  /** Of an internal address: tells endpoints with the same listener apart; absent: empty. */
  readonly endpointId?: string;
}

export function formatAddress(address: Address): string {
  if (address.kind === 'internal') return `envoy://${address.host}/${address.endpointId ?? ''}`;
  if (address.kind === 'pipe') return address.host;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** The socket's own two ends. Branded, since confusing them with the original destination is the classic mesh bug. */
export type RemoteAddress = Address & { readonly remote?: true };
export type LocalAddress = Address & { readonly local?: true };

/** One type-length-value of a PROXY protocol header. */
export interface ProxyTlv {
  readonly type: number;
  readonly value: Uint8Array;
}

/** What upstream connections leave from instead of an address of this machine. */
export interface SourceAddress {
  readonly host: string;
  /** SO_MARK of their sockets; 0: none. */
  readonly mark: number;
}

/** What is known of a connection's two ends. Filled by `net/` and by listener filters, before a filter chain is chosen. */
export interface Peer {
  readonly remote: RemoteAddress;
  /** Address as configured for this traffic: restored by original_dst or PROXY protocol, else the socket's own. */
  readonly local: LocalAddress;
  /** The socket's own peer and name, whatever listener filters restored. */
  readonly directRemote: RemoteAddress;
  readonly directLocal: LocalAddress;
  /** Where it was going before the kernel sent it here: asked each time; absent or null: nobody has redirected it. */
  readonly originalDestination?: LocalAddress | null;
  /** Empty without TLS or SNI. */
  readonly serverName: string;
  /** Empty if none was negotiated. */
  readonly alpn: string;
  /** What the client began to speak, as tls_inspector saw it, or what the transport socket speaks. */
  readonly transportProtocol: 'raw_buffer' | 'tls';
  /** What the client offers, in its order: by ALPN, or as http_inspector saw it. */
  readonly applicationProtocols: readonly string[];
  /** Fingerprints of the ClientHello, where tls_inspector was asked for them; empty otherwise. */
  readonly ja3: string;
  readonly ja4: string;
  /** Null: plain text, or the handshake is not complete. */
  readonly tls: TlsFacts | null;
  /** What a PROXY protocol header said besides addresses, for whoever passes it on; absent: nothing. */
  readonly proxyTlvs?: readonly ProxyTlv[] | undefined;
  /** What listener filters noted, as dynamic metadata: namespace → struct; absent or null: nothing. */
  readonly dynamicMetadata?: ReadonlyMap<string, unknown> | null;
  /** Objects of filter state that came with the connection, by their keys; absent or null: none. */
  readonly filterState?: ReadonlyMap<string, unknown> | null;
  /** Where connections for it leave from; absent or null: from this machine. */
  readonly source?: SourceAddress | null;
  /** Why tls_inspector takes it for no TLS, for logs of the connection; absent or empty: it does not. */
  readonly transportFailureReason?: string;
}

export const noProtocols: readonly string[] = [];
