import type { AcceptedConnection } from '../core/connection.ts';
import { DownstreamLocalClose } from '../core/failures.ts';
import {
  happens,
  type LoadShedPoint,
  type OverloadState,
  type OverloadView,
  type TimerScale,
} from '../core/overload-view.ts';
import type { Counter, StatsScope } from '../observe/stats/stats.ts';
import type { ProcessConnections } from './process-connections.ts';

/** How many may wait to be accepted where tcp_backlog_size says nothing: the kernel's own default, SOMAXCONN. */
const waitingMax = 4096;

export interface AdmissionParts {
  /** `listener.<address>`. */
  readonly scope: StatsScope;
  readonly limit: ProcessConnections;
  /** `ignore_global_conn_limit` */
  readonly ignoresLimit: boolean;
  /** Null: none is configured, or the listener bypasses it. */
  readonly overload: OverloadView | null;
  /** `tcp_backlog_size`; -1: not said. */
  readonly backlog: number;
  readonly random: () => number;
}

/** Who is let in, before a listener looks at a connection at all: the limit of the process, and the overload manager's word. */
export class Admission {
  /** Of `reduce_timeouts`, for handshakes; null: they keep their time. */
  readonly handshakes: TimerScale | null;
  private readonly limit: ProcessConnections;
  private readonly ignoresLimit: boolean;
  /** As Envoy: what ignores the limit counts where the runtime sets it, and not where a monitor does. */
  private readonly isCounted: boolean;
  private readonly sheds: LoadShedPoint | null;
  private readonly rejects: OverloadState | null;
  private readonly stops: OverloadState | null;
  private readonly waitingMax: number;
  private readonly random: () => number;
  private readonly overLimit: Counter;
  private readonly rejected: Counter;
  /** Accepted by the kernel, and nobody has looked at them yet. */
  private waiting: AcceptedConnection[];

  constructor({ scope, limit, ignoresLimit, overload, backlog, random }: AdmissionParts) {
    this.handshakes = overload?.timer('TRANSPORT_SOCKET_CONNECT') ?? null;
    this.limit = limit;
    this.ignoresLimit = ignoresLimit;
    this.isCounted = !(ignoresLimit && limit.isMonitored);
    this.sheds = overload?.shedPoint('tcp_listener_accept') ?? null;
    this.rejects = overload?.action('reject_incoming_connections') ?? null;
    this.stops = overload?.action('stop_accepting_connections') ?? null;
    this.waitingMax = backlog > 0 ? backlog : waitingMax;
    this.random = random;
    this.overLimit = scope.counter('downstream_global_cx_overflow');
    this.rejected = scope.counter('downstream_cx_overload_reject');
    this.waiting = [];
  }

  /** False: it has been closed, or it waits until `next` gives it out. One that is let in counts until `left`. */
  admits(connection: AcceptedConnection): boolean {
    if (this.isStopped) {
      this.wait(connection);
      return false;
    }
    if (this.isCounted && !this.limit.enter(this.ignoresLimit)) {
      this.overLimit.inc();
      connection.destroy(DownstreamLocalClose);
      return false;
    }
    if (!this.isRejecting()) return true;
    this.left();
    this.rejected.inc();
    connection.destroy(DownstreamLocalClose);
    return false;
  }

  /** Another listener has let it in and hands it over. */
  adopted(): void {
    if (this.isCounted) this.limit.enter(true);
  }

  left(): void {
    if (this.isCounted) this.limit.left();
  }

  /** Who waits longest, once nobody has to wait any more; null: nobody does, or all must. */
  next(): AcceptedConnection | null {
    const connection = this.isStopped ? null : (this.waiting.shift() ?? null);
    connection?.resume();
    return connection;
  }

  /** The listener takes nobody any more: those who wait go as they would have gone out of the kernel's queue. */
  close(): void {
    for (const connection of this.waiting.splice(0)) connection.destroy(DownstreamLocalClose);
  }

  private get isStopped(): boolean {
    return this.stops !== null && this.stops.value >= 1;
  }

  private isRejecting(): boolean {
    if (this.sheds !== null && this.sheds.shedsLoad()) return true;
    return this.rejects !== null && happens(this.rejects, this.random);
  }

  private wait(connection: AcceptedConnection): void {
    if (this.waiting.length < this.waitingMax) {
      // What it sends stays in the kernel.
      connection.pause();
      this.waiting.push(connection);
      return;
    }
    this.rejected.inc();
    connection.destroy(DownstreamLocalClose);
  }
}
