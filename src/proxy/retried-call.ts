import type { Cluster } from '../cluster/cluster.ts';
import { HttpCall, type HttpCallSettings, type HttpCallUser } from '../cluster/http-call.ts';
import type { Timed } from '../core/clock.ts';
import { RetryKind, type Failure } from '../core/failure.ts';
import type { RequestHead } from '../core/head.ts';
import type { CallOut, CallRetries } from '../filter/call-outs.ts';

const timedOut = 504;

/** A request of our own that is asked again after a server's error or a reset, within one timeout for all tries. */
export class RetriedCall implements CallOut, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly cluster: Cluster;
  private readonly request: RequestHead;
  private readonly body: Uint8Array | null;
  private readonly settings: HttpCallSettings;
  private readonly retries: CallRetries;
  private readonly user: HttpCallUser;
  private readonly endsAt: number;
  private tries: number;
  private call: HttpCall | null;
  /** One that is waited for or on its way counts for the cluster's breaker. */
  private isRepeat: boolean;

  constructor(
    cluster: Cluster,
    request: RequestHead,
    body: Uint8Array | null,
    settings: HttpCallSettings,
    retries: CallRetries,
    user: HttpCallUser,
  ) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.cluster = cluster;
    this.request = request;
    this.body = body;
    this.settings = settings;
    this.retries = retries;
    this.user = user;
    this.endsAt = settings.timeoutMs > 0 ? settings.clock.now + settings.timeoutMs : Infinity;
    this.tries = 0;
    this.call = null;
    this.isRepeat = false;
  }

  /** Once. */
  start(): void {
    const { settings, endsAt, user } = this;
    const leftMs = endsAt - settings.clock.now;
    const timeoutMs = Math.min(leftMs, this.retries.tryTimeoutMs || Infinity);
    const call = new HttpCall(
      this.cluster,
      this.request,
      this.body,
      {
        ...settings,
        timeoutMs: timeoutMs === Infinity ? 0 : timeoutMs,
        isOfTry: timeoutMs < leftMs,
        repeats: (status, failure) => this.repeats(status, failure),
      },
      {
        onAnswer: (head, body) => {
          this.release();
          user.onAnswer(head, body);
        },
        onFailure: (reason) => {
          this.release();
          user.onFailure(reason);
        },
      },
    );
    this.call = call;
    call.start();
  }

  cancel(): void {
    this.settings.timers.cancel(this);
    this.call?.cancel();
    this.release();
  }

  /** After the back-off, or when there is no time left for another try. */
  tick(): void {
    const { cluster, settings, endsAt } = this;
    if (settings.clock.now >= endsAt) {
      this.release();
      cluster.stats.rqTimeout.inc();
      cluster.stats.recordCode(timedOut, true, false, '');
      this.user.onFailure(`there is no whole answer after ${settings.timeoutMs} ms`);
      return;
    }
    cluster.stats.rqRetry.inc();
    cluster.stats.rqRetryBackoffExponential.inc();
    this.start();
  }

  private repeats(status: number, failure: Failure | null): boolean {
    const { cluster, settings, retries } = this;
    if (retries.max === null) return false;
    const { stats } = cluster;
    const isWanted = status >= 500 || (failure !== null && failure.kind.retry !== RetryKind.Never);
    if (this.isRepeat && !isWanted) stats.rqRetrySuccess.inc();
    this.release();
    if (!isWanted) return false;
    if (this.tries >= retries.max) {
      stats.rqRetryLimitExceeded.inc();
      return false;
    }
    const limit = cluster.breakers(0).retries;
    if (!limit.canCreate) {
      stats.rqRetryOverflow.inc();
      return false;
    }
    const intervalMs = Math.min(retries.maxMs, retries.baseMs * 2 ** this.tries) * settings.random();
    this.tries++;
    limit.inc();
    this.isRepeat = true;
    if (failure === null) this.recordRepeated(status);
    settings.timers.schedule(this, Math.min(this.endsAt, settings.clock.now + intervalMs));
    return true;
  }

  /** The answer of a try that is repeated counts below `retry.` only. */
  private recordRepeated(status: number): void {
    const scope = this.cluster.stats.scope.scope('retry');
    for (const code of [String(status), `${Math.floor(status / 100)}xx`, 'completed'])
      scope.counter(`upstream_rq_${code}`).inc();
  }

  private release(): void {
    if (!this.isRepeat) return;
    this.isRepeat = false;
    this.cluster.breakers(0).retries.dec();
  }
}
