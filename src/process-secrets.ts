import type { ClusterDirectory } from './cluster/cluster-directory.ts';
import type { SecretNeeds } from './control/bootstrap-data.ts';
import type { DynamicSecret } from './control/sds/dynamic-secret.ts';
import type { SecretChanges } from './control/sds/secret-changes.ts';
import { SecretDirectory, type SecretDirectoryEnvironment } from './control/sds/secret-directory.ts';
import type { SetText } from './control/xds/subscription-stats.ts';
import type { SecretData } from './identity/secret-data.ts';
import type { Loop } from './net/loop.ts';
import type { Log } from './observe/log/log.ts';
import type { StatsScope } from './observe/stats.ts';
import type { OwnClusters } from './own-clusters.ts';

/** What of the process its secrets are made with. */
export interface ProcessSecretsEnvironment {
  readonly loop: Loop;
  readonly log: Log;
  readonly setText: SetText;
  readonly directory: ClusterDirectory;
  /** The main thread's root scope. */
  readonly stats: StatsScope;
  readonly own: OwnClusters;
  readonly decode: SecretDirectoryEnvironment['decode'];
  /** Tell the workers. */
  onChanges(changes: SecretChanges): void;
}

/** The secrets of the process. Loaded where a configuration names any that it has not got itself. */
export class ProcessSecrets {
  private readonly loop: Loop;
  private readonly clusterDirectory: ClusterDirectory;
  private readonly own: OwnClusters;
  private readonly secrets: SecretDirectory;
  private needs: SecretNeeds;

  constructor(environment: ProcessSecretsEnvironment) {
    const { loop, log, setText, directory, decode, stats, own } = environment;
    this.loop = loop;
    this.clusterDirectory = directory;
    this.own = own;
    this.needs = { sources: [], ofClusters: new Map(), ofListeners: new Map() };
    this.secrets = new SecretDirectory({
      clock: loop.clock,
      log,
      stats,
      setText,
      decode,
      watches: own.watches,
      subscriptions: own.subscriptions,
      onChanges: (changes) => {
        own.secrets.apply(changes);
        environment.onChanges(changes);
      },
    });
  }

  /**
   * Another configuration, whose clusters the directory knows: asks for what the clusters need.
   * @param extensions message names of what it names
   */
  async replace(needs: SecretNeeds, extensions: readonly string[]): Promise<void> {
    await this.own.load(extensions);
    this.needs = needs;
    this.loop.enter();
    this.own.replace(this.clusterDirectory.current());
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

  stop(): void {
    this.secrets.stop();
  }
}

function keysOf(needs: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return [...new Set([...needs.values()].flat())];
}
