import { Headers } from '../../../../src/core/headers.ts';
import { Verdict, type HttpFilter } from '../../../../src/filter/filter.ts';
import { FilterPass } from '../../../../src/proxy/http/stream/filter-pass.ts';

/** A filter whose verdicts are written down beforehand; when they have run out it lets everything pass. */
export class ScriptedFilter implements HttpFilter {
  /** What it has seen: `head`, the text of each chunk, `trailers`, and `end` where something ended the message. */
  readonly seen: string[] = [];
  /** It said that it waits, and has not resumed. */
  isHolding = false;
  private readonly verdicts: Verdict[];

  constructor(verdicts: readonly Verdict[] = []) {
    this.verdicts = [...verdicts];
  }

  onComplete(): void {
    this.isHolding = false;
  }

  see(what: string, end: boolean, allowed: readonly Verdict[]): Verdict {
    this.seen.push(what);
    if (end) this.seen.push('end');
    const wanted = this.verdicts.shift() ?? Verdict.Continue;
    const verdict = allowed.includes(wanted) ? wanted : Verdict.Continue;
    this.isHolding = verdict === Verdict.Stop || verdict === Verdict.StopAndBuffer;
    return verdict;
  }
}

/** The half of a stream without anything around it: what has passed all filters is written down. */
export class ScriptPass extends FilterPass<string> {
  readonly filters: readonly ScriptedFilter[];
  readonly passed: string[] = [];
  /** `too much`, `too much buffered`, `less again`. */
  readonly pressure: string[] = [];
  /** How much had passed when less was held again. */
  passedAtRelief = -1;
  limit = 0;
  private readonly ranks: readonly number[];

  constructor(filters: readonly ScriptedFilter[]) {
    super();
    this.filters = filters;
    this.ranks = filters.map((_, rank) => rank);
  }

  chunk(text: string, end = false): void {
    this.passData(Buffer.from(text), end);
  }

  end(): void {
    this.passTrailers(new Headers());
  }

  go(rank: number): void {
    const filter = this.filters[rank];
    filter.isHolding = false;
    this.resume(filter);
  }

  protected headHooks(): readonly number[] {
    return this.ranks;
  }

  protected dataHooks(): readonly number[] {
    return this.ranks;
  }

  protected trailersHooks(): readonly number[] {
    return this.ranks;
  }

  protected rankOf(filter: HttpFilter): number {
    return this.filters.indexOf(filter as ScriptedFilter);
  }

  protected callHead(rank: number, _head: string, end: boolean): Verdict {
    return this.filters[rank].see('head', end, [Verdict.Stop, Verdict.StopAndBuffer]);
  }

  protected callData(rank: number, chunk: Uint8Array, end: boolean): Verdict {
    return this.filters[rank].see(Buffer.from(chunk).toString(), end, [Verdict.Stop, Verdict.StopAndBuffer]);
  }

  protected callTrailers(rank: number): Verdict {
    return this.filters[rank].see('trailers', true, [Verdict.Stop]);
  }

  protected deliverHead(_head: string, end: boolean): void {
    this.deliver('head', end);
  }

  protected deliverData(chunk: Uint8Array, end: boolean): void {
    this.deliver(Buffer.from(chunk).toString(), end);
  }

  protected deliverTrailers(): void {
    this.deliver('trailers', true);
  }

  protected heldBytesMax(): number {
    return this.limit;
  }

  protected onHoldingTooMuch(buffered: boolean): void {
    this.pressure.push(buffered ? 'too much buffered' : 'too much');
  }

  protected onHoldingLessAgain(): void {
    this.pressure.push('less again');
    this.passedAtRelief = this.passed.length;
  }

  private deliver(what: string, end: boolean): void {
    this.passed.push(what);
    if (end) this.passed.push('end');
  }
}
