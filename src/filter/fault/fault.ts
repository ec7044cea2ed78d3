import type { Timed } from '../../core/clock.ts';
import { ResponseFlag } from '../../core/failure.ts';
import type { RequestHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { OwnCount } from '../../observe/limit/shared-limit.ts';
import type { Counter, Gauge, StatsScope } from '../../observe/stats/stats.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import type { AbortStatus, FaultSettings } from './fault-settings.ts';
import { ResponseLimiter } from './response-limiter.ts';

/** `http.<prefix>.fault.*` */
class FaultStats {
  readonly delaysInjected: Counter;
  readonly abortsInjected: Counter;
  readonly responseRlInjected: Counter;
  readonly faultsOverflow: Counter;
  readonly activeFaults: Gauge;
  private readonly scope: StatsScope;

  constructor(scope: StatsScope) {
    this.delaysInjected = scope.counter('delays_injected');
    this.abortsInjected = scope.counter('aborts_injected');
    this.responseRlInjected = scope.counter('response_rl_injected');
    this.faultsOverflow = scope.counter('faults_overflow');
    this.activeFaults = scope.gauge('active_faults');
    this.scope = scope;
  }

  ofCaller(caller: string, name: string): Counter {
    return this.scope.counter(`${caller}.${name}`);
  }
}

/** What befalls one stream. */
class Injection implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  readonly settings: FaultSettings;
  /** x-envoy-downstream-service-cluster; empty: unknown. */
  readonly caller: string;
  limiter: ResponseLimiter | null;
  private readonly filter: FaultFilter;
  private readonly stream: Stream;

  constructor(filter: FaultFilter, stream: Stream, settings: FaultSettings, caller: string) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.settings = settings;
    this.caller = caller;
    this.limiter = null;
    this.filter = filter;
    this.stream = stream;
  }

  /** The delay is over. */
  tick(): void {
    const { stream, filter } = this;
    if (!filter.maybeAbort(stream, this.settings, this.caller)) stream.resumeRequest(filter);
  }
}

/**
 * `envoy.filters.http.fault`: delays, aborts and slows requests on purpose. One object for all streams; only those that
 * a fault befalls are remembered.
 */
export class FaultFilter implements HttpFilter, FilterFactory {
  private readonly settings: FaultSettings;
  private readonly stats: FaultStats;
  private readonly filterName: string;
  private readonly injections: Map<Stream, Injection>;
  private readonly activeFaults: { load(): number; inc(): number; dec(): number };

  constructor(settings: FaultSettings, context: FilterContext) {
    this.settings = settings;
    this.stats = new FaultStats(context.stats.scope('fault'));
    this.filterName = context.filterName;
    this.injections = new Map();
    this.activeFaults = context.sharedNumber?.('fault.active_faults') ?? new OwnCount();
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    const settings = (stream.perFilterConfig(this.filterName) as FaultSettings | undefined) ?? this.settings;
    if (settings.isIdle || !this.isTarget(stream, head, settings)) return Verdict.Continue;
    const caller = head.headers.get('x-envoy-downstream-service-cluster') ?? '';
    this.maybeLimitResponse(stream, head, settings, caller);
    const delayMs = settings.delayMs(head, caller);
    const injection = delayMs > 0 ? this.activate(stream, settings, caller) : null;
    if (injection === null) return this.maybeAbort(stream, settings, caller) ? Verdict.Stop : Verdict.Continue;
    this.count(injection, 'delays_injected', this.stats.delaysInjected);
    stream.outcome.flags |= ResponseFlag.DelayInjected;
    this.describe(stream, settings);
    stream.timers.schedule(injection, stream.clock.now + delayMs);
    return Verdict.Stop;
  }

  onResponseData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    if (this.injections.size === 0) return Verdict.Continue;
    const limiter = this.injections.get(stream)?.limiter;
    if (limiter === undefined || limiter === null) return Verdict.Continue;
    limiter.take(chunk, end);
    return Verdict.Take;
  }

  onResponseTrailers(stream: Stream, _trailers: Headers): Verdict {
    if (this.injections.size === 0) return Verdict.Continue;
    const limiter = this.injections.get(stream)?.limiter;
    return limiter?.holdsTrailers() === true ? Verdict.Stop : Verdict.Continue;
  }

  onComplete(stream: Stream): void {
    if (this.injections.size === 0) return;
    const injection = this.injections.get(stream);
    if (injection === undefined) return;
    this.injections.delete(stream);
    stream.timers.cancel(injection);
    injection.limiter?.stop();
    this.stats.activeFaults.dec();
    this.activeFaults.dec();
  }

  /** Ends the request if an abort is due. */
  maybeAbort(stream: Stream, settings: FaultSettings, caller: string): boolean {
    const status = settings.abortStatus(stream.requestHead, caller);
    const injection = status === null ? null : this.activate(stream, settings, caller);
    if (status === null || injection === null) return false;
    this.count(injection, 'aborts_injected', this.stats.abortsInjected);
    this.describe(stream, settings);
    stream.reply(abortReply(status));
    return true;
  }

  private isTarget(stream: Stream, head: RequestHead, settings: FaultSettings): boolean {
    if (settings.upstreamCluster !== '') {
      const action = stream.route?.action;
      if (action?.kind !== 'forward') return false;
      if (action.cluster(head, stream.random).name !== settings.upstreamCluster) return false;
    }
    return settings.appliesTo(head);
  }

  private maybeLimitResponse(stream: Stream, head: RequestHead, settings: FaultSettings, caller: string): void {
    const kbps = settings.responseKbps(head);
    const injection = kbps === 0 ? null : this.activate(stream, settings, caller);
    if (injection === null) return;
    this.stats.responseRlInjected.inc();
    injection.limiter = new ResponseLimiter(this, stream, kbps);
  }

  /** Several faults of one stream count as one. Null: there are too many already. */
  private activate(stream: Stream, settings: FaultSettings, caller: string): Injection | null {
    const known = this.injections.get(stream);
    if (known !== undefined) return known;
    if (this.activeFaults.load() >= settings.maxActiveFaults()) {
      this.stats.faultsOverflow.inc();
      return null;
    }
    const injection = new Injection(this, stream, settings, caller);
    this.injections.set(stream, injection);
    this.stats.activeFaults.inc();
    this.activeFaults.inc();
    return injection;
  }

  private count(injection: Injection, name: string, counter: Counter): void {
    counter.inc();
    if (injection.caller === '' || injection.settings.disableDownstreamClusterStats) return;
    this.stats.ofCaller(injection.caller, name).inc();
  }

  private describe(stream: Stream, settings: FaultSettings): void {
    if (settings.filterMetadata === null) return;
    stream.outcome.dynamicMetadata ??= new Map();
    stream.outcome.dynamicMetadata.set(this.filterName, settings.filterMetadata);
  }
}

function abortReply(status: AbortStatus): Parameters<Stream['reply']>[0] {
  const reply = {
    status: status.httpStatus,
    body: 'fault filter abort',
    details: 'fault_filter_abort',
    flags: ResponseFlag.FaultInjected,
  };
  return status.grpcStatus < 0 ? reply : { ...reply, grpcStatus: status.grpcStatus };
}
