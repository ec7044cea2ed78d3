import type { RequestHead } from '../../core/head.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';

/** `envoy.extensions.filters.http.buffer.v3.Buffer` as plain data, of the filter and of routes alike. */
export interface BufferData {
  /** Null: nothing is buffered here. */
  readonly requestBytesMax: number | null;
}

/** `envoy.filters.http.buffer`: a request goes on when all of it is there, with its length. */
export class BufferFilter implements FilterFactory {
  readonly data: BufferData;
  readonly filterName: string;

  constructor(data: BufferData, context: FilterContext) {
    this.data = data;
    this.filterName = context.filterName;
  }

  create(): HttpFilter {
    return new BufferedRequest(this);
  }
}

class BufferedRequest implements HttpFilter {
  private readonly filter: BufferFilter;
  /** That waits; null: it does not. */
  private head: RequestHead | null;
  private bodyBytes: number;

  constructor(filter: BufferFilter) {
    this.filter = filter;
    this.head = null;
    this.bodyBytes = 0;
  }

  onRequestHead(stream: Stream, head: RequestHead, end: boolean): Verdict {
    if (end) return Verdict.Continue;
    const { filterName, data } = this.filter;
    const { requestBytesMax } = (stream.perFilterConfig(filterName) as BufferData | undefined) ?? data;
    if (requestBytesMax === null) return Verdict.Continue;
    stream.requestBytesMax = requestBytesMax;
    this.head = head;
    return Verdict.StopAndBuffer;
  }

  onRequestData(_stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    if (this.head === null) return Verdict.Continue;
    this.bodyBytes += chunk.length;
    if (!end) return Verdict.StopAndBuffer;
    this.addLength(this.head);
    return Verdict.Continue;
  }

  onRequestTrailers(): Verdict {
    if (this.head !== null) this.addLength(this.head);
    return Verdict.Continue;
  }

  private addLength({ headers }: RequestHead): void {
    if (!headers.has('content-length')) headers.add('content-length', String(this.bodyBytes));
  }
}
