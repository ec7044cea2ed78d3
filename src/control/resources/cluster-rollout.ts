import type { ClusterChanges } from '../../cluster/cluster-changes.ts';
import type { ClusterData } from '../../cluster/cluster-data.ts';
import type { ClusterDirectory } from '../../cluster/cluster-directory.ts';
import type { SecretSourceData } from '../../identity/secret-source-data.ts';
import type { Clock, Timers } from '../../core/clock.ts';
import { ClusterHold } from './cluster-hold.ts';
import type { ClusterStats } from './cluster-stats.ts';
import type { DecodedCluster } from './resource-decoding.ts';

export interface RolloutEnvironment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: { warn(message: string): void };
  readonly directory: ClusterDirectory;
  readonly stats: ClusterStats;
  /** `owner` needs these from now on. Resolves when it need not wait for any of them. */
  warmSecrets(owner: string, sources: readonly SecretSourceData[]): Promise<void>;
  dropSecrets(owner: string): void;
  /** Watches the hosts of a cluster as this version says, if at all. Resolves when each has been checked once. */
  watch(cluster: ClusterData): Promise<void>;
  unwatch(name: string): void;
  /** For calls of the process's own, which may be what a cluster waits for. */
  offer(cluster: ClusterData): void;
  withdraw(name: string): void;
  publish(changes: ClusterChanges, extensions: readonly string[]): void;
  /** Versions wait that came after the start, or wait no more: no others are asked for meanwhile. */
  hold(isHeld: boolean): void;
  /** Runs `act` as an entry into the loop of its own. */
  turn(act: () => void): void;
}

/** A version of a cluster that is not in force yet. */
interface Version extends DecodedCluster {
  /** Message names of the extensions that it names. */
  readonly extensions: readonly string[];
  /** It comes into force. */
  readonly onActive: (() => void) | null;
  /** Nobody need wait for it any more. */
  readonly done: () => void;
}

/** Who needs the secrets of a cluster: as it is in force, and as it is to become. */
function clusterOwner(name: string): string {
  return `cluster/${name}`;
}

function comingOwner(name: string): string {
  return `cluster/${name} (warming)`;
}

/**
 * How clusters come into force, wherever they come from: a version waits for its first hosts and its secrets, then for
 * the first round of health checks, while the one before serves. A newer version takes the place of one that waits.
 */
export class ClusterRollout {
  private readonly environment: RolloutEnvironment;
  private readonly active: Set<string>;
  /** Of those that wait, how many are new. */
  private newOnes: number;
  private readonly warming: Map<string, Version>;
  /** Ready to come into force, at the end of this turn. */
  private readonly ready: Map<string, Version>;
  private readonly hold: ClusterHold;
  private settled: (() => void)[];
  private isStarted: boolean;

  constructor(environment: RolloutEnvironment) {
    this.environment = environment;
    this.active = new Set();
    this.newOnes = 0;
    this.warming = new Map();
    this.ready = new Map();
    const { clock, timers, log } = environment;
    const overdue = (name: string): void =>
      log.warn(
        `cm: cluster '${name}' is still waiting for its hosts, secrets or health checks: others are taken meanwhile`,
      );
    this.hold = new ClusterHold(clock, timers, (isHeld) => environment.hold(isHeld), overdue);
    this.settled = [];
    this.isStarted = false;
  }

  has(name: string): boolean {
    return this.active.has(name) || this.warming.has(name);
  }

  /** A version is to come into force in the place of the one that is. */
  isWarming(name: string): boolean {
    return this.warming.has(name);
  }

  get names(): ReadonlySet<string> {
    return new Set([...this.active, ...this.warming.keys()]);
  }

