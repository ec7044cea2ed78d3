import type { Clock } from '../../core/clock.ts';
import type { RequestHead } from '../../core/head.ts';
import type { RuntimeView } from '../../core/runtime-view.ts';
import { buildCustomTag, joinTags, type CustomTag } from '../../observe/trace/custom-tag.ts';
import { compileFormat } from '../../observe/format/format.ts';
import type { Formatter } from '../../observe/format/formatter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { Counter, StatsScope } from '../../observe/stats/stats.ts';
import type { RouteTracingData, SamplingData, TracingData } from '../../observe/trace/trace-data.ts';
import { drawOf, reasonIn, TraceReason, withReason } from '../../observe/trace/trace-reason.ts';
import type { Tracer } from '../../observe/trace/tracer.ts';
import type { Route } from '../../route/route.ts';
import type { RequestIdData } from '../http/hcm-data.ts';
import { StreamTrace } from './stream-trace.ts';

/** What the tracing of a connection manager is built with. */
export interface TracingContext {
  /** Null: no provider is configured. */
  readonly tracer: Tracer | null;
  /** `http.<stat_prefix>`. */
  readonly stats: StatsScope;
  readonly runtime: RuntimeView;
  readonly clock: Clock;
  readonly requestId: RequestIdData;
  /** The listener is for what leaves. */
  readonly isEgress: boolean;
  readonly node: { readonly id: string; readonly locality?: { readonly zone: string } };
  random(): number;
}

/** What holds for one route, or for those that say nothing. */
export interface TracedRoute {
  readonly clientSampling: SamplingData;
  readonly randomSampling: SamplingData;
  readonly overallSampling: SamplingData;
  readonly tags: readonly CustomTag[];
  /** Null: the tracer's own name, and the decorator's. */
  readonly operation: Formatter | null;
  readonly upstreamOperation: Formatter | null;
}

/** `tracing` of a connection manager: which streams are traced, and how their spans begin. */
export class HttpTracing {
  readonly tracer: Tracer | null;
  readonly isEgress: boolean;
  readonly verbose: boolean;
  readonly pathTagMax: number;
  readonly spawnsUpstreamSpan: boolean;
  readonly propagatesContext: boolean;
  readonly nodeId: string;
  readonly zone: string;
  private readonly data: TracingData;
  private readonly context: TracingContext;
  private readonly own: TracedRoute;
  private readonly ofRoutes: WeakMap<RouteTracingData, TracedRoute>;
  private readonly byReason: readonly Counter[];
  private readonly decidesById: boolean;

  constructor(data: TracingData, context: TracingContext) {
    const scope = context.stats.scope('tracing');
    this.tracer = context.tracer;
    this.isEgress = context.isEgress;
    this.verbose = data.verbose;
    this.pathTagMax = data.pathTagMax;
    this.spawnsUpstreamSpan = data.spawnsUpstreamSpan;
    this.propagatesContext = data.propagatesContext;
    this.nodeId = context.node.id;
    this.zone = context.node.locality?.zone ?? '';
    this.data = data;
    this.context = context;
    this.own = this.routeOf(data, []);
    this.ofRoutes = new WeakMap();
    this.byReason = [
      scope.counter('not_traceable'),
      scope.counter('random_sampling'),
      scope.counter('service_forced'),
      scope.counter('client_enabled'),
    ];
    scope.counter('health_check');
    this.decidesById = context.requestId.decidesTracing !== false;
  }

  /** When the route is known. Null: nothing is to be told of this stream. `isRedirected`: another led to it. */
  begin(head: RequestHead, route: Route | null, outcome: Outcome, isRedirected: boolean): StreamTrace | null {
    const traced = this.tracedRoute(route);
    const reason = isRedirected ? TraceReason.NotTraceable : this.decide(head, traced);
    outcome.traceReason = reason;
    const { tracer } = this;
    if (tracer === null) return null;
    const span = tracer.start(head, {
      name: this.isEgress ? `egress ${head.authority}` : 'ingress',
      isTraced: reason !== TraceReason.NotTraceable,
      isEgress: this.isEgress,
      spawnsUpstreamSpan: this.spawnsUpstreamSpan,
      startEpochMs: outcome.startEpochMs,
    });
    if (span !== null) {
      outcome.traceId = span.traceId;
      if (tracer.tellsSpanId) outcome.spanId = span.id;
    }
    const trace = new StreamTrace(this, tracer, span, traced, this.context.clock);
    trace.begin(head, route, outcome);
    return trace;
  }

  /** A stream is over. */
  count({ traceReason, isHealthCheck }: Outcome): void {
    if (traceReason < 0) return;
    // As Envoy: what is answered as a health check was not to be traced.
    this.byReason[isHealthCheck ? TraceReason.NotTraceable : traceReason].inc();
  }

  /** Source: Envoy `ConnectionManagerUtility::mutateTracingRequestHeader`. */
  private decide(head: RequestHead, traced: TracedRoute): TraceReason {
    if (!this.decidesById) return TraceReason.Sampling;
    const { headers } = head;
    const at = headers.indexOf('x-request-id');
    if (at < 0) return TraceReason.NotTraceable;
    const id = headers.values[at];
    const draw = drawOf(id);
    if (draw < 0) return TraceReason.NotTraceable;
    const told = reasonIn(id);
    let reason = told;
    if (reason === TraceReason.NotTraceable) {
      const { clientSampling } = traced;
      if (headers.has('x-client-trace-id') && this.isChosen('tracing.client_enabled', clientSampling, -1))
        reason = TraceReason.ClientForced;
      else if (headers.has('x-envoy-force-trace')) reason = TraceReason.ServiceForced;
      else if (this.isChosen('tracing.random_sampling', traced.randomSampling, draw)) reason = TraceReason.Sampling;
    }
    const isTraced = reason !== TraceReason.NotTraceable;
    if (isTraced && !this.isChosen('tracing.global_enabled', traced.overallSampling, draw))
      reason = TraceReason.NotTraceable;
    if (reason !== told && this.context.requestId.packTraceReason) headers.values[at] = withReason(id, reason);
    return reason;
  }

  /** `draw` -1: by chance, not by the request's id. */
  private isChosen(key: string, { numerator, denominator }: SamplingData, draw: number): boolean {
    const { runtime } = this.context;
    const random = draw < 0 ? this.context.random() : (draw % denominator) / denominator;
    return runtime.fraction(key, numerator, denominator, random);
  }

  private tracedRoute(route: Route | null): TracedRoute {
    const data = route?.tracing ?? null;
    if (data === null) return this.own;
    const known = this.ofRoutes.get(data);
    if (known !== undefined) return known;
    const built = this.routeOf({ ...data }, this.own.tags);
    this.ofRoutes.set(data, built);
    return built;
  }

  private routeOf(data: RouteTracingData, besides: readonly CustomTag[]): TracedRoute {
    const tags = data.customTags.map((tag) => buildCustomTag(tag));
    return {
      clientSampling: data.clientSampling,
      randomSampling: data.randomSampling,
      overallSampling: data.overallSampling,
      tags: joinTags(besides, tags),
      operation: nameOf(data.operation === '' ? this.data.operation : data.operation),
      upstreamOperation: nameOf(data.upstreamOperation === '' ? this.data.upstreamOperation : data.upstreamOperation),
    };
  }
}

function nameOf(format: string): Formatter | null {
  return format === '' ? null : compileFormat(format, { omitEmptyValues: true });
}
