import { formatAddress, type Address, type Peer, type ProxyTlv, type SourceAddress } from '../../core/peer.ts';
import type { TlsFacts } from '../../core/tls-facts.ts';
import { buildFormat } from '../../observe/access-log/build.ts';
import type { Formatter } from '../../observe/format/formatter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { ProxyTlvsData } from './tcp-proxy-data.ts';

interface Entry {
  readonly type: number;
  readonly value: Uint8Array | Formatter;
}

/** `proxy_protocol_tlvs`: what upstreams are told of a client in the header of its connection. */
export class ProxyTlvs {
  private readonly entries: readonly Entry[];
  private readonly merge: ProxyTlvsData['merge'];

  constructor({ entries, merge }: ProxyTlvsData) {
    this.entries = entries.map(({ type, value }) => ({
      type,
      value: value instanceof Uint8Array ? value : buildFormat(value),
    }));
    this.merge = merge;
  }

  /** The client as the header is to tell of it. */
  of(outcome: Outcome): Peer | null {
    const { peer } = outcome;
    if (peer === null) return null;
    const given = peer.proxyTlvs ?? [];
    // A header of its own restored who speaks, even where it said no more.
    const hasHeader = given.length > 0 || formatAddress(peer.remote) !== formatAddress(peer.directRemote);
    if (!hasHeader) return new TellingPeer(peer, this.own(outcome));
    if (this.merge === 'add-if-absent') return peer;
    const own = this.own(outcome);
    if (this.merge === 'append') return new TellingPeer(peer, [...given, ...own]);
    return new TellingPeer(peer, [...own, ...given.filter(({ type }) => own.every((one) => one.type !== type))]);
  }

  private own(outcome: Outcome): ProxyTlv[] {
    return this.entries.map(({ type, value }) => ({
      type,
      value: value instanceof Uint8Array ? value : bytesOf(value.format(outcome)),
    }));
  }
}

/** `text`: a character per byte. */
function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** A client of which more is told than it has said. */
class TellingPeer implements Peer {
  readonly proxyTlvs: readonly ProxyTlv[];
  private readonly inner: Peer;

  constructor(inner: Peer, proxyTlvs: readonly ProxyTlv[]) {
    this.proxyTlvs = proxyTlvs;
    this.inner = inner;
  }

  get source(): SourceAddress | null {
    return this.inner.source ?? null;
  }

  get remote(): Address {
    return this.inner.remote;
  }

  get local(): Address {
    return this.inner.local;
  }

  get directRemote(): Address {
    return this.inner.directRemote;
  }

  get directLocal(): Address {
    return this.inner.directLocal;
  }

  get serverName(): string {
    return this.inner.serverName;
  }

  get alpn(): string {
    return this.inner.alpn;
  }

  get transportProtocol(): 'raw_buffer' | 'tls' {
    return this.inner.transportProtocol;
  }

  get applicationProtocols(): readonly string[] {
    return this.inner.applicationProtocols;
  }

  get ja3(): string {
    return this.inner.ja3;
  }

  get ja4(): string {
    return this.inner.ja4;
  }

  get tls(): TlsFacts | null {
    return this.inner.tls;
  }
}
