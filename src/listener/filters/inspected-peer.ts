import { noProtocols, type Address, type Peer, type ProxyTlv, type SourceAddress } from '../../core/peer.ts';
import type { TlsFacts } from '../../core/tls-facts.ts';

const noTlvs: readonly ProxyTlv[] = [];

/** The ends of a connection, with what listener filters have found out. */
export class InspectedPeer implements Peer {
  serverName: string;
  readonly alpn: string;
  transportProtocol: 'raw_buffer' | 'tls';
  applicationProtocols: readonly string[];
  ja3: string;
  ja4: string;
  readonly tls: TlsFacts | null;
  proxyTlvs: readonly ProxyTlv[];
  dynamicMetadata: Map<string, Record<string, unknown>> | null;
  transportFailureReason: string;
  source: SourceAddress | null;
  private readonly socket: Peer;
  private restoredRemote: Address | null;
  private restoredLocal: Address | null;

  /** `socket`: as it was accepted. */
  constructor(socket: Peer) {
    this.serverName = socket.serverName;
    this.alpn = socket.alpn;
    this.transportProtocol = socket.transportProtocol;
    this.applicationProtocols = noProtocols;
    this.ja3 = '';
    this.ja4 = '';
    this.tls = socket.tls;
    this.proxyTlvs = noTlvs;
    const passed = socket.dynamicMetadata ?? null;
    this.dynamicMetadata = passed === null ? null : new Map(passed as ReadonlyMap<string, Record<string, unknown>>);
    this.transportFailureReason = '';
    this.source = null;
    this.socket = socket;
    this.restoredRemote = null;
    this.restoredLocal = null;
  }

  get remote(): Address {
    return this.restoredRemote ?? this.socket.remote;
  }

  get local(): Address {
    return this.restoredLocal ?? this.socket.local;
  }

  get originalDestination(): Address | null {
    return this.socket.originalDestination ?? null;
  }

  get filterState(): ReadonlyMap<string, unknown> | null {
    return this.socket.filterState ?? null;
  }

  get directRemote(): Address {
    return this.socket.directRemote;
  }

  get directLocal(): Address {
    return this.socket.directLocal;
  }

  /** Who really speaks, and whom it called. */
  restore(remote: Address, local: Address): void {
    this.restoredRemote = remote;
    this.restoredLocal = local;
  }

  note(namespace: string, key: string, value: unknown): void {
    this.dynamicMetadata ??= new Map();
    const struct = this.dynamicMetadata.get(namespace);
    if (struct === undefined) this.dynamicMetadata.set(namespace, { [key]: value });
    else struct[key] = value;
  }
}
