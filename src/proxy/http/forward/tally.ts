import type { Cluster, Host } from '../../../cluster/cluster.ts';
import type { RouteStats } from '../stats/route-stats.ts';
import type { HttpStream } from '../stream/stream.ts';

/** Where one forwarded request counts: at its cluster, and at the virtual cluster and route that want to know. */
export class Tally {
  private readonly stream: HttpStream;
  /** That of the latest try. */
  cluster: Cluster;
  private readonly elsewhere: readonly RouteStats[];

  constructor(stream: HttpStream, cluster: Cluster, elsewhere: readonly RouteStats[]) {
    this.stream = stream;
    this.cluster = cluster;
    this.elsewhere = elsewhere;
  }

  /** A try has its upstream stream; the cluster has counted it already. */
  tried(): void {
    for (const stats of this.elsewhere) stats.total.inc();
  }

  retried(): void {
    this.cluster.stats.rqRetry.inc();
    for (const stats of this.elsewhere) stats.retry.inc();
  }

  /** The answer that is passed on came from a repeat; or, as Envoy counts, what came after one is not repeated. */
  retrySucceeded(): void {
    this.cluster.stats.rqRetrySuccess.inc();
    for (const stats of this.elsewhere) stats.retrySuccess.inc();
  }

  retryLimitExceeded(): void {
    this.cluster.stats.rqRetryLimitExceeded.inc();
    for (const stats of this.elsewhere) stats.retryLimitExceeded.inc();
  }

  retryOverflowed(): void {
    this.cluster.stats.rqRetryOverflow.inc();
    for (const stats of this.elsewhere) stats.retryOverflow.inc();
  }

  timedOut(): void {
    this.cluster.stats.rqTimeout.inc();
    for (const stats of this.elsewhere) stats.timeout.inc();
  }

  /** An answer's status. `hostZone`: empty where no host gave it. */
  recordCode(status: number, isCanary: boolean, hostZone: string): void {
    // As Envoy: checks are no traffic.
    if (!this.stream.chain.router.dynamicStats || this.stream.outcome.isHealthCheck) return;
    this.cluster.stats.recordCode(status, this.stream.outcome.isInternal, isCanary, hostZone);
    for (const stats of this.elsewhere) stats.recordCode(status);
  }

  /** A try is over, however it went. `beganMs`: when it was begun. */
  tryEnded(beganMs: number, timeoutMs: number): void {
    this.cluster.stats.timeoutBudget?.recordTry(this.stream.clock.now - beganMs, timeoutMs);
  }

  /** From the end of the request to the end of its answer; an answer that was faster has no such time. */
  recordTime(host: Host, timeoutMs: number): void {
    const { outcome, clock } = this.stream;
    if (Number.isNaN(outcome.requestEndMs)) return;
    const elapsedMs = Math.round(clock.now - outcome.requestEndMs);
    for (const stats of this.elsewhere) stats.recordTime(elapsedMs);
    this.cluster.stats.recordTime(elapsedMs, outcome.isInternal, host.canary, host.zone);
    this.cluster.stats.timeoutBudget?.recordRequest(elapsedMs, timeoutMs);
  }
}
