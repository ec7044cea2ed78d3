import type { RequestHead, ResponseHead } from '../../../../src/core/head.ts';
import type { Headers } from '../../../../src/core/headers.ts';
import type { HttpFilter, LocalReply, Verdict } from '../../../../src/filter/filter.ts';
import { FilterPass } from '../../../../src/proxy/http/stream/filter-pass.ts';
import { filterContext, lines, TestStream, type TestContext } from '../filter-fixture.ts';

/** One half of a stream with one filter in it: what gets past it is written down. */
class Half<Head> extends FilterPass<Head> {
  head: Head | null = null;
  readonly chunks: Uint8Array[] = [];
  trailers: Headers | null = null;
  hasEnded = false;
  private readonly filter: HttpFilter;
  private readonly callback: {
    head(head: Head, end: boolean): Verdict;
    data(chunk: Uint8Array, end: boolean): Verdict;
    trailers(trailers: Headers): Verdict;
  };

  constructor(filter: HttpFilter, callback: Half<Head>['callback']) {
    super();
    this.filter = filter;
    this.callback = callback;
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  protected headHooks = () => [0];
  protected dataHooks = () => [0];
  protected trailersHooks = () => [0];
  protected rankOf = (filter: HttpFilter) => (filter === this.filter ? 0 : -1);
  protected callHead = (_: number, head: Head, end: boolean) => this.callback.head(head, end);
  protected callData = (_: number, chunk: Uint8Array, end: boolean) => this.callback.data(chunk, end);
  protected callTrailers = (_: number, trailers: Headers) => this.callback.trailers(trailers);
  protected heldBytesMax = () => 0;
  protected onHoldingTooMuch = () => {};
  protected onHoldingLessAgain = () => {};

  protected deliverHead(head: Head, end: boolean): void {
    this.head = head;
    this.hasEnded = end;
  }

  protected deliverData(chunk: Uint8Array, end: boolean): void {
    if (this.head === null || this.hasEnded) throw new Error('data out of order');
    this.chunks.push(chunk);
    this.hasEnded = end;
  }

  protected deliverTrailers(trailers: Headers): void {
    if (this.head === null || this.hasEnded) throw new Error('trailers out of order');
    this.trailers = trailers;
    this.hasEnded = true;
  }
}

/** A request through a filter, and its response back, over real passes; the upstream is the test. */
export class Exchange extends TestStream {
  readonly filter: HttpFilter;
  readonly request: Half<RequestHead>;
  readonly response: Half<ResponseHead>;
  /** The filter's own answer. */
  answer: LocalReply | null = null;

  constructor(filter: HttpFilter, head: RequestHead, context: TestContext = filterContext()) {
    super(context, head);
    this.filter = filter;
    this.request = new Half<RequestHead>(filter, {
      head: (value, end) => filter.onRequestHead!(this, value, end),
      data: (chunk, end) => filter.onRequestData!(this, chunk, end),
      trailers: (trailers) => filter.onRequestTrailers!(this, trailers),
    });
    this.response = new Half<ResponseHead>(filter, {
      head: (value, end) => filter.onResponseHead!(this, value, end),
      data: (chunk, end) => filter.onResponseData!(this, chunk, end),
      trailers: (trailers) => filter.onResponseTrailers!(this, trailers),
    });
  }

  /** The whole request; chunks as text or bytes. */
  send(...chunks: readonly (string | Uint8Array)[]): this {
    this.request.passHead(this.requestHead, chunks.length === 0);
    chunks.forEach((chunk, i) => this.request.passData(Buffer.from(chunk), i === chunks.length - 1));
    return this;
  }

  /** What the upstream answers; `trailers`: null: there are none, and the last chunk ends it. */
  receive(head: ResponseHead, chunks: readonly Uint8Array[], trailers: Headers | null): this {
    this.responseHead = head;
    const endsWithHead = chunks.length === 0 && trailers === null;
    this.response.passHead(head, endsWithHead);
    chunks.forEach((chunk, i) => this.response.passData(chunk, trailers === null && i === chunks.length - 1));
    if (trailers !== null) this.response.passTrailers(trailers);
    return this;
  }

  get requestLines(): string[] {
    return lines(this.requestHead.headers);
  }

  override injectRequestData(filter: HttpFilter, chunk: Uint8Array, end: boolean): void {
    this.request.inject(filter, chunk, end);
  }

  override injectResponseData(filter: HttpFilter, chunk: Uint8Array, end: boolean): void {
    this.response.inject(filter, chunk, end);
  }

  override resumeRequest(filter: HttpFilter): void {
    this.request.resume(filter);
  }

  override resumeResponse(filter: HttpFilter): void {
    this.response.resume(filter);
  }

  override reply(reply: LocalReply): void {
    super.reply(reply);
    this.answer ??= reply;
    this.request.cut();
    this.response.cut();
  }
}

/** A gRPC frame around a message. */
export function frame(message: Uint8Array | string, flag = 0): Buffer {
  const bytes = typeof message === 'string' ? Buffer.from(message, 'hex') : Buffer.from(message);
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}
