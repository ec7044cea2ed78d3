import type { Counter, Gauge, StatsScope } from './stats.ts';

/** `filesystem.*`, Envoy's names. */
export class FileStats {
  readonly writeBuffered: Counter;
  readonly writeCompleted: Counter;
  readonly writeFailed: Counter;
  readonly flushedByTimer: Counter;
  readonly reopenFailed: Counter;
  readonly bytesBuffered: Gauge;

  constructor(root: StatsScope) {
    const scope = root.scope('filesystem');
    this.writeBuffered = scope.counter('write_buffered');
    this.writeCompleted = scope.counter('write_completed');
    this.writeFailed = scope.counter('write_failed');
    this.flushedByTimer = scope.counter('flushed_by_timer');
    this.reopenFailed = scope.counter('reopen_failed');
    this.bytesBuffered = scope.gauge('write_total_buffered');
  }
}
