import type { Timed } from '../../core/clock.ts';
import type { DnsAnswer } from '../../net/dns-resolver.ts';
import { splitName } from '../../core/destination.ts';
import type { DnsCache, TellEnd } from './dns-cache.ts';

/** The least time between two questions: a TTL of 0 must not become a loop. */
const refreshMinMs = 1;

/** Envoy's words. */
const noRecords = 'cares_norecords:Domain name not found';
const timedOut = 'resolve_timeout';

/** One name of a cache: asked for when it is added, and when its answer is old. */
export class CachedName implements Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  /** `host:port`. */
  readonly name: string;
  /** Empty: none. An answer without one does not take it away. */
  address: string;
  /** Why it has no address, in Envoy's words. */
  private details: string;
  /** There has been an answer, or a failure. */
  isAnswered: boolean;
  private readonly cache: DnsCache;
  private readonly host: string;
  private lastUsedMs: number;
  private failures: number;
  /** Questions so far: an answer to one that was given up does not count. */
  private question: number;
  private isAsking: boolean;

  constructor(name: string, cache: DnsCache) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.name = name;
    this.address = '';
    this.isAnswered = false;
    this.details = '';
    this.cache = cache;
    this.host = splitName(name).host;
    this.lastUsedMs = cache.environment.clock.now;
    this.failures = 0;
    this.question = 0;
    this.isAsking = false;
  }

  start(): void {
    void this.ask();
  }

  /** Somebody asks for it. */
  use(): void {
    this.lastUsedMs = this.cache.environment.clock.now;
  }

  /** What is known of it, once it is answered. */
  tell(end: TellEnd): void {
    if (this.address === '') end('unresolved', this.details);
    else end('cached', '');
  }

  stop(): void {
    this.question++;
    this.cache.environment.timers.cancel(this);
  }

  /** It took too long, or is to be asked for again. */
  tick(now: number): void {
    const { cache } = this;
    if (this.isAsking) {
      this.question++;
      cache.stats.timeout.inc();
      this.take({ kind: 'failed', reason: timedOut });
      return;
    }
    if (cache.wasUsed(this.name)) this.lastUsedMs = now;
    if (now - this.lastUsedMs > cache.data.hostTtlMs) cache.forget(this);
    else void this.ask();
  }

  private async ask(): Promise<void> {
    const { cache } = this;
    const { clock, timers } = cache.environment;
    const { queryTimeoutMs, family } = cache.data;
    const question = ++this.question;
    this.isAsking = true;
    cache.stats.attempt.inc();
    if (queryTimeoutMs > 0) timers.schedule(this, clock.now + queryTimeoutMs);
    const answer = await cache.resolver.resolve(this.host, family, () => question === this.question);
    if (question === this.question) this.take(answer);
  }

  private take(answer: DnsAnswer): void {
    const { cache } = this;
    const isFirst = !this.isAnswered;
    this.isAsking = false;
    this.isAnswered = true;
    this.details =
      answer.kind === 'answered' ? noRecords : answer.reason === timedOut ? timedOut : `cares_failure:${answer.reason}`;
    if (answer.kind === 'answered') cache.stats.success.inc();
    else cache.stats.failure.inc();
    const found = answer.kind === 'answered' ? answer.addresses[0] : undefined;
    const isChanged = found !== undefined && found.address !== this.address;
    if (isChanged) {
      this.address = found.address;
      cache.stats.addressChanged.inc();
    }
    if (answer.kind === 'failed' && cache.data.forgetsFailures && this.address === '') {
      cache.forget(this);
    } else {
      const delay = answer.kind === 'failed' ? this.retryDelay() : this.refreshAfter(found?.ttlSeconds ?? 0);
      cache.environment.timers.schedule(this, cache.environment.clock.now + Math.max(refreshMinMs, delay));
    }
    if (isFirst || isChanged) cache.onAnswer(this, isChanged);
  }

  private refreshAfter(ttlSeconds: number): number {
    this.failures = 0;
    const { refreshMs, refreshMinMs: floorMs } = this.cache.data;
    return Math.max(ttlSeconds === 0 ? refreshMs : ttlSeconds * 1000, floorMs);
  }

  private retryDelay(): number {
    const { failureRefresh, refreshMs } = this.cache.data;
    if (failureRefresh === null) return refreshMs;
    const bound = Math.min(failureRefresh.maxMs, failureRefresh.baseMs * 2 ** this.failures);
    if (bound < failureRefresh.maxMs) this.failures++;
    return Math.floor(this.cache.environment.random() * bound);
  }
}