  /**
   * Resolves when this version is in force, or another has taken its place.
   * @param extensions message names of those that it names
   */
  set(
    decoded: DecodedCluster,
    extensions: readonly string[] = [],
    onActive: (() => void) | null = null,
  ): Promise<void> {
    const { directory } = this.environment;
    const { name } = decoded.data;
    const { promise, resolve: done } = Promise.withResolvers<void>();
    this.countVersion(name);
    const version: Version = { ...decoded, extensions, onActive, done };
    this.ready.delete(name);
    if (!this.has(name)) this.newOnes++;
    this.warming.get(name)?.done();
    this.warming.set(name, version);
    if (this.isStarted) this.hold.begin(name);
    directory.set(decoded.data);
    if (!this.active.has(name)) this.environment.offer(directory.latest(name)!);
    this.count();
    void this.warm(name, version);
    return promise;
  }

  /** A version could not be used; Envoy counts that it came. */
  refused(name: string): void {
    this.countVersion(name);
  }

  /** Discovery has told other hosts of a cluster; `isMerged`: more than once. */
  updated(isMerged: boolean): void {
    const { updated, merged } = this.environment.stats;
    if (this.isStarted) (isMerged ? merged : updated).inc();
  }

  /** False: there is none. */
  remove(name: string): boolean {
    if (!this.has(name)) return false;
    const { environment } = this;
    environment.stats.removed.inc();
    if (!this.active.delete(name)) this.newOnes--;
    this.warming.get(name)?.done();
    this.warming.delete(name);
    this.hold.end(name);
    this.ready.delete(name);
    environment.directory.remove(name);
    environment.unwatch(name);
    environment.withdraw(name);
    environment.publish(environment.directory.takeChanges([]), []);
    environment.dropSecrets(clusterOwner(name));
    environment.dropSecrets(comingOwner(name));
    this.count();
    this.sayIfSettled();
    return true;
  }

  /** Resolves when no version waits. */
  whenSettled(): Promise<void> {
    return new Promise((resolve) => {
      this.settled.push(resolve);
      this.sayIfSettled();
    });
  }

  /** What the start waits for counts as active, as in Envoy. */
  started(): void {
    this.isStarted = true;
    this.count();
  }

  // ---- inside

  private async warm(name: string, version: Version): Promise<void> {
    const { environment } = this;
    const { directory } = environment;
    const secrets = version.secrets.length === 0 ? null : environment.warmSecrets(comingOwner(name), version.secrets);
    await Promise.all([directory.whenWarm(name), secrets]);
    if (this.warming.get(name) !== version) return;
    await environment.watch(directory.latest(name)!);
    if (this.warming.get(name) !== version) return;
    if (this.ready.size === 0) queueMicrotask(() => environment.turn(() => this.activate()));
    this.ready.set(name, version);
  }

  /** Those that became ready in one turn travel together. */
  private activate(): void {
    const { environment } = this;
    const ready = [...this.ready];
    this.ready.clear();
    const extensions = new Set<string>();
    for (const [name, version] of ready) {
      if (!this.active.has(name)) this.newOnes--;
      this.active.add(name);
      this.warming.delete(name);
      this.hold.end(name);
      for (const kind of version.extensions) extensions.add(kind);
      void environment.warmSecrets(clusterOwner(name), version.secrets);
      environment.dropSecrets(comingOwner(name));
    }
    environment.publish(environment.directory.takeChanges(ready.map(([name]) => name)), [...extensions]);
    for (const [name, { onActive, done }] of ready) {
      environment.offer(environment.directory.get(name)!);
      onActive?.();
      done();
    }
    this.count();
    this.sayIfSettled();
  }

  private countVersion(name: string): void {
    const { added, modified } = this.environment.stats;
    (this.has(name) ? modified : added).inc();
  }

  private count(): void {
    const { active, warming } = this.environment.stats;
    if (!this.isStarted) {
      active.set(this.active.size + this.newOnes);
      return;
    }
    active.set(this.active.size);
    warming.set(this.warming.size);
    this.hold.settle();
  }

  private sayIfSettled(): void {
    if (this.warming.size > 0) return;
    const { settled } = this;
    this.settled = [];
    for (const resolve of settled) resolve();
  }
}
