import { proxyProtocolHeader, proxyProtocolLocalHeader } from '../../codec/proxy-protocol.ts';
import { latin1 } from '../../core/bytes.ts';
import type { Connection } from '../../core/connection.ts';
import { formatAddress, type Address, type Peer, type ProxyTlv } from '../../core/peer.ts';
import type { DialHandler, Dialing, DialOptions } from '../../net/network.ts';
import type { TransportOptions, UpstreamTransport } from '../../net/transport.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import type { ProxyProtocolSocketData } from './transport-data.ts';

/** Connections that begin with a PROXY protocol header, which says whose they are. */
export class ProxyProtocolTransport implements UpstreamTransport {
  readonly isSecure: boolean;
  private readonly data: ProxyProtocolSocketData;
  private readonly inner: UpstreamTransport;
  private readonly txBytes: Counter;

  /** `inner`: dials through a PrologueNetwork. `txBytes`: where the header's bytes count. */
  constructor(data: ProxyProtocolSocketData, inner: UpstreamTransport, txBytes: Counter) {
    this.isSecure = inner.isSecure;
    this.data = data;
    this.inner = inner;
    this.txBytes = txBytes;
  }

  dial(address: Address, options: DialOptions, wanted: TransportOptions, handler: DialHandler): Dialing {
    const prologue = (connection: Connection): Uint8Array => {
      const header = this.header(connection, wanted.downstream);
      this.txBytes.add(header.length);
      return header;
    };
    return this.inner.dial(address, { ...options, prologue }, wanted, handler);
  }

  downstreamKey(downstream: Peer): string {
    const ends = `${formatAddress(downstream.remote)} ${formatAddress(downstream.local)}`;
    const { proxyTlvs } = downstream;
    if (!this.data.isTlvInKey || proxyTlvs === undefined) return ends;
    return [ends, ...proxyTlvs.map(({ type, value }) => `${type}:${latin1(value, 0, value.length)}`)].join(' ');
  }

  release(): void {
    this.inner.release?.();
  }

  private header(connection: Connection, downstream: Peer | null): Uint8Array {
    const { version, addedTlvs } = this.data;
    if (downstream === null) {
      const { local, remote } = connection.peer;
      return version === 1 ? proxyProtocolHeader(1, local, remote) : Uint8Array.from(proxyProtocolLocalHeader);
    }
    const passed = (downstream.proxyTlvs ?? []).filter((tlv) => this.passes(tlv));
    return proxyProtocolHeader(version, downstream.remote, downstream.local, [...addedTlvs, ...passed]);
  }

  /** What is added has its type for itself. */
  private passes({ type }: ProxyTlv): boolean {
    const { passedTlvs, addedTlvs } = this.data;
    if (addedTlvs.some((added) => added.type === type)) return false;
    return passedTlvs === 'all' || passedTlvs.includes(type);
  }
}
