import { noBytes } from '../../../core/bytes.ts';
import { upstreamWorkload } from '../../istio/workload/workload-lookup.ts';
import { downstreamPeerKey, upstreamPeerKey, type Workload } from '../../istio/workload/workload.ts';
import {
  NetworkVerdict,
  type FilteredStream,
  type NetworkFilter,
  type NetworkFilterFactory,
} from '../network-filter.ts';
import type { Exchange } from './exchange.ts';
import { FrameReader } from './frame.ts';

/** Undecided: nothing has been sent or received. */
const ExchangeState = { Undecided: 0, Reading: 1, Over: 2 } as const;
type ExchangeState = (typeof ExchangeState)[keyof typeof ExchangeState];

/** `istio.metadata_exchange` of a listener. */
export class DownstreamExchange implements NetworkFilterFactory {
  private readonly exchange: Exchange;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  create(): NetworkFilter {
    return new ExchangingClient(this.exchange);
  }
}

/** One client's connection: its frame comes first, and ours goes before anything else. */
class ExchangingClient implements NetworkFilter {
  private readonly exchange: Exchange;
  private state: ExchangeState;
  private reader: FrameReader | null;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
    this.state = ExchangeState.Undecided;
    this.reader = null;
  }

  onData(stream: FilteredStream, chunk: Uint8Array, end: boolean): NetworkVerdict {
    if (this.state === ExchangeState.Undecided) this.decide(stream);
    const { reader } = this;
    if (this.state !== ExchangeState.Reading || reader === null) return NetworkVerdict.Continue;
    reader.read(chunk);
    if (!reader.isOver) {
      this.exchange.countMissing(reader);
      if (end) this.finish(stream, reader, null);
      else stream.replace!(noBytes);
      return NetworkVerdict.Continue;
    }
    this.exchange.countMissing(reader);
    this.finish(stream, reader, reader.workload);
    return NetworkVerdict.Continue;
  }

  onWrite(stream: FilteredStream): void {
    if (this.state === ExchangeState.Undecided) this.decide(stream);
  }

  private decide(stream: FilteredStream): void {
    if (this.exchange.isAgreed(stream.peer.alpn)) {
      this.state = ExchangeState.Reading;
      this.reader = new FrameReader(this.exchange.moreLabels);
      stream.send!(this.exchange.takeFrame());
      return;
    }
    this.state = ExchangeState.Over;
    this.note(stream, null);
  }

  private finish(stream: FilteredStream, reader: FrameReader, told: Workload | null): void {
    this.state = ExchangeState.Over;
    this.reader = null;
    stream.replace!(reader.rest);
    this.note(stream, told);
  }

  private note(stream: FilteredStream, told: Workload | null): void {
    const { exchange } = this;
    const { remote } = stream.peer;
    const { filterState } = stream.notes;
    const { lookup } = exchange;
    const looked = told === null && remote.kind === 'ip' ? (lookup?.byAddress(remote.host) ?? null) : null;
    // As Istio: for gateways of servers, who is at the other end is looked up along.
    const outcome = told === null && lookup !== null ? stream.connectionOutcome?.() : undefined;
    if (outcome !== undefined) upstreamWorkload(lookup!, outcome)?.setIn(filterState, upstreamPeerKey, false);
    exchange.note(filterState, downstreamPeerKey, told, looked);
  }
}
