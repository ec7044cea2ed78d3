import type { Headers } from '../../core/headers.ts';
import { Verdict, type HttpFilter } from '../../filter/filter.ts';

/** Where a message stands among the filters. */
const Pass = {
  Flowing: 0,
  /** A filter said Stop: whatever follows waits in the queue. */
  Stopped: 1,
  /** A filter said StopAndBuffer: body is shown to the filters up to it and kept behind it. */
  Buffering: 2,
  /** Answered from elsewhere or ended: nothing passes any more. */
  Cut: 3,
} as const;
type Pass = (typeof Pass)[keyof typeof Pass];

/** Held back while a filter has stopped the message. */
interface Held {
  readonly chunk: Uint8Array | null;
  readonly trailers: Headers | null;
  readonly end: boolean;
}

/**
 * One half of a stream on its way through the filters, in strict order: an event that a filter stopped goes on behind
 * that filter, and only then do later events start at the first one.
 */
export abstract class FilterPass<Head> {
  private pass: Pass;
  private stoppedRank: number;
  private stoppedHead: Head | null;
  private stoppedHeadEnd: boolean;
  /** The event that `Stop` caught, when it was not the head. */
  private stoppedEvent: Held | null;
  private queue: Held[] | null;
  private bodyKept: Uint8Array[] | null;
  private heldSize: number;
  private isHoldingTooMuch: boolean;
  private isResuming: boolean;

