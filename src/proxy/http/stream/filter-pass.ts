import type { Headers } from '../../../core/headers.ts';
import { joined, unjoinedMax } from '../../../core/joined-bytes.ts';
import { Verdict, type HttpFilter } from '../../../filter/filter.ts';

const EventKind = { Head: 0, Data: 1, Trailers: 2 } as const;
type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** A piece of the message that waits. */
interface Held<Head> {
  readonly kind: EventKind;
  readonly head: Head | null;
  readonly chunk: Uint8Array | null;
  readonly trailers: Headers | null;
  readonly end: boolean;
}

const Mode = {
  /** The filter said Stop: whatever comes waits in front of it. */
  Stopped: 0,
  /** It said StopAndBuffer: it is shown what comes, and that waits behind it. */
  Buffering: 1,
  /** It lets go: what waits is on its way, and what comes meanwhile queues up behind that. */
  Releasing: 2,
} as const;
type Mode = (typeof Mode)[keyof typeof Mode];

/** A filter that holds the message up: Envoy's iteration state, which each filter has for itself. */
class Station<Head> {
  mode: Mode;
  /** Seen by the filter; goes on behind it. */
  readonly behind: Held<Head>[];
  /** Not seen by it yet. */
  readonly inFront: Held<Head>[];

  constructor(mode: Mode) {
    this.mode = mode;
    this.behind = [];
    this.inFront = [];
  }

  get isStopped(): boolean {
    return this.mode === Mode.Stopped;
  }
}

/** One half of a stream on its way through the filters, in strict order however they hold it up. */
export abstract class FilterPass<Head> {
  /** By rank; null: no filter holds anything up. */
  private stations: (Station<Head> | null)[] | null;
  private isOver: boolean;
  private heldSize: number;
  private isHoldingTooMuch: boolean;
  /** The filter that is being shown the head; -1: none. */
  private headRank: number;
  /** No filter has kept data so far, or the last one that did only waits: what is too much makes the sender wait. */
  private isStreaming: boolean;

  constructor() {
    this.stations = null;
    this.isOver = false;
    this.heldSize = 0;
    this.isHoldingTooMuch = false;
    this.headRank = -1;
    this.isStreaming = true;
  }

  /** Ranks of the filters that have each hook, ascending. */
  protected abstract headHooks(): readonly number[];
  protected abstract dataHooks(): readonly number[];
  protected abstract trailersHooks(): readonly number[];
  protected abstract rankOf(filter: HttpFilter): number;
  protected abstract callHead(rank: number, head: Head, end: boolean): Verdict;
  protected abstract callData(rank: number, chunk: Uint8Array, end: boolean): Verdict;
  protected abstract callTrailers(rank: number, trailers: Headers): Verdict;
  protected abstract deliverHead(head: Head, end: boolean): void;
  protected abstract deliverData(chunk: Uint8Array, end: boolean): void;
  protected abstract deliverTrailers(trailers: Headers): void;
  /** Bytes that may be held before `onHoldingTooMuch`; 0: no limit. */
  protected abstract heldBytesMax(): number;
  /** More is held than allowed: `buffered`, because a filter wants the whole body; else the sender is to be paused. */
  protected abstract onHoldingTooMuch(buffered: boolean): void;
  protected abstract onHoldingLessAgain(): void;

  /** Filters in Envoy hear of the end behind the last data, not with it. */
  protected get endComesAlone(): boolean {
    return false;
  }

  /** The body behind the first filter that buffers. */
  get heldBody(): readonly Uint8Array[] {
    const station = this.stations?.find((one) => one !== null && one.mode === Mode.Buffering);
    return station?.behind.flatMap(({ chunk }) => chunk ?? []) ?? [];
  }

  /** All of the body that waits at `filter`, which has said Stop. */
  bodyHeldBy(filter: HttpFilter): readonly Uint8Array[] {
    const station = this.stations?.[this.rankOf(filter)] ?? null;
    return station === null ? [] : [...station.behind, ...station.inFront].flatMap(({ chunk }) => chunk ?? []);
  }

  /** Answered from elsewhere or ended: nothing passes any more. */
  get isCut(): boolean {
    return this.isOver;
  }

  passHead(head: Head, end: boolean): void {
    if (this.headHooks().length === 0) this.deliverHead(head, end);
    else this.headFrom(head, end, 0);
  }

  passData(chunk: Uint8Array, end: boolean): void {
    if (this.isOver) return;
    if (this.stations === null && this.dataHooks().length === 0) this.deliverData(chunk, end);
    else this.dataFrom(chunk, end, 0);
  }

  passTrailers(trailers: Headers): void {
    if (this.isOver) return;
    if (this.stations === null && this.trailersHooks().length === 0) this.deliverTrailers(trailers);
    else this.trailersFrom(trailers, 0);
  }

  /** Nothing of this half goes any further. */
  cut(): void {
    this.isOver = true;
    this.stations = null;
  }

