import type { RequestHead } from '../../core/head.ts';
import { Verdict, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import type { ClusterLookups, ClusterWaiter, OnDemandData, RouteWaiter } from './on-demand-data.ts';

/** One per connection manager and worker. */
export class OnDemandFilters implements FilterFactory {
  readonly data: OnDemandData;
  readonly filterName: string;
  readonly lookups: ClusterLookups;

  constructor(data: OnDemandData, filterName: string, lookups: ClusterLookups) {
    this.data = data;
    this.filterName = filterName;
    this.lookups = lookups;
  }

  create(): HttpFilter {
    return new OnDemand(this);
  }
}

/**
 * A request without a route waits until what it lacks has been asked for, and one for a cluster that is not known until
 * that has. Source: Envoy `OnDemandRouteUpdate`.
 */
class OnDemand implements HttpFilter, ClusterWaiter, RouteWaiter {
  private readonly shared: OnDemandFilters;
  /** That waits; null: nothing does. */
  private stream: Stream | null;
  /** How to wait no more. */
  private cancel: () => void;

  constructor(shared: OnDemandFilters) {
    this.shared = shared;
    this.stream = null;
    this.cancel = waitsForNothing;
  }

  onRequestHead(stream: Stream, _head: RequestHead): Verdict {
    const cancel = stream.route === null ? (stream.wantRoute?.(this) ?? null) : this.wantCluster(stream);
    if (cancel === null) return Verdict.Continue;
    this.cancel = cancel;
    this.stream = stream;
    return Verdict.Stop;
  }

  /** Null: there is one, or none will be asked for. */
  private wantCluster(stream: Stream): (() => void) | null {
    const name = stream.missingCluster ?? '';
    if (name === '') return null;
    const { data, filterName, lookups } = this.shared;
    const { odcds } = (stream.perFilterConfig(filterName) as OnDemandData | undefined) ?? data;
    // Without the cluster the router says what there is to say.
    if (odcds === null || lookups.want(odcds, name, this) === 'refused') return null;
    return () => lookups.cancel(name, this);
  }

  onCluster(isThere: boolean): void {
    const { stream } = this;
    this.stream = null;
    if (stream === null) return;
    if (isThere) stream.clearRoute();
    stream.resumeRequest(this);
  }

  /** Filters in front have not known the route: they see the request again. */
  onRoute(isThere: boolean): void {
    const { stream } = this;
    this.stream = null;
    if (stream === null || (isThere && stream.beginAnew?.(this) === true)) return;
    stream.resumeRequest(this);
  }

  onComplete(): void {
    if (this.stream === null) return;
    this.stream = null;
    this.cancel();
  }
}

function waitsForNothing(): void {}
