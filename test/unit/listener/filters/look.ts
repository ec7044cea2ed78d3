import type { AcceptedConnection } from '../../../../src/core/connection.ts';
import type { Address, Peer } from '../../../../src/core/peer.ts';
import { InspectedPeer } from '../../../../src/listener/filters/inspected-peer.ts';
import { Verdict, type Inspected, type ListenerFilter } from '../../../../src/listener/filters/listener-filter.ts';

const remote: Address = { kind: 'ip', host: '192.0.2.7', port: 4000 };
const local: Address = { kind: 'ip', host: '10.0.0.1', port: 8080 };

export const socketPeer: Peer = {
  remote,
  local,
  directRemote: remote,
  directLocal: local,
  serverName: '',
  alpn: '',
  transportProtocol: 'raw_buffer',
  applicationProtocols: [],
  ja3: '',
  ja4: '',
  tls: null,
};

const names = new Map<Verdict, string>([
  [Verdict.Continue, 'continue'],
  [Verdict.NeedMore, 'more'],
  [Verdict.Close, 'close'],
]);

/** Bytes for a filter to look at, without a connection around them. */
export class Look implements Inspected {
  readonly connection: AcceptedConnection;
  readonly peer = new InspectedPeer(socketPeer);
  bytes: Uint8Array = new Uint8Array(0);
  progress = 0;
  private readonly filter: ListenerFilter;

  constructor(filter: ListenerFilter) {
    this.filter = filter;
    this.connection = null as unknown as AcceptedConnection;
  }

  consume(size: number): void {
    this.bytes = this.bytes.subarray(size);
  }

  /** What the filter thinks when these have come too. */
  give(bytes: Uint8Array | string): string {
    const more = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    this.bytes = Buffer.concat([this.bytes, more]);
    return names.get(this.filter.inspect(this))!;
  }

  get text(): string {
    return Buffer.from(this.bytes).toString('latin1');
  }
}
