import { xxHash64 } from '../../core/xx-hash64.ts';
import type { Counter, Gauge, Histogram, StatsScope } from '../../observe/stats/stats.ts';

/** Where texts among the stats go: `version_text`. */
export type SetText = (name: string, value: string) => void;

/** What a subscription is counted under. */
export interface CountedAs {
  readonly scope: StatsScope;
  /** Of `scope`, for the texts. */
  readonly prefix: string;
  readonly setText: SetText;
}

/** What Envoy counts of every subscription. An attempt is the start, and each of the outcomes. */
export class SubscriptionStats {
  readonly fetchTimeout: Counter;
  readonly attempt: Counter;
  readonly failure: Counter;
  readonly rejected: Counter;
  readonly success: Counter;
  readonly duration: Histogram;
  private readonly updatedMs: Gauge;
  private readonly version: Gauge;
  private readonly versionText: string;
  private readonly setText: SetText;

  /** `prefix`: of `scope`, for the texts. */
  constructor(scope: StatsScope, prefix: string, setText: SetText) {
    this.fetchTimeout = scope.counter('init_fetch_timeout');
    this.attempt = scope.counter('update_attempt');
    this.failure = scope.counter('update_failure');
    this.rejected = scope.counter('update_rejected');
    this.success = scope.counter('update_success');
    this.duration = scope.histogram('update_duration');
    this.updatedMs = scope.gauge('update_time');
    this.version = scope.gauge('version');
    this.versionText = `${prefix}.version_text`;
    this.setText = setText;
    setText(this.versionText, '');
  }

  succeeded(version: string, epochMs: number, durationMs: number): void {
    this.success.inc();
    this.attempt.inc();
    this.duration.record(durationMs);
    this.updatedMs.set(Math.floor(epochMs));
    const { high, low } = xxHash64(Buffer.from(version));
    this.version.set(high * 0x1_0000_0000 + low);
    this.setText(this.versionText, version);
  }

  failed(outcome: Counter): void {
    outcome.inc();
    this.attempt.inc();
  }
}
