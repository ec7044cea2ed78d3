import type { Counter, Gauge, StatsScope } from '../../../observe/stats/stats.ts';
import type { SetText } from '../subscription-stats.ts';

/** `control_plane.*` of a stream. */
export class ControlPlaneStats {
  readonly isConnected: Gauge;
  readonly pendingRequests: Gauge;
  readonly rateLimitEnforced: Counter;
  private readonly identifierName: string;
  private readonly setText: SetText;
  private last: string;

  /** `prefix`: of `scope`, for the text; empty: the root's. */
  constructor(scope: StatsScope, prefix: string, setText: SetText) {
    const own = scope.scope('control_plane');
    this.isConnected = own.gauge('connected_state');
    this.pendingRequests = own.gauge('pending_requests');
    this.rateLimitEnforced = own.counter('rate_limit_enforced');
    this.identifierName = `${prefix === '' ? '' : `${prefix}.`}control_plane.identifier`;
    this.setText = setText;
    this.last = '';
    this.isConnected.set(0);
    setText(this.identifierName, '');
  }

  identified(identifier: string): void {
    if (identifier === this.last) return;
    this.last = identifier;
    this.setText(this.identifierName, identifier);
  }
}
