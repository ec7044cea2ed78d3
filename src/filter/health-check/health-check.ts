import { ResponseFlag } from '../../core/failure.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import { HeaderMatcher } from '../../route/match/header-matcher.ts';
import {
  Verdict,
  type FilterContext,
  type FilterFactory,
  type HttpFilter,
  type LocalReply,
  type Stream,
} from '../filter.ts';
import type { HealthCheckData } from './health-check-data.ts';

/** What the upstream answered last. */
interface Remembered {
  readonly status: number;
  readonly isDegraded: boolean;
  readonly untilMs: number;
}

/** How a check is answered here. */
interface Finding {
  readonly status: number;
  readonly details: string;
  /** The counter besides `ok` or `failed`; empty: none. */
  readonly stat: string;
  readonly isDegraded: boolean;
}

/** `envoy.filters.http.health_check`: one object for all streams. */
export class HealthCheckFilter implements FilterFactory {
  readonly localCluster: string;
  private readonly data: HealthCheckData;
  private readonly context: FilterContext;
  private readonly matchers: readonly HeaderMatcher[];
  private readonly startMs: number;
  private remembered: Remembered | null;
  private readonly total: Counter;
  private readonly ok: Counter;
  private readonly failed: Counter;
  private readonly degraded: Counter;
  private readonly traced: Counter;

  constructor(data: HealthCheckData, context: FilterContext) {
    this.localCluster = context.localNode.cluster;
    this.data = data;
    this.context = context;
    this.matchers = data.headers.map((header) => new HeaderMatcher(header));
    this.startMs = context.clock.now;
    this.remembered = null;
    const scope = context.stats.scope('health_check');
    this.total = scope.counter('request_total');
    this.ok = scope.counter('ok');
    this.failed = scope.counter('failed');
    this.degraded = scope.counter('degraded');
    for (const name of rareStats) scope.counter(name);
    this.traced = context.stats.scope('tracing').counter('health_check');
  }

  create(): HttpFilter {
    return new CheckedExchange(this);
  }

  isCheck(head: RequestHead): boolean {
    for (const matcher of this.matchers) if (!matcher.matches(head)) return false;
    return true;
  }

  /** A check has come. True: it is answered here. */
  begin(): boolean {
    this.traced.inc();
    return !this.data.passesThrough || this.isFailed || this.known() !== null;
  }

  get isFailed(): boolean {
    return this.context.isHealthFailed?.() === true;
  }

  remember({ status, headers }: ResponseHead): void {
    const { cacheMs } = this.data;
    if (cacheMs === 0) return;
    // As Envoy: what is remembered is forgotten every so often, whenever it came.
    const { now } = this.context.clock;
    const untilMs = this.startMs + (Math.floor((now - this.startMs) / cacheMs) + 1) * cacheMs;
    this.remembered = { status, isDegraded: headers.has('x-envoy-degraded'), untilMs };
  }

  answer(): LocalReply {
    this.total.inc();
    const { status, details, stat, isDegraded } = this.find();
    const isGood = status >= 200 && status < 300;
    (isGood ? this.ok : this.failed).inc();
    if (isDegraded) this.degraded.inc();
    if (stat !== '') this.context.stats.scope('health_check').counter(stat).inc();
    return {
      status,
      body: '',
      details,
      flags: isGood ? ResponseFlag.None : ResponseFlag.FailedLocalHealthCheck,
      headers: isDegraded ? [['x-envoy-degraded', '']] : [],
    };
  }

  private find(): Finding {
    const good = { status: 200, stat: '', isDegraded: false };
    if (this.isFailed) return { ...good, status: 503, details: 'health_check_failed' };
    const known = this.known();
    if (known !== null) {
      const { status, isDegraded } = known;
      return { status, isDegraded, stat: 'cached_response', details: 'health_check_cached' };
    }
    for (const { name, healthyPercentMin } of this.data.clusters) {
      const members = this.context.membership?.(name) ?? null;
      if (members === null) return bad('failed_cluster_not_found', 'health_check_failed_no_cluster_found');
      if (members.total === 0) {
        if (healthyPercentMin === 0) continue;
        return bad('failed_cluster_empty', 'health_check_failed_cluster_empty');
      }
      if (members.healthy * 100 < members.total * healthyPercentMin)
        return bad('failed_cluster_unhealthy', 'health_check_failed_cluster_unhealthy');
    }
    const isByCluster = this.data.clusters.length > 0;
    return { ...good, details: isByCluster ? 'health_check_ok_cluster_healthy' : 'health_check_ok' };
  }

  private known(): Remembered | null {
    const { remembered } = this;
    return remembered !== null && this.context.clock.now < remembered.untilMs ? remembered : null;
  }
}

/** Shown from the start, as in Envoy. */
const rareStats = ['cached_response', 'failed_cluster_not_found', 'failed_cluster_empty', 'failed_cluster_unhealthy'];

function bad(stat: string, details: string): Finding {
  return { status: 503, stat, details, isDegraded: false };
}

class CheckedExchange implements HttpFilter {
  private readonly filter: HealthCheckFilter;
  private isCheck: boolean;
  /** The answer comes from here, when the request is complete. */
  private isOurs: boolean;

  constructor(filter: HealthCheckFilter) {
    this.filter = filter;
    this.isCheck = false;
    this.isOurs = false;
  }

  onRequestHead(stream: Stream, head: RequestHead, end: boolean): Verdict {
    this.isCheck = this.filter.isCheck(head);
    if (!this.isCheck) return Verdict.Continue;
    stream.outcome.isHealthCheck = true;
    this.isOurs = this.filter.begin();
    if (!this.isOurs) return Verdict.Continue;
    if (!end) return Verdict.StopAndBuffer;
    stream.reply(this.filter.answer());
    return Verdict.Stop;
  }

  onRequestData(stream: Stream, _chunk: Uint8Array, end: boolean): Verdict {
    if (!this.isOurs) return Verdict.Continue;
    if (end) stream.reply(this.filter.answer());
    return Verdict.Take;
  }

  onRequestTrailers(stream: Stream): Verdict {
    if (!this.isOurs) return Verdict.Continue;
    stream.reply(this.filter.answer());
    return Verdict.Stop;
  }

  onResponseHead(_stream: Stream, head: ResponseHead): Verdict {
    const { filter } = this;
    if (this.isCheck) {
      filter.remember(head);
      head.headers.set('x-envoy-upstream-healthchecked-cluster', filter.localCluster);
    }
    if (filter.isFailed) head.headers.set('x-envoy-immediate-health-check-fail', 'true');
    return Verdict.Continue;
  }
}
