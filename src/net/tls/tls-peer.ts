import type { Address, Peer, ProxyTlv, SourceAddress } from '../../core/peer.ts';
import type { CertificateFacts, TlsFacts } from '../../core/tls-facts.ts';

/** The two ends of a TLS connection: those of what carries it, and what the handshake says. */
export class TlsPeer implements Peer {
  readonly transportProtocol: 'raw_buffer' | 'tls';
  /** Of a server, what tls_inspector saw: without it nobody asks, as in Envoy. */
  readonly serverName: string;
  alpn: string;
  tls: TlsFacts | null;
  transportFailureReason: string;
  /** Why our side refuses the other's certificate, in Envoy's words; empty: it does not. */
  verification: string;
  /** What was looked at: of a handshake that fails nothing else is known. */
  presented: readonly CertificateFacts[];
  /** The same in a sentence for the operator. */
  advice: string;
  /** The peer's chain was checked, and holds. */
  isVerified: boolean;
  private readonly below: Peer;

  constructor(below: Peer, serverName: string) {
    this.transportProtocol = 'tls';
    this.serverName = serverName;
    this.alpn = '';
    this.tls = null;
    this.transportFailureReason = '';
    this.verification = '';
    this.advice = '';
    this.presented = [];
    this.isVerified = false;
    this.below = below;
  }

  get remote(): Address {
    return this.below.remote;
  }

  get local(): Address {
    return this.below.local;
  }

  get directRemote(): Address {
    return this.below.directRemote;
  }

  get directLocal(): Address {
    return this.below.directLocal;
  }

  get applicationProtocols(): readonly string[] {
    return this.below.applicationProtocols;
  }

  get ja3(): string {
    return this.below.ja3;
  }

  get ja4(): string {
    return this.below.ja4;
  }

  get source(): SourceAddress | null {
    return this.below.source ?? null;
  }

  get proxyTlvs(): readonly ProxyTlv[] | undefined {
    return this.below.proxyTlvs;
  }

  get dynamicMetadata(): ReadonlyMap<string, unknown> | null {
    return this.below.dynamicMetadata ?? null;
  }

  get filterState(): ReadonlyMap<string, unknown> | null {
    return this.below.filterState ?? null;
  }
}
