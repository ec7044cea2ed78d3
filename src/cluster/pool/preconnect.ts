import type { UpstreamHost } from '../host/host.ts';
import type { PreconnectData } from '../cluster-data.ts';

/**
 * Whether the connections of a pool are fewer than its streams will want: as many as `ratio` times those that wait and
 * those that are served. Source: Envoy `ConnPoolImplBase::shouldConnect`.
 */
export class Preconnect {
  private readonly ratio: number;
  private readonly host: UpstreamHost;

  constructor(data: PreconnectData, host: UpstreamHost) {
    this.ratio = data.ratio;
    this.host = host;
  }

  /**
   * `capacity`: how many streams the connections carry or could carry, whether they are open yet or not. A host that is
   * not healthy is not made to do more than it is asked.
   */
  wants(pending: number, active: number, capacity: number): boolean {
    return this.host.isHealthy && (pending + active) * this.ratio > capacity;
  }
}

/** Null: connections are opened when somebody waits. */
export function preconnectOf(data: PreconnectData | undefined, host: UpstreamHost): Preconnect | null {
  return data === undefined ? null : new Preconnect(data, host);
}
