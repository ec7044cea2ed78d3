import type { Clock } from '../../core/clock.ts';
import type { ConnectionError, ConnectionFacts, ConnectionReport, Reporter } from '../proxy/connection-facts.ts';
import type { AccessLog } from './access-log.ts';
import { LabelCache } from './label-cache.ts';
import type { TrafficLabels, TrafficMetrics } from './traffic-metrics.ts';

/** Counts and logs a thread's connections. */
export class TrafficReporter implements Reporter {
  readonly metrics: TrafficMetrics;
  readonly log: AccessLog;
  readonly clock: Clock;
  readonly labels: LabelCache;

  constructor(metrics: TrafficMetrics, log: AccessLog, clock: Clock) {
    this.metrics = metrics;
    this.log = log;
    this.clock = clock;
    this.labels = new LabelCache();
  }

  open(facts: ConnectionFacts): ConnectionReport {
    this.log.opened(facts);
    return new TrafficReport(this, facts);
  }

  refused(facts: ConnectionFacts, error: ConnectionError): void {
    this.log.refused(facts, error);
  }
}

class TrafficReport implements ConnectionReport {
  private readonly reporter: TrafficReporter;
  private readonly facts: ConnectionFacts;
  private readonly labels: TrafficLabels;
  private readonly openedMs: number;

  constructor(reporter: TrafficReporter, facts: ConnectionFacts) {
    this.reporter = reporter;
    this.facts = facts;
    this.labels = reporter.labels.of(facts);
    this.openedMs = reporter.clock.now;
    const { metrics } = reporter;
    metrics.of(this.labels, '-').opened++;
    if (facts.direction === 'outbound') metrics.openSource++;
    else metrics.openDestination++;
  }

  close(error: ConnectionError | null, sentBytes: number, receivedBytes: number): void {
    const { reporter, facts } = this;
    const { metrics, clock } = reporter;
    if (facts.direction === 'outbound') metrics.openSource--;
    else metrics.openDestination--;
    const flags = error?.flags ?? '-';
    const counts = metrics.of(this.labels, flags);
    counts.closed++;
    if (flags !== '-') counts.failed++;
    // Bytes are counted while a connection is open, when nothing is known of its end.
    const bytes = flags === '-' ? counts : metrics.of(this.labels, '-');
    bytes.sentBytes += sentBytes;
    bytes.receivedBytes += receivedBytes;
    reporter.log.completed(facts, error, sentBytes, receivedBytes, clock.now - this.openedMs);
  }
}
