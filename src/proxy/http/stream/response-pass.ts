import type { Headers } from '../../../core/headers.ts';
import type { ResponseHead } from '../../../core/head.ts';
import { Verdict, type HttpFilter } from '../../../filter/filter.ts';
import { placeOf, type FilteredStream } from './filter-chain.ts';
import { FilterPass } from './filter-pass.ts';

/** A response on its way through a stream's filters, the last configured one first. */
export abstract class ResponsePass<Stream extends FilteredStream> extends FilterPass<ResponseHead> {
  protected readonly stream: Stream;

  constructor(stream: Stream) {
    super();
    this.stream = stream;
  }

  protected headHooks(): readonly number[] {
    return this.stream.chain.responseHead;
  }

  protected dataHooks(): readonly number[] {
    return this.stream.chain.responseData;
  }

  protected trailersHooks(): readonly number[] {
    return this.stream.chain.responseTrailers;
  }

  protected rankOf(filter: HttpFilter): number {
    const { filters } = this.stream;
    return filters.length - 1 - placeOf(filter, filters);
  }

  protected callHead(rank: number, head: ResponseHead, end: boolean): Verdict {
    const index = this.stream.filters.length - 1 - rank;
    if (this.stream.isFilterOff(index)) return Verdict.Continue;
    return this.stream.filters[index].onResponseHead!(this.stream, head, end);
  }

  protected callData(rank: number, chunk: Uint8Array, end: boolean): Verdict {
    const index = this.stream.filters.length - 1 - rank;
    if (this.stream.isFilterOff(index)) return Verdict.Continue;
    return this.stream.filters[index].onResponseData!(this.stream, chunk, end);
  }

  protected callTrailers(rank: number, trailers: Headers): Verdict {
    const index = this.stream.filters.length - 1 - rank;
    if (this.stream.isFilterOff(index)) return Verdict.Continue;
    return this.stream.filters[index].onResponseTrailers!(this.stream, trailers);
  }
}