  /** The filter that stopped the message lets it go on. Ignored from any other. */
  resume(filter: HttpFilter): void {
    const rank = this.rankOf(filter);
    const station = this.stations?.[rank] ?? null;
    if (station !== null && station.mode !== Mode.Releasing) this.release(rank, station);
  }

  /**
   * Data that a filter gives on behind itself: in place of what it took (`Verdict.Take`), or a body that the message
   * had not. While the head is being shown to the filter, or is held up by it, the data waits behind the head. How much
   * of it there is, is the filter's to limit.
   */
  inject(filter: HttpFilter, chunk: Uint8Array, end: boolean): void {
    if (this.isOver) return;
    const rank = this.rankOf(filter);
    const station = this.headRank === rank ? this.stationAt(rank, Mode.Buffering) : (this.stations?.[rank] ?? null);
    const waiting = station === null ? -1 : station.behind.findLastIndex(({ kind }) => kind !== EventKind.Trailers);
    if (waiting < 0 && this.headRank !== rank) {
      this.dataFrom(chunk, end, rank + 1);
      return;
    }
    const { behind } = station!;
    if (waiting >= 0) behind[waiting] = { ...behind[waiting], end: false };
    behind.splice(waiting + 1, 0, { kind: EventKind.Data, head: null, chunk, trailers: null, end });
    this.heldSize += chunk.length;
  }

  /** Trailers behind what the filter took or injected, in place of the end. */
  injectTrailers(filter: HttpFilter, trailers: Headers): void {
    if (!this.isOver) this.trailersFrom(trailers, this.rankOf(filter) + 1);
  }

  private headFrom(head: Head, end: boolean, from: number): void {
    for (const rank of this.headHooks()) {
      if (rank < from) continue;
      this.headRank = rank;
      const verdict = this.callHead(rank, head, end);
      this.headRank = -1;
      if (this.isOver) return;
      const station = this.stations?.[rank] ?? null;
      if (verdict === Verdict.Continue && station === null) continue;
      // What the filter has injected already is behind the head.
      const event = { kind: EventKind.Head, head, chunk: null, trailers: null, end: end && station === null };
      if (verdict !== Verdict.Continue) {
        this.stop(rank, verdict, event);
        return;
      }
      station!.behind.unshift(event);
      this.release(rank, station!);
      return;
    }
    this.deliverHead(head, end);
  }

  private dataFrom(chunk: Uint8Array, end: boolean, from: number): void {
    let next = from;
    for (const rank of this.dataHooks()) {
      if (rank < from) continue;
      if (this.stations !== null && this.isHeldUp(EventKind.Data, chunk, null, end, next, rank)) return;
      const verdict = this.callData(rank, chunk, end);
      if (this.isOver || verdict === Verdict.Take) return;
      const station = this.stations?.[rank] ?? null;
      if (verdict !== Verdict.Continue) {
        this.stop(rank, verdict, { kind: EventKind.Data, head: null, chunk, trailers: null, end });
        return;
      }
      if (station !== null) {
        this.hold(station.behind, { kind: EventKind.Data, head: null, chunk, trailers: null, end }, true);
        this.release(rank, station);
        return;
      }
      next = rank + 1;
    }
    if (this.stations !== null && this.isHeldUp(EventKind.Data, chunk, null, end, next, Infinity)) return;
    this.deliverData(chunk, end);
  }

  private trailersFrom(trailers: Headers, from: number): void {
    let next = from;
    for (const rank of this.trailersHooks()) {
      if (rank < from) continue;
      if (this.stations !== null && this.isHeldUp(EventKind.Trailers, null, trailers, true, next, rank)) return;
      const verdict = this.callTrailers(rank, trailers);
      if (this.isOver) return;
      if (verdict !== Verdict.Continue) {
        this.stop(rank, Verdict.Stop, { kind: EventKind.Trailers, head: null, chunk: null, trailers, end: true });
        return;
      }
      const station = this.stations?.[rank] ?? null;
      // The body is complete: a filter that waited for it lets everything go.
      if (station !== null) this.release(rank, station);
      if (this.isOver) return;
      if (this.stations?.[rank] === station && station !== null) {
        // It held something up again on the way; it has seen the trailers, so they wait behind it.
        this.hold(station.behind, { kind: EventKind.Trailers, head: null, chunk: null, trailers, end: true }, false);
        return;
      }
      next = rank + 1;
    }
    if (this.stations !== null && this.isHeldUp(EventKind.Trailers, null, trailers, true, next, Infinity)) return;
    this.deliverTrailers(trailers);
  }

