import { isDeepStrictEqual } from '../../core/deep-equal.ts';
import type { ClusterData, HostData } from '../../cluster/cluster-data.ts';
import type { Discovery, DiscoveryListener } from '../../cluster/discovery/discovery.ts';
import { decodeAssignment, type DecodedAssignment } from '../../cluster/endpoint/decode.ts';
import { TransportChoice } from '../../cluster/transport/transport-choice.ts';
import type { Clock, Timed, Timers } from '../../core/clock.ts';
import type { Counter, StatsScope } from '../../observe/stats/stats.ts';
import { ClusterLoadAssignmentSchema } from '../../proto/envoy/config/endpoint/v3/endpoint_pb.js';
import type { OpenedResource, Subscription, SubscriptionUser } from '../xds/resource-kind.ts';
import { readResource } from './read-resource.ts';

export interface EndpointsSurroundings {
  readonly clock: Clock;
  readonly timers: Timers;
  /** `cluster_manager.local_cluster_name`; empty: none. */
  readonly localCluster: string;
  readonly log: { debug(message: string): void; warn(message: string): void };
}

/** The hosts of one cluster that a control plane tells. Source of its words and rules: Envoy `EdsClusterImpl`. */
export class DiscoveredEndpoints implements Discovery, SubscriptionUser, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  /** Set once, right after construction. */
  subscription: Subscription | null;
  private readonly cluster: ClusterData;
  private readonly serviceName: string;
  private readonly surroundings: EndpointsSurroundings;
  private readonly listener: DiscoveryListener;
  private readonly transports: TransportChoice;
  private readonly empty: Counter;
  private readonly noRebuild: Counter;
  private readonly stale: Counter;
  private readonly timeoutReceived: Counter;
  /** As it came; null: none has. */
  private packed: Uint8Array | null;
  private decoded: DecodedAssignment | null;

  /** `scope`: of the cluster. `before`: what told the hosts of the version before; what it knows holds until more comes. */
  constructor(
    cluster: ClusterData,
    serviceName: string,
    scope: StatsScope,
    surroundings: EndpointsSurroundings,
    listener: DiscoveryListener,
    before: DiscoveredEndpoints | null,
  ) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.subscription = null;
    this.cluster = cluster;
    this.serviceName = serviceName;
    this.surroundings = surroundings;
    this.listener = listener;
    this.transports = new TransportChoice(cluster.transports, cluster.transportMatcher);
    this.empty = scope.counter('update_empty');
    this.noRebuild = scope.counter('update_no_rebuild');
    this.stale = scope.counter('assignment_stale');
    this.timeoutReceived = scope.counter('assignment_timeout_received');
    scope.counter('assignment_use_cached');
    this.packed = before?.serviceName === serviceName ? before.packed : null;
    this.decoded = null;
  }

  start(): void {
    if (this.packed !== null) this.take(this.packed);
    this.subscription?.start();
  }

  stop(): void {
    this.surroundings.timers.cancel(this);
    this.subscription?.stop();
  }

  /** Nobody has told the hosts again. */
  tick(): void {
    this.stale.inc();
    this.packed = null;
    if (this.decoded !== null) this.decoded = { ...this.decoded, hosts: [] };
    this.listener.onHosts([], this.decoded?.assignment);
  }

  // SubscriptionUser

  onResources(resources: readonly OpenedResource[]): string {
    if (resources.length === 0) {
      this.surroundings.log.debug(`Missing ClusterLoadAssignment for ${this.serviceName} in onConfigUpdate()`);
      this.empty.inc();
      this.listener.onWarm();
      return '';
    }
    if (resources.length > 1) return `Unexpected EDS resource length: ${resources.length}`;
    const [{ packed }] = resources;
    // As it was, but for how long it holds.
    if (this.packed !== null && this.decoded !== null && Buffer.compare(packed, this.packed) === 0) {
      this.noRebuild.inc();
      this.holdFor(this.decoded.staleAfterMs);
      return '';
    }
    return this.take(packed);
  }

  /** One that is removed leaves its hosts, as in Envoy. */
  onDelta(set: readonly OpenedResource[], removed: readonly string[]): string {
    return set.length === 0 && removed.length > 0 ? '' : this.onResources(set);
  }

  onGivenUp(): void {
    this.listener.onWarm();
  }

  // ---- inside

  private take(packed: Uint8Array): string {
    const { serviceName, decoded: before, listener } = this;
    const decoded = readResource(ClusterLoadAssignmentSchema, packed, (message, reasons) =>
      decodeAssignment(message, this.transports, reasons),
    );
    if (typeof decoded === 'string') return decoded;
    const { clusterName, assignment, staleAfterMs } = decoded;
    const hosts = sharing(decoded.hosts, before?.hosts ?? []);
    if (clusterName !== serviceName) {
      const refusal = `Unexpected EDS cluster (expecting ${serviceName}): ${clusterName}`;
      this.surroundings.log.warn(`eds: cluster '${serviceName}' config rejected: ${refusal}`);
      return refusal;
    }
    const { name } = this.cluster;
    if (name === this.surroundings.localCluster && hosts.some(({ priority }) => priority > 0))
      return `Unexpected non-zero priority for local cluster '${name}'.`;
    // A view of the response would keep all of that.
    this.packed = Buffer.from(packed);
    this.decoded = { ...decoded, hosts };
    this.holdFor(staleAfterMs);
    if (before !== null && hosts === before.hosts && isDeepStrictEqual(before.assignment, assignment))
      this.noRebuild.inc();
    else listener.onHosts(hosts, assignment);
    listener.onWarm();
    return '';
  }

  private holdFor(staleAfterMs: number): void {
    const { clock, timers } = this.surroundings;
    timers.cancel(this);
    if (staleAfterMs === 0) return;
    this.timeoutReceived.inc();
    timers.schedule(this, clock.now + staleAfterMs);
  }
}

/** These hosts, each the same object as before where it is as it was; all of them: the same list. */
function sharing(hosts: readonly HostData[], before: readonly HostData[]): readonly HostData[] {
  let isSame = hosts.length === before.length;
  const shared = hosts.map((host, i) => {
    if (i < before.length && isDeepStrictEqual(host, before[i])) return before[i];
    isSame = false;
    return host;
  });
  return isSame ? before : shared;
}
