import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Clock } from '../../core/clock.ts';
import { toBytes } from '../../observe/format/byte-string.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { Span } from '../../observe/trace/span.ts';
import { annotate, tagCustom, tagDownstream } from '../../observe/trace/span-tags.ts';
import type { Tracer } from '../../observe/trace/tracer.ts';
import type { Route } from '../../route/route.ts';
import type { Headers } from '../../core/headers.ts';
import type { CallTrace } from '../../filter/call-outs.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { AskedSpan } from './asked-span.ts';
import type { HttpTracing, TracedRoute } from './http-tracing.ts';
import type { TrySpan } from './try-span.ts';

/** The trace of one stream: its span, and those of its tries. */
export class StreamTrace implements CallTrace {
  readonly tracing: HttpTracing;
  readonly route: TracedRoute;
  /** Null: what the request says of its trace cannot be read. */
  readonly span: Span | null;
  private readonly tracer: Tracer;
  private readonly clock: Clock;
  /** What the answer tells the client that this was; empty: nothing. */
  private decorated: string;

  constructor(tracing: HttpTracing, tracer: Tracer, span: Span | null, route: TracedRoute, clock: Clock) {
    this.tracing = tracing;
    this.tracer = tracer;
    this.clock = clock;
    this.span = span;
    this.route = route;
    this.decorated = '';
  }

  /** Names the span, and tells the upstream or takes from the downstream how it is called. */
  begin(head: RequestHead, route: Route | null, outcome: Outcome): void {
    const { span, tracing } = this;
    if (span !== null && span.isSampled) {
      span.tag('node_id', toBytes(tracing.nodeId));
      span.tag('zone', toBytes(tracing.zone));
    }
    if (this.route.operation !== null) {
      const name = this.route.operation.format(outcome);
      if (span !== null && name !== '') span.name = name;
      return;
    }
    if (route !== null && route.decorator !== '') {
      const operation = toBytes(route.decorator);
      if (span !== null) span.name = operation;
      if (route.decoratorPropagate) this.decorated = operation;
    }
    if (tracing.isEgress) {
      if (this.decorated !== '') head.headers.set('x-envoy-decorator-operation', this.decorated);
      return;
    }
    const told = head.headers.get('x-envoy-decorator-operation');
    if (told === undefined) return;
    if (told !== '') {
      if (span !== null) span.name = told;
      this.decorated = '';
    }
    head.headers.remove('x-envoy-decorator-operation');
  }

  /** A final head is on its way to the client. */
  finishHead({ headers }: ResponseHead): void {
    if (this.route.operation !== null) return;
    if (!this.tracing.isEgress) {
      if (this.decorated !== '') headers.set('x-envoy-decorator-operation', this.decorated);
      return;
    }
    const told = headers.get('x-envoy-decorator-operation');
    if (told === undefined) return;
    if (told !== '' && this.span !== null) this.span.name = told;
    headers.remove('x-envoy-decorator-operation');
  }

  /** A span for a try; null: the stream's own is told to the upstream. `startsChild`: its router says so. */
  beginTry(outcome: Outcome, startsChild: boolean): Span | null {
    const { span, route, tracer, clock } = this;
    if (span === null) return null;
    // As Envoy: a health check that is passed through is not told of.
    if (outcome.isHealthCheck) span.isSampled = false;
    if (!this.tracing.spawnsUpstreamSpan && !startsChild) return null;
    const child = tracer.child(span, `router ${toBytes(outcome.upstreamCluster)} egress`, clock.epochMs);
    if (child.isSampled) {
      const operation = route.upstreamOperation?.format(outcome) ?? '';
      if (operation !== '') child.name = operation;
      if (outcome.attemptCount > 1) child.tag('retry.count', String(outcome.attemptCount - 1));
    }
    return child;
  }

  /** Tells the upstream of the trace: of its try's span, or where it has none of the stream's. */
  inject(ofTry: TrySpan | null, head: RequestHead): void {
    const told = ofTry === null ? this.span : ofTry.span;
    if (told !== null && this.tracing.propagatesContext) this.tracer.inject(told, head);
  }

  /** For a copy that goes to another cluster, which is told of it. `isSampled` null: as the stream. */
  beginMirror(cluster: Cluster, isSampled: boolean | null, head: RequestHead): AskedSpan | null {
    const { span, tracer, clock } = this;
    if (span === null) return null;
    const child = tracer.child(span, 'mirror', clock.epochMs);
    child.isSampled = isSampled ?? child.isSampled;
    tracer.inject(child, head);
    return new AskedSpan(child, this, cluster);
  }

  // CallTrace

  beginCall(name: string): Span | null {
    const { span, tracer, clock } = this;
    return span === null ? null : tracer.child(span, toBytes(name), clock.epochMs);
  }

  tell(span: Span, headers: Headers): void {
    this.tracer.inject(span, { headers });
  }

  endCall(span: Span): void {
    if (!span.isSampled) return;
    span.endEpochMs = this.clock.epochMs;
    this.tracer.report(span);
  }

  /** A try's span is over. */
  report(span: Span, outcome: Outcome): void {
    if (this.tracing.verbose) annotate(span, outcome, true);
    tagCustom(span, this.route.tags, outcome);
    span.endEpochMs = this.clock.epochMs;
    this.tracer.report(span);
  }

  /** The stream is over. */
  finish(outcome: Outcome): void {
    const { span, tracing } = this;
    if (span === null || !span.isSampled || outcome.isHealthCheck) return;
    tagDownstream(span, outcome, tracing.pathTagMax);
    if (tracing.verbose) annotate(span, outcome, false);
    tagCustom(span, this.route.tags, outcome);
    span.endEpochMs = outcome.startEpochMs + outcome.endMs - outcome.startMs;
    this.tracer.report(span);
  }
}
