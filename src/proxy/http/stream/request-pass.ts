import type { Headers } from '../../../core/headers.ts';
import type { RequestHead } from '../../../core/head.ts';
import { Verdict, type HttpFilter } from '../../../filter/filter.ts';
import { placeOf, type FilteredStream } from './filter-chain.ts';
import { FilterPass } from './filter-pass.ts';

/** A request on its way through a stream's filters, in configured order. */
export abstract class RequestPass<Stream extends FilteredStream> extends FilterPass<RequestHead> {
  protected readonly stream: Stream;

  constructor(stream: Stream) {
    super();
    this.stream = stream;
  }

  protected headHooks(): readonly number[] {
    return this.stream.chain.requestHead;
  }

  protected dataHooks(): readonly number[] {
    return this.stream.chain.requestData;
  }

  protected trailersHooks(): readonly number[] {
    return this.stream.chain.requestTrailers;
  }

  protected rankOf(filter: HttpFilter): number {
    return placeOf(filter, this.stream.filters);
  }

  protected callHead(rank: number, head: RequestHead, end: boolean): Verdict {
    if (this.stream.isFilterOff(rank)) return Verdict.Continue;
    return this.stream.filters[rank].onRequestHead!(this.stream, head, end);
  }

  protected callData(rank: number, chunk: Uint8Array, end: boolean): Verdict {
    if (this.stream.isFilterOff(rank)) return Verdict.Continue;
    return this.stream.filters[rank].onRequestData!(this.stream, chunk, end);
  }

  protected callTrailers(rank: number, trailers: Headers): Verdict {
    if (this.stream.isFilterOff(rank)) return Verdict.Continue;
    return this.stream.filters[rank].onRequestTrailers!(this.stream, trailers);
  }

  /** What a filter has set for this request comes before what its connection allows. */
  protected heldBytesMax(): number {
    const { requestBytesMax, bufferLimit } = this.stream;
    return requestBytesMax >= 0 ? requestBytesMax : bufferLimit;
  }
}