  constructor() {
    this.pass = Pass.Flowing;
    this.stoppedRank = -1;
    this.stoppedHead = null;
    this.stoppedHeadEnd = false;
    this.stoppedEvent = null;
    this.queue = null;
    this.bodyKept = null;
    this.heldSize = 0;
    this.isHoldingTooMuch = false;
    this.isResuming = false;
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

  get heldBody(): readonly Uint8Array[] {
    return this.bodyKept ?? [];
  }

  get isCut(): boolean {
    return this.pass === Pass.Cut;
  }

  passHead(head: Head, end: boolean): void {
    if (this.headHooks().length === 0) this.deliverHead(head, end);
    else this.headFrom(head, end, 0);
  }

  passData(chunk: Uint8Array, end: boolean): void {
    switch (this.pass) {
      case Pass.Flowing:
        if (this.dataHooks().length === 0) this.deliverData(chunk, end);
        else this.dataFrom(chunk, end, 0);
        return;
      case Pass.Buffering:
        this.dataFrom(chunk, end, 0);
        return;
      case Pass.Stopped:
        this.hold({ chunk, trailers: null, end }, chunk.length);
        return;
      case Pass.Cut:
    }
  }

  passTrailers(trailers: Headers): void {
    switch (this.pass) {
      case Pass.Flowing:
        if (this.trailersHooks().length === 0) this.deliverTrailers(trailers);
        else this.trailersFrom(trailers, 0);
        return;
      case Pass.Buffering:
        // The body is complete: whoever waited for it sees the trailers next, and everything kept goes on.
        this.trailersFrom(trailers, 0);
        return;
      case Pass.Stopped:
        this.hold({ chunk: null, trailers, end: true }, 0);
        return;
      case Pass.Cut:
    }
  }

  /** Nothing of this half goes any further. */
  cut(): void {
    this.pass = Pass.Cut;
    this.queue = null;
    this.bodyKept = null;
    this.stoppedHead = null;
    this.stoppedEvent = null;
  }

  /** The filter that stopped the message lets it go on. Ignored from any other. */
  resume(filter: HttpFilter): void {
    if (this.pass !== Pass.Stopped && this.pass !== Pass.Buffering) return;
    if (this.rankOf(filter) !== this.stoppedRank || this.isResuming) return;
    this.isResuming = true;
    this.releaseFrom(this.stoppedRank + 1);
    this.isResuming = false;
    this.drainQueue();
  }

  /** Data that a filter took (`Verdict.Take`) and now gives on behind itself. */
  inject(filter: HttpFilter, chunk: Uint8Array, end: boolean): void {
    if (this.pass === Pass.Cut) return;
    const rank = this.rankOf(filter);
    const isOwnStop = this.pass === Pass.Stopped && this.stoppedRank === rank;
    if (isOwnStop) this.pass = Pass.Flowing;
    this.dataFrom(chunk, end, rank + 1);
    // It stopped the trailers until its data is gone; they still wait.
    if (isOwnStop && this.pass === Pass.Flowing) this.pass = Pass.Stopped;
  }

  private headFrom(head: Head, end: boolean, from: number): void {
    for (const rank of this.headHooks()) {
      if (rank < from) continue;
      const verdict = this.callHead(rank, head, end);
      if (this.pass === Pass.Cut) return;
      if (verdict === Verdict.Continue) continue;
      this.stop(verdict, rank);
      this.stoppedHead = head;
      this.stoppedHeadEnd = end;
      return;
    }
    this.deliverHead(head, end);
  }

  private dataFrom(chunk: Uint8Array, end: boolean, from: number): void {
    for (const rank of this.dataHooks()) {
      if (rank < from) continue;
      const isWaiting = this.pass === Pass.Buffering && rank === this.stoppedRank;
      const verdict = this.callData(rank, chunk, end);
      if (this.isCut) return;
      if (verdict === Verdict.Continue) {
        if (isWaiting) this.releaseFrom(rank + 1);
        if (this.pass !== Pass.Flowing) return;
        continue;
      }
      if (verdict === Verdict.Take) return;
      if (verdict === Verdict.StopAndBuffer) {
        this.stop(verdict, rank);
        this.keep(chunk);
        if (end) this.stoppedEvent = { chunk: null, trailers: null, end };
        return;
      }
      this.stop(verdict, rank);
      this.stoppedEvent = { chunk, trailers: null, end };
      return;
    }
    if (this.pass === Pass.Flowing) this.deliverData(chunk, end);
    else this.keep(chunk);
  }

  private trailersFrom(trailers: Headers, from: number): void {
    for (const rank of this.trailersHooks()) {
      if (rank < from) continue;
      const verdict = this.callTrailers(rank, trailers);
      if (this.isCut) return;
      if (verdict === Verdict.Continue) continue;
      this.stop(Verdict.Stop, rank);
      this.stoppedEvent = { chunk: null, trailers, end: true };
      return;
    }
    if (this.pass === Pass.Buffering) this.releaseFrom(this.stoppedRank + 1);
    if (this.pass === Pass.Flowing) this.deliverTrailers(trailers);
  }

  private stop(verdict: Verdict, rank: number): void {
    this.pass = verdict === Verdict.Stop ? Pass.Stopped : Pass.Buffering;
    this.stoppedRank = rank;
  }

  /** Sends the stopped head, the kept body and the stopped event on behind the filter that held them. */
  private releaseFrom(from: number): void {
    const head = this.stoppedHead;
    const body = this.bodyKept;
    const event = this.stoppedEvent;
    this.pass = Pass.Flowing;
    this.stoppedHead = null;
    this.bodyKept = null;
    this.stoppedEvent = null;
    if (body !== null) this.released(body.reduce((sum, chunk) => sum + chunk.length, 0));
    if (head !== null) this.headFrom(head, this.stoppedHeadEnd, from);
    const endsWithBody = event !== null && event.end && event.trailers === null && event.chunk === null;
    const chunks = body ?? [];
    for (let i = 0; i < chunks.length; i++) {
      this.later(chunks[i], endsWithBody && i === chunks.length - 1, from);
    }
    if (event === null || (endsWithBody && body !== null && body.length > 0)) return;
    if (event.trailers !== null) this.laterTrailers(event.trailers, from);
    else this.later(event.chunk ?? new Uint8Array(0), event.end, from);
  }

  private later(chunk: Uint8Array, end: boolean, from: number): void {
    if (this.pass === Pass.Stopped) this.hold({ chunk, trailers: null, end }, chunk.length);
    else if (this.pass !== Pass.Cut) this.dataFrom(chunk, end, from);
  }

  private laterTrailers(trailers: Headers, from: number): void {
    if (this.pass === Pass.Stopped) this.hold({ chunk: null, trailers, end: true }, 0);
    else if (this.pass !== Pass.Cut) this.trailersFrom(trailers, from);
  }

  private drainQueue(): void {
    while (this.queue !== null && this.queue.length > 0 && this.pass !== Pass.Stopped && this.pass !== Pass.Cut) {
      const held = this.queue.shift()!;
      if (held.trailers !== null) {
        this.passTrailers(held.trailers);
      } else {
        this.released(held.chunk!.length);
        this.passData(held.chunk!, held.end);
      }
    }
  }

  private hold(held: Held, size: number): void {
    this.queue ??= [];
    this.queue.push(held);
    this.count(size, false);
  }

  private keep(chunk: Uint8Array): void {
    this.bodyKept ??= [];
    if (chunk.length > 0) this.bodyKept.push(chunk);
    this.count(chunk.length, true);
  }

  private count(size: number, buffered: boolean): void {
    this.heldSize += size;
    const max = this.heldBytesMax();
    if (max === 0 || this.heldSize <= max || this.isHoldingTooMuch) return;
    this.isHoldingTooMuch = true;
    this.onHoldingTooMuch(buffered);
  }

  private released(size: number): void {
    this.heldSize -= size;
    if (!this.isHoldingTooMuch || this.heldSize > this.heldBytesMax() / 2) return;
    this.isHoldingTooMuch = false;
    this.onHoldingLessAgain();
  }
}
