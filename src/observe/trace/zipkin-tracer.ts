import type { RequestHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { RandomIds } from './random-ids.ts';
import { Span, SpanKind } from './span.ts';
import {
  readB3,
  readB3Sampled,
  readTraceparent,
  setLast,
  traceparentOf,
  unreadable,
  type TraceContext,
} from './trace-context.ts';
import type { ZipkinData } from './trace-data.ts';
import type { SpanBeginning, SpanReporter, Tracer } from './tracer.ts';

/** Zipkin's model: B3 fields, 64-bit ids, a server's span that may be its client's. */
export class ZipkinTracer implements Tracer {
  readonly tellsSpanId: boolean;
  private readonly data: ZipkinData;
  private readonly reporter: SpanReporter;
  private readonly ids: RandomIds;

  constructor(data: ZipkinData, reporter: SpanReporter, ids = new RandomIds()) {
    this.tellsSpanId = false;
    this.data = data;
    this.reporter = reporter;
    this.ids = ids;
  }

  start(head: RequestHead, beginning: SpanBeginning): Span | null {
    const { headers } = head;
    const { speaksW3c } = this.data;
    const found = readB3(headers);
    if (found === unreadable) return null;
    const fallback = speaksW3c && found === null ? readTraceparent(headers) : null;
    const other = fallback === unreadable ? null : fallback;
    const told = readB3Sampled(headers) ?? other?.isSampled ?? null;
    const isServer = !beginning.isEgress || beginning.spawnsUpstreamSpan || this.data.splitsSpans;
    const kind = isServer ? SpanKind.Server : SpanKind.Client;
    const isShared = isServer && this.data.sharesContext;
    const context = found ?? other;
    const identity =
      context === null ? this.first() : isShared ? joined(context) : this.below(context.traceId, context.spanId);
    const isSampled = told ?? beginning.isTraced;
    // As Envoy: until somebody says otherwise a span is called as its host.
    return new Span({ ...identity, kind, isShared, state: '' }, head.authority, isSampled, beginning.startEpochMs);
  }

  child(parent: Span, name: string, startEpochMs: number): Span {
    const identity = this.below(parent.traceId, parent.id);
    const whole = { ...identity, kind: SpanKind.Client, isShared: false, state: '' };
    return new Span(whole, name, parent.isSampled, startEpochMs);
  }

  inject(span: Span, { headers }: { readonly headers: Headers }): void {
    setLast(headers, 'x-b3-traceid', span.traceId);
    setLast(headers, 'x-b3-spanid', span.id);
    if (span.parentId !== '') setLast(headers, 'x-b3-parentspanid', span.parentId);
    setLast(headers, 'x-b3-sampled', span.isSampled ? '1' : '0');
    if (this.data.speaksW3c) setLast(headers, 'traceparent', traceparentOf(span.traceId, span.id, span.isSampled));
  }

  report(span: Span): void {
    this.reporter.report(span);
  }

  private first(): { traceId: string; id: string; parentId: string } {
    const id = this.ids.take();
    return { traceId: this.data.longTraceIds ? this.high() + id : id, id, parentId: '' };
  }

  /** The upper half of a long id. */
  private high(): string {
    const random = this.ids.take();
    if (!this.data.timestampTraceIds) return random;
    const seconds = Math.floor(Date.now() / 1000);
    return seconds.toString(16).padStart(8, '0').slice(-8) + random.slice(8);
  }

  private below(traceId: string, parentId: string): { traceId: string; id: string; parentId: string } {
    return { traceId, id: this.ids.take(), parentId };
  }
}

function joined({ traceId, spanId, parentId }: TraceContext): { traceId: string; id: string; parentId: string } {
  return { traceId, id: spanId, parentId };
}
