import type { Timed } from '../../../core/clock.ts';
import { isGrpcRequest } from '../../../core/grpc-request.ts';
import type { RequestHead } from '../../../core/head.ts';
import { grpcStatusOf } from '../../../observe/format/grpc-status.ts';
import { Verdict, type FilterFactory, type HttpFilter, type Stream } from '../../filter.ts';
import { MessageCounts } from '../../grpc-stats/message-counts.ts';
import { downstreamPeerKey, noPeerKey, upstreamPeerKey, Workload } from '../workload/workload.ts';
import type { EndsSeries } from './series.ts';
import type { Telemetry } from './telemetry.ts';

/** UNAUTHENTICATED. */
const grpcStatusMax = 16;

/** `istio.stats` of requests. One for all streams: only gRPC streams have something of their own. */
export class RequestStats implements HttpFilter, FilterFactory {
  readonly readsOutcome: true;
  private readonly telemetry: Telemetry;
  /** Of gRPC streams under way. */
  private readonly calls: Map<Stream, CallReport>;

  constructor(telemetry: Telemetry) {
    this.readsOutcome = true;
    this.telemetry = telemetry;
    this.calls = new Map();
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    if (isGrpcRequest(head)) this.calls.set(stream, new CallReport(stream, this.telemetry));
    return Verdict.Continue;
  }

  onComplete(stream: Stream): void {
    const { telemetry } = this;
    const { outcome, clock } = stream;
    const call = this.calls.get(stream);
    if (call !== undefined) {
      this.calls.delete(stream);
      call.end();
    }
    const ends = call?.ends ?? telemetry.seriesOf(outcome, clock.now);
    const values = telemetry.valuesOf(outcome);
    const grpcStatus = call === undefined ? undefined : knownStatus(grpcStatusOf(outcome));
    const askedMs = telemetry.askedMs(clock.now);
    const series = ends.request(outcome.responseCode, outcome.flags, grpcStatus, values, askedMs);
    series.requests?.inc();
    series.duration?.record(outcome.endMs - outcome.startMs);
    series.requestBytes?.record(outcome.wireBytesReceived);
    series.responseBytes?.record(outcome.wireBytesSent);
    telemetry.recordOwn(values, clock.now);
  }
}

/** Counts the messages of one gRPC stream while it goes on. */
class CallReport implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  /** Known from the moment that the peer is, and at the end in any case; then the rest of the stream is told by the same. */
  ends: EndsSeries | null;
  private generation: number;
  private values: readonly string[];
  private readonly stream: Stream;
  private readonly telemetry: Telemetry;
  private toldRequests: number;
  private toldResponses: number;

  constructor(stream: Stream, telemetry: Telemetry) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.ends = null;
    this.generation = telemetry.generation;
    this.values = [];
    this.stream = stream;
    this.telemetry = telemetry;
    this.toldRequests = 0;
    this.toldResponses = 0;
    if (telemetry.reportMs > 0) stream.timers.schedule(this, stream.clock.now + telemetry.reportMs);
  }

  tick(now: number): void {
    this.tell(false);
    this.stream.timers.schedule(this, now + this.telemetry.reportMs);
  }

  end(): void {
    this.stream.timers.cancel(this);
    this.tell(true);
  }

  private tell(isEnd: boolean): void {
    const { telemetry, stream } = this;
    const { outcome, clock } = stream;
    telemetry.refresh(clock.now);
    if (this.ends !== null && this.generation !== telemetry.generation) this.ends = null;
    if (this.ends === null && (isEnd || isPeerRead(telemetry.reporter, outcome.filterState))) {
      this.ends = telemetry.seriesOf(outcome, clock.now);
      this.generation = telemetry.generation;
      this.values = telemetry.valuesOf(outcome);
    }
    const counts = outcome.filterState?.get(MessageCounts.key);
    if (this.ends === null || !(counts instanceof MessageCounts)) return;
    const { requests, responses } = this.ends.messages(this.values, telemetry.askedMs(clock.now));
    requests?.add(counts.requests - this.toldRequests);
    responses?.add(counts.responses - this.toldResponses);
    this.toldRequests = counts.requests;
    this.toldResponses = counts.responses;
  }
}

/** As Istio: a code that gRPC does not have is none. */
function knownStatus(status: number | null): number | null {
  return status !== null && status > grpcStatusMax ? -1 : status;
}

/** The peer is known, or it is known that it will not be. */
export function isPeerRead(reporter: string, state: ReadonlyMap<string, unknown> | null): boolean {
  if (state === null) return false;
  return (
    state.has(noPeerKey) || Workload.in(state, reporter === 'source' ? upstreamPeerKey : downstreamPeerKey) !== null
  );
}
