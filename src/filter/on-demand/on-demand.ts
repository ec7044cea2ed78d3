import type { RequestHead } from '../../core/head.ts';
import { Verdict, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import type { ClusterLookups, ClusterWaiter, OnDemandData } from './on-demand-data.ts';

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

/** A request for a cluster that is not known waits until it has been asked for. Source: Envoy `OnDemandRouteUpdate`. */
class OnDemand implements HttpFilter, ClusterWaiter {
  private readonly shared: OnDemandFilters;
  /** That waits; null: nothing does. */
  private stream: Stream | null;
  private name: string;

  constructor(shared: OnDemandFilters) {
    this.shared = shared;
    this.stream = null;
    this.name = '';
  }

  onRequestHead(stream: Stream, _head: RequestHead): Verdict {
    const name = stream.missingCluster ?? '';
    if (name === '') return Verdict.Continue;
    const { data, filterName, lookups } = this.shared;
    const { odcds } = (stream.perFilterConfig(filterName) as OnDemandData | undefined) ?? data;
    // Without the cluster the router says what there is to say.
    if (odcds === null || lookups.want(odcds, name, this) === 'refused') return Verdict.Continue;
    this.name = name;
    this.stream = stream;
    return Verdict.Stop;
  }

  onCluster(isThere: boolean): void {
    const { stream } = this;
    this.stream = null;
    if (stream === null) return;
    if (isThere) stream.clearRoute();
    stream.resumeRequest(this);
  }

  onComplete(): void {
    if (this.stream === null) return;
    this.stream = null;
    this.shared.lookups.cancel(this.name, this);
  }
}
