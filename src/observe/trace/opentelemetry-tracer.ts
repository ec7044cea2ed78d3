import type { RequestHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { RandomIds } from './random-ids.ts';
import { Span, SpanKind } from './span.ts';
import {
  readTraceparent,
  readTracestate,
  setLast,
  traceparentOf,
  unreadable,
  type W3cContext,
} from './trace-context.ts';
import type { OpenTelemetryData, SamplerData } from './trace-data.ts';
import type { SpanBeginning, SpanReporter, Tracer } from './tracer.ts';

/** OpenTelemetry's model: W3C's fields, 128-bit trace ids, a parent that decides for its children. */
export class OpenTelemetryTracer implements Tracer {
  readonly tellsSpanId: boolean;
  private readonly sampler: SamplerData | null;
  private readonly reporter: SpanReporter;
  private readonly ids: RandomIds;

  constructor(data: OpenTelemetryData, reporter: SpanReporter, ids = new RandomIds()) {
    this.tellsSpanId = true;
    this.sampler = data.sampler;
    this.reporter = reporter;
    this.ids = ids;
  }

  start({ headers }: RequestHead, beginning: SpanBeginning): Span | null {
    const parent = readTraceparent(headers);
    if (parent === unreadable) return null;
    const { isEgress, spawnsUpstreamSpan, isTraced, name, startEpochMs } = beginning;
    const traceId = parent === null ? this.ids.take() + this.ids.take() : parent.traceId;
    const identity = {
      traceId,
      id: this.ids.take(),
      parentId: parent === null ? '' : parent.spanId,
      kind: isEgress && !spawnsUpstreamSpan ? SpanKind.Client : SpanKind.Server,
      isShared: false,
      state: parent === null ? '' : readTracestate(headers),
    };
    // What the connection manager has decided against is not sampled, whoever else would.
    const isSampled = isTraced && this.samples(traceId, parent);
    return new Span(identity, name, isSampled, startEpochMs);
  }

  child(parent: Span, name: string, startEpochMs: number): Span {
    const { traceId, id: parentId, state, isSampled } = parent;
    const identity = { traceId, id: this.ids.take(), parentId, kind: SpanKind.Client, isShared: false, state };
    return new Span(identity, name, isSampled, startEpochMs);
  }

  inject(span: Span, { headers }: { readonly headers: Headers }): void {
    setLast(headers, 'traceparent', traceparentOf(span.traceId, span.id, span.isSampled));
    setLast(headers, 'tracestate', span.state);
  }

  report(span: Span): void {
    this.reporter.report(span);
  }

  private samples(traceId: string, parent: W3cContext | null): boolean {
    if (this.sampler === null) return parent === null || parent.isSampled;
    return samples(this.sampler, traceId, parent);
  }
}

function samples(sampler: SamplerData, traceId: string, parent: W3cContext | null): boolean {
  switch (sampler.kind) {
    case 'always-on':
      return true;
    case 'ratio': {
      // By the end of the id, so that everybody who has the same ratio decides the same.
      const share = parseInt(traceId.slice(16, 28), 16) / 2 ** 48;
      return share < sampler.numerator / sampler.denominator;
    }
    case 'parent':
      return parent === null ? samples(sampler.root, traceId, parent) : parent.isSampled;
  }
}
