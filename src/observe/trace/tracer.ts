import type { RequestHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import type { Span } from './span.ts';

/** What a connection manager has decided before a span begins. */
export interface SpanBeginning {
  /** `ingress`, or `egress host`: what a span is called unless somebody says otherwise. */
  readonly name: string;
  /** It is traced, as far as the request's id and the sampling say. */
  readonly isTraced: boolean;
  /** The listener is for what leaves. */
  readonly isEgress: boolean;
  /** Each try has a span of its own. */
  readonly spawnsUpstreamSpan: boolean;
  readonly startEpochMs: number;
}

/** A provider: makes spans, tells the next one of them, and hands the finished ones to a collector. */
export interface Tracer {
  /** %SPAN_ID% is known. */
  readonly tellsSpanId: boolean;
  /** Null: the request tells of a trace in words that cannot be read. */
  start(head: RequestHead, beginning: SpanBeginning): Span | null;
  /** A span within another one: something that is asked of somebody else. */
  child(parent: Span, name: string, startEpochMs: number): Span;
  /** Writes what the next one is told. */
  inject(span: Span, head: { readonly headers: Headers }): void;
  /** It is over. Only for sampled ones. */
  report(span: Span): void;
}

/** Takes finished spans; `proxy/` implements it. */
export interface SpanReporter {
  report(span: Span): void;
}
