import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../observe/log/log.ts';
import type { Counter, Gauge, StatsScope } from '../../observe/stats/stats.ts';
import { packedKinds } from '../packed-kinds.ts';
import type { OpenedResource, SubscriptionUser } from '../xds/resource-kind.ts';
import type { ClusterRollout } from './cluster-rollout.ts';
import type { DecodedCluster } from './resource-decoding.ts';

/** A cluster as it came. */
export interface ReceivedCluster {
  readonly name: string;
  /** `envoy.config.cluster.v3.Cluster`. */
  readonly packed: Uint8Array;
  readonly version: string;
  readonly updatedEpochMs: number;
}

export interface DynamicClustersEnvironment {
  readonly clock: Clock;
  readonly log: Log;
  /** `cluster_manager.cds`. */
  readonly scope: StatsScope;
  readonly rollout: ClusterRollout;
  /** A sentence: what it breaks of its proto's rules. */
  check(packed: Uint8Array): string;
  /** What has passed the check; a sentence where it is refused. */
  decode(packed: Uint8Array): DecodedCluster | string;
  isStatic(name: string): boolean;
  /** Nobody need wait for the first answer any more. */
  onAnswered(): void;
}

interface Known {
  /** In force; null: none yet. */
  active: ReceivedCluster | null;
  /** To come into force; null: none is. */
  warming: ReceivedCluster | null;
}

/** What of a response came to what. */
class Tally {
  readonly refusals: string[] = [];
  set = 0;
  skipped = 0;
  removed = 0;
}

/** The clusters that come by CDS. Source of its words and rules: Envoy `CdsApiHelper`, `ClusterManagerImpl`. */
export class DynamicClusters implements SubscriptionUser {
  private readonly environment: DynamicClustersEnvironment;
  private readonly known: Map<string, Known>;
  private readonly reloads: Counter;
  private readonly reloadedMs: Gauge;
  /** Of the last response of which anything was applied. */
  version: string;

  constructor(environment: DynamicClustersEnvironment) {
    this.environment = environment;
    this.known = new Map();
    this.reloads = environment.scope.counter('config_reload');
    this.reloadedMs = environment.scope.gauge('config_reload_time_ms');
    this.version = '';
  }

  /** For /config_dump. */
  *active(): Generator<ReceivedCluster> {
    for (const { active } of this.known.values()) if (active !== null) yield active;
  }

  *warming(): Generator<ReceivedCluster> {
    for (const { warming } of this.known.values()) if (warming !== null) yield warming;
  }

  has(name: string): boolean {
    return this.known.has(name);
  }

  /** A cluster of the configuration has this name from now on: it goes before those that come. */
  yieldTo(name: string): void {
    this.known.delete(name);
  }

  // SubscriptionUser

  onResources(resources: readonly OpenedResource[], version: string): string {
    const told = new Set(resources.map(({ name }) => name));
    const removed = [...this.environment.rollout.names].filter((name) => !told.has(name));
    return this.take(resources, removed, version);
  }

  onDelta(set: readonly OpenedResource[], removed: readonly string[], version: string): string {
    return this.take(set, removed, version);
  }

  onGivenUp(): void {
    this.environment.onAnswered();
  }

  // ---- inside

  /** What breaks its proto's rules is refused with everything beside it; else each cluster is for itself. */
  private take(resources: readonly OpenedResource[], removed: readonly string[], version: string): string {
    const { log, clock } = this.environment;
    const broken = resources.flatMap((resource) => {
      const reason = this.isKnown(resource) ? '' : this.environment.check(resource.packed);
      return reason === '' ? [] : [reason];
    });
    if (broken.length > 0) return broken.join('; ');
    log.info(
      `cds: response indicates ${resources.length} added/updated cluster(s), ${removed.length} removed cluster(s); applying changes`,
    );
    const tally = new Tally();
    const seen = new Set<string>();
    for (const resource of resources) {
      const { name } = resource;
      if (seen.has(name)) this.refuse(name, `${name}: duplicate cluster ${name} found`, tally);
      else this.set(resource, tally);
      seen.add(name);
    }
    for (const name of removed) this.remove(name, tally);
    log.info(
      `cds: added/updated ${tally.set} cluster(s) (skipped ${tally.skipped} unmodified cluster(s)); removed ${tally.removed} cluster(s)`,
    );
    if (tally.set + tally.removed > 0) this.version = version;
    this.environment.onAnswered();
    if (tally.refusals.length > 0) return `Error adding/updating cluster(s) ${tally.refusals.join(', ')}`;
    if (tally.set > 0) {
      this.reloads.inc();
      this.reloadedMs.set(Math.floor(clock.epochMs));
    }
    return '';
  }

  /** It is as it was, or stands in the configuration, which goes before. */
  private isKnown({ name, packed }: OpenedResource): boolean {
    if (this.environment.isStatic(name)) return true;
    const known = this.known.get(name);
    const newest = known?.warming ?? known?.active ?? null;
    return newest !== null && Buffer.compare(newest.packed, packed) === 0;
  }

  private set(resource: OpenedResource, tally: Tally): void {
    const { name, version } = resource;
    const { log, clock, rollout } = this.environment;
    if (this.isKnown(resource)) {
      log.debug(`cds: add/update cluster '${name}' skipped`);
      tally.skipped++;
      return;
    }
    const decoded = this.environment.decode(resource.packed);
    if (typeof decoded === 'string') {
      rollout.refused(name);
      log.warn(`cds: cluster '${name}' config rejected: ${decoded}`);
      tally.refusals.push(`${name}: ${decoded}`);
      return;
    }
    const known = this.known.get(name) ?? { active: null, warming: null };
    this.known.set(name, known);
    // A view of the response would keep all of that.
    const packed = Buffer.from(resource.packed);
    const received: ReceivedCluster = { name, packed, version, updatedEpochMs: clock.epochMs };
    known.warming = received;
    void rollout.set(decoded, [...packedKinds(packed)], () => {
      known.active = received;
      known.warming = null;
    });
    log.debug(`cds: add/update cluster '${name}'`);
    tally.set++;
  }

  private refuse(name: string, reason: string, tally: Tally): void {
    this.environment.log.warn(`cds: cluster '${name}' config rejected: ${reason}`);
    tally.refusals.push(reason);
  }

  private remove(name: string, tally: Tally): void {
    if (!this.known.delete(name) || !this.environment.rollout.remove(name)) return;
    this.environment.log.debug(`cds: remove cluster '${name}'`);
    tally.removed++;
  }
}