  /**
   * Whether an event that goes on at `from` is held up before the hook of `to` may be called. A filter that buffers and
   * has no hook for the event keeps data; trailers tell it that the body is complete, and it lets go.
   */
  private isHeldUp(
    kind: EventKind,
    chunk: Uint8Array | null,
    trailers: Headers | null,
    end: boolean,
    from: number,
    to: number,
  ): boolean {
    const stations = this.stations!;
    for (let rank = from; rank < stations.length && rank <= to; rank++) {
      const station = stations[rank];
      if (station === null || station === undefined) continue;
      if (station.mode === Mode.Buffering) {
        if (rank === to) return false;
        if (kind === EventKind.Trailers) {
          this.release(rank, station);
          if (this.isOver) return true;
          if (stations[rank] === null) continue;
        }
      }
      this.hold(station.inFront, { kind, head: null, chunk, trailers, end }, station.mode === Mode.Buffering);
      return true;
    }
    return false;
  }

  /** `event` has been seen by the filter of `rank`, which holds it up. */
  private stop(rank: number, verdict: Verdict, event: Held<Head>): void {
    const mode = verdict === Verdict.Stop ? Mode.Stopped : Mode.Buffering;
    const station = this.stationAt(rank, mode);
    if (event.kind === EventKind.Head) station.behind.unshift(event);
    else {
      this.isStreaming = mode === Mode.Stopped;
      this.hold(station.behind, event, mode === Mode.Buffering);
    }
  }

  private stationAt(rank: number, mode: Mode): Station<Head> {
    this.stations ??= [];
    while (this.stations.length <= rank) this.stations.push(null);
    const station = (this.stations[rank] ??= new Station<Head>(mode));
    station.mode = mode;
    return station;
  }

  /** Lets go of everything at the filter of `rank`, in order, until it stops the message again. */
  private release(rank: number, station: Station<Head>): void {
    station.mode = Mode.Releasing;
    while (!this.isOver && !station.isStopped) {
      const seen = station.mode === Mode.Releasing ? station.behind.shift() : undefined;
      if (seen !== undefined) {
        this.letGo(seen);
        this.advance(seen, rank + 1);
        continue;
      }
      const unseen = station.inFront.shift();
      if (unseen === undefined) {
        if (station.mode === Mode.Releasing) this.stations![rank] = null;
        return;
      }
      this.letGo(unseen);
      this.offer(unseen, rank, station);
    }
  }

  /** Shows a waiting event to the filter that it waited for. */
  private offer(event: Held<Head>, rank: number, station: Station<Head>): void {
    let verdict: Verdict = Verdict.Continue;
    if (event.kind === EventKind.Data && this.dataHooks().includes(rank))
      verdict = this.callData(rank, event.chunk!, event.end);
    if (event.kind === EventKind.Trailers && this.trailersHooks().includes(rank))
      verdict = this.callTrailers(rank, event.trailers!);
    if (this.isOver || verdict === Verdict.Take) return;
    if (verdict === Verdict.Continue) {
      if (station.mode === Mode.Releasing) {
        this.advance(event, rank + 1);
        return;
      }
      // It buffered anew on the way, and has enough now.
      this.hold(station.behind, event, true);
      station.mode = Mode.Releasing;
      return;
    }
    station.mode = verdict === Verdict.Stop || event.kind === EventKind.Trailers ? Mode.Stopped : Mode.Buffering;
    this.isStreaming = station.isStopped;
    this.hold(station.behind, event, station.mode === Mode.Buffering);
  }

  private advance(event: Held<Head>, from: number): void {
    switch (event.kind) {
      case EventKind.Head:
        this.headFrom(event.head!, event.end, from);
        return;
      case EventKind.Data:
        this.dataFrom(event.chunk!, event.end, from);
        return;
      case EventKind.Trailers:
        this.trailersFrom(event.trailers!, from);
    }
  }

  private hold(list: Held<Head>[], event: Held<Head>, buffered: boolean): void {
    const size = event.chunk === null ? 0 : event.chunk.length;
    // Nothing is not worth keeping, unless it ends the message.
    if (event.kind === EventKind.Data && size === 0 && !event.end) return;
    if (!joinedToLast(list, event)) list.push(event);
    this.heldSize += size;
    const max = this.heldBytesMax();
    if (max === 0 || this.heldSize <= max || this.isHoldingTooMuch) return;
    this.isHoldingTooMuch = true;
    // As Envoy: data that ends the message is let go, however much it is, where no filter has kept any before.
    this.onHoldingTooMuch(buffered && (!this.isStreaming || this.endComesAlone));
  }

  private letGo(event: Held<Head>): void {
    if (event.chunk === null) return;
    this.heldSize -= event.chunk.length;
    if (!this.isHoldingTooMuch || this.heldSize > this.heldBytesMax() / 2) return;
    this.isHoldingTooMuch = false;
    this.onHoldingLessAgain();
  }
}

/** Whether the data of `event` could join those held last. */
function joinedToLast<Head>(list: Held<Head>[], event: Held<Head>): boolean {
  if (event.chunk === null || list.length <= unjoinedMax) return false;
  const last = list[list.length - 1];
  if (last.chunk === null) return false;
  const chunk = joined(last.chunk, event.chunk);
  if (chunk === null) return false;
  list[list.length - 1] = { ...event, chunk };
  return true;
}
