import type { H1Counters } from '../../../codec/h1/options.ts';
import type { Counter, StatsScope } from '../../../observe/stats/stats.ts';

/** `http1.*`: what the codecs of all downstream connections count together. */
export class Http1Counters implements H1Counters {
  private readonly dropped: Counter;
  private readonly rejected: Counter;

  /** `root`: the root scope. */
  constructor(root: StatsScope) {
    const scope = root.scope('http1');
    this.dropped = scope.counter('dropped_headers_with_underscores');
    this.rejected = scope.counter('requests_rejected_with_underscores_in_headers');
  }

  droppedHeaderWithUnderscores(): void {
    this.dropped.inc();
  }

  rejectedRequestWithUnderscores(): void {
    this.rejected.inc();
  }
}
