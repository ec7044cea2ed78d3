import type { ClusterDirectory } from './cluster/cluster-directory.ts';
import type { ClusterEnvironment } from './cluster/cluster-runtime.ts';
import type { HealthMemory } from './cluster/health/health-memory.ts';
import { HostCounters, type HostBlockMessage } from './cluster/host-counters.ts';
import type { SecretNeeds } from './control/bootstrap-data.ts';
import type { DynamicSecret } from './control/sds/dynamic-secret.ts';
import type { SecretChanges } from './control/sds/secret-changes.ts';
import { SecretDirectory, type SecretDirectoryEnvironment } from './control/sds/secret-directory.ts';
import { DirectoryWatches } from './control/xds/directory-watches.ts';
import type { SetText } from './control/xds/subscription-stats.ts';
import { Subscriptions } from './control/xds/subscriptions.ts';
import type { RuntimeView } from './core/runtime-view.ts';
import type { SecretData } from './identity/secret-data.ts';
import { SecretStore } from './identity/secret-store.ts';
import type { Loop } from './net/loop.ts';
import { NodeNetwork } from './net/node-network.ts';
import type { Log } from './observe/log/log.ts';
import { SharedNumbers, type SharedNumbersData } from './observe/shared-limit.ts';
import type { StatsScope } from './observe/stats.ts';
import { OwnClusters } from './own-clusters.ts';
import { TlsTransports } from './tls-transports.ts';
import type { Node } from './proto/envoy/config/core/v3/base_pb.js';

/** What of the process its secrets are made with. */
export interface ProcessSecretsEnvironment {
  readonly loop: Loop;
  readonly log: Log;
  readonly setText: SetText;
  readonly directory: ClusterDirectory;
  /** The main thread's root scope. */
  readonly stats: StatsScope;
  readonly runtime: RuntimeView;
  readonly shared: SharedNumbersData;
  readonly health: HealthMemory;
  readonly ownZone: string;
  readonly ticketKeys: readonly Uint8Array[];
  onHostCounters(message: HostBlockMessage): void;
  readonly localAddress: string;
  node(): Node;
  readonly decode: SecretDirectoryEnvironment['decode'];
  /** Tell the workers. */
  onChanges(changes: SecretChanges): void;
}

/**
 * The secrets of the process, and the clusters that they come over. Loaded where a configuration names any that it has
 * not got itself.
 */
export class ProcessSecrets {
  private readonly loop: Loop;
  private readonly clusterDirectory: ClusterDirectory;
  private readonly clusters: OwnClusters;
  private readonly tls: TlsTransports;
  private readonly secrets: SecretDirectory;
  readonly subscriptions: Subscriptions;
  private needs: SecretNeeds;

  constructor(environment: ProcessSecretsEnvironment) {
    const { loop, log, setText, directory, decode, stats } = environment;
    const { clock, timers } = loop;
    const store = new SecretStore();
    this.loop = loop;
    this.clusterDirectory = directory;
    this.tls = new TlsTransports(loop, store, environment.ticketKeys, log);
    this.clusters = new OwnClusters(clusterEnvironment(environment, this.tls));
    this.needs = { sources: [], ofClusters: new Map(), ofListeners: new Map() };
    const watches = new DirectoryWatches(clock, timers, () => loop.enter(), log);
    this.subscriptions = new Subscriptions({
      clock,
      timers,
      random: () => Math.random(),
      log,
      watches,
      localAddress: environment.localAddress,
      node: () => environment.node(),
      cluster: (name) => this.clusters.get(name),
    });
    this.secrets = new SecretDirectory({
      clock,
      log,
      stats,
      setText,
      decode,
      watches,
      subscriptions: this.subscriptions,
      onChanges: (changes) => {
        store.apply(changes);
        environment.onChanges(changes);
      },
    });
  }

  /**
   * Another configuration, whose clusters the directory knows: asks for what the clusters need.
   * @param extensions message names of what it names
   */
  async replace(needs: SecretNeeds, extensions: readonly string[]): Promise<void> {
    await this.tls.load(extensions);
    this.needs = needs;
    this.loop.enter();
    this.clusters.replace(this.clusterDirectory.current());
    this.secrets.replace(needs.sources);
    this.secrets.start(keysOf(needs.ofClusters));
    this.loop.leave();
  }

  /** Resolves when no cluster waits for a secret. */
  whenClustersReady(): Promise<void> {
    return this.secrets.whenReady(keysOf(this.needs.ofClusters));
  }

  /** As Envoy: what listeners need is asked for when the clusters are there. Resolves when none waits for a secret. */
  async whenListenersReady(): Promise<void> {
    const keys = keysOf(this.needs.ofListeners);
    this.loop.enter();
    this.secrets.start(keys);
    this.loop.leave();
    await this.secrets.whenReady(keys);
  }

  hasSecretsOf(cluster: string): boolean {
    return (this.needs.ofClusters.get(cluster) ?? []).every((key) => this.secrets.isReady(key));
  }

  isReady(key: string): boolean {
    return this.secrets.isReady(key);
  }

  nameOf(key: string): string {
    return this.secrets.nameOf(key);
  }

  get(key: string): SecretData | null {
    return this.secrets.get(key);
  }

  dynamic(): Iterable<DynamicSecret> {
    return this.secrets.dynamic();
  }

  everything(): SecretChanges {
    return this.secrets.everything();
  }

  /** Those that the configuration before named, when nothing is made of them any more. */
  forget(): void {
    this.secrets.forget();
  }

  /** Discovery, or the runtime, knows another. */
  get own(): OwnClusters {
    return this.clusters;
  }

  stop(): void {
    this.secrets.stop();
    this.clusters.close();
  }
}

/** The main thread has few connections: `node:net` will do. */
function clusterEnvironment(environment: ProcessSecretsEnvironment, tls: TlsTransports): ClusterEnvironment {
  const { loop, stats, runtime, shared, ownZone } = environment;
  return {
    network: new NodeNetwork(loop),
    random: Math.random,
    ownZone,
    stats,
    runtime,
    shared: new SharedNumbers(shared),
    health: environment.health,
    hostCounters: new HostCounters((message) => environment.onHostCounters(message)),
    buildTls: (data, network, scope) => tls.upstream(data, network, scope),
  };
}

function keysOf(needs: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return [...new Set([...needs.values()].flat())];
}
