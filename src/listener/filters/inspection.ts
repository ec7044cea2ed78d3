import type { Clock, Timers } from '../../core/clock.ts';
import type { AcceptedConnection } from '../../core/connection.ts';
import type { Failure } from '../../core/failure.ts';
import { DownstreamLocalClose } from '../../core/failures.ts';
import type { Peer } from '../../core/peer.ts';
import type { Counter, Gauge, StatsScope } from '../../observe/stats/stats.ts';
import type { ListenerFilter } from './listener-filter.ts';
import { PendingConnection } from './pending-connection.ts';

/** A filter as a listener has it configured. */
export interface ConfiguredFilter {
  /** Null: its configuration has not come. */
  readonly filter: ListenerFilter | null;
  /** Whether it skips connections of this kind; null: none. */
  readonly isDisabled: ((peer: Peer) => boolean) | null;
  /** It becomes another when another comes, until this; absent: it stays what it is. */
  readonly release?: () => void;
}

/** A filter as one connection has it. */
export interface FilterNow extends ConfiguredFilter {
  readonly filter: ListenerFilter;
}

function isThere(one: ConfiguredFilter): one is FilterNow {
  return one.filter !== null;
}

/** Who gets the connections when the filters are done with them. */
export interface InspectionUser {
  /** `hasUnread`: what it has sent was looked at, and is heard again; `isHandedOver`: as when it began. */
  onInspected(connection: AcceptedConnection, hasUnread: boolean, isHandedOver: boolean): void;
  /** It has died before a filter chain was chosen. */
  onInspectionFailed(connection: AcceptedConnection, peer: Peer): void;
}

export interface InspectionParts {
  readonly filters: readonly ConfiguredFilter[];
  /** `listener.<address>`. */
  readonly scope: StatsScope;
  readonly clock: Clock;
  readonly timers: Timers;
  /** listener_filters_timeout; 0: none. */
  readonly timeoutMs: number;
  /** continue_on_listener_filters_timeout. */
  readonly continuesOnTimeout: boolean;
}

/** The listener filters of one listener in one worker, and the connections that they look at. */
export class Inspection {
  private readonly filters: readonly ConfiguredFilter[];
  /** They are always the same; null: some come by ECDS. */
  private readonly fixed: readonly FilterNow[] | null;
  /** What connections are closed with. */
  readonly failure: Failure;
  private readonly user: InspectionUser;
  private readonly clock: Clock;
  private readonly timers: Timers;
  private readonly timeoutMs: number;
  private readonly continuesOnTimeout: boolean;
  private readonly active: Gauge;
  private readonly timeouts: Counter;
  private readonly remoteCloses: Counter;
  private readonly errors: Counter;
  private readonly missing: Counter;
  private readonly waiting: Set<PendingConnection>;

  constructor(user: InspectionUser, parts: InspectionParts) {
    this.filters = parts.filters;
    this.fixed = parts.filters.every((one) => one.release === undefined && isThere(one))
      ? parts.filters.filter(isThere)
      : null;
    this.failure = DownstreamLocalClose.with('listener_filter');
    this.user = user;
    this.clock = parts.clock;
    this.timers = parts.timers;
    this.timeoutMs = parts.timeoutMs;
    this.continuesOnTimeout = parts.continuesOnTimeout;
    const { scope } = parts;
    this.active = scope.gauge('downstream_pre_cx_active');
    this.timeouts = scope.counter('downstream_pre_cx_timeout');
    this.remoteCloses = scope.counter('downstream_listener_filter_remote_close');
    this.errors = scope.counter('downstream_listener_filter_error');
    this.missing = scope.counter('extension_config_missing');
    this.waiting = new Set();
  }

  /** `isHandedOver`: another listener has accepted it. */
  begin(connection: AcceptedConnection, isHandedOver = false): void {
    const filters =
      this.fixed ?? this.filters.filter(isThere).map(({ filter, isDisabled }) => ({ filter, isDisabled }));
    const pending = new PendingConnection(connection, this, filters, isHandedOver);
    if (filters.length === this.filters.length) {
      pending.advance();
      return;
    }
    // Source: Envoy `ListenerImpl::createListenerFilterChain`.
    this.missing.inc();
    pending.close();
  }

  /** Nobody is looked at any more. */
  release(): void {
    for (const { release } of this.filters) release?.();
  }

  /** Those that have said nothing are closed; the others may finish. */
  end(): void {
    for (const pending of this.waiting) if (pending.bytes.length === 0) pending.close();
  }

  closeAll(): void {
    for (const pending of this.waiting) pending.close();
  }

  // What a pending connection tells.

  waits(pending: PendingConnection): void {
    this.active.inc();
    this.waiting.add(pending);
    if (this.timeoutMs > 0) this.timers.schedule(pending, this.clock.now + this.timeoutMs);
  }

  /** True: it may go on as it is. */
  timedOut(): boolean {
    this.timeouts.inc();
    return this.continuesOnTimeout;
  }

  lost(isError: boolean): void {
    (isError ? this.errors : this.remoteCloses).inc();
  }

  done(pending: PendingConnection): void {
    this.forget(pending);
    this.user.onInspected(pending.connection, pending.bytes.length > 0, pending.isHandedOver);
  }

  given(pending: PendingConnection): void {
    this.forget(pending);
    this.user.onInspectionFailed(pending.connection, pending.peer);
  }

  private forget(pending: PendingConnection): void {
    if (!this.waiting.delete(pending)) return;
    this.active.dec();
    this.timers.cancel(pending);
  }
}
