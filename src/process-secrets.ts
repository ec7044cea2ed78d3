import type { DynamicSecret } from './control/sds/dynamic-secret.ts';
import type { SecretChanges } from './control/sds/secret-changes.ts';
import { SecretDirectory, type SecretDirectoryEnvironment } from './control/sds/secret-directory.ts';
import type { SetText } from './control/xds/subscription-stats.ts';
import type { SecretData } from './identity/secret-data.ts';
import type { SecretSourceData } from './identity/secret-source-data.ts';
import type { Loop } from './net/loop.ts';
import type { Log } from './observe/log/log.ts';
import type { StatsScope } from './observe/stats/stats.ts';
import type { OwnClusters } from './own-clusters.ts';

/** What of the process its secrets are made with. */
export interface ProcessSecretsEnvironment {
  readonly loop: Loop;
  readonly log: Log;
  readonly setText: SetText;
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
  private readonly secrets: SecretDirectory;

  constructor(environment: ProcessSecretsEnvironment) {
    const { loop, log, setText, decode, stats, own } = environment;
    this.loop = loop;
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

  /** `owner`, a cluster or a listener, needs these from now on, and no others. */
  need(owner: string, sources: readonly SecretSourceData[]): void {
    this.loop.enter();
    this.secrets.need(owner, sources);
    this.loop.leave();
  }

  drop(owner: string): void {
    this.secrets.drop(owner);
  }

  /** Asks for what `owner` needs. Resolves when it need not wait for any of it. */
  async whenReady(owner: string): Promise<void> {
    const keys = this.secrets.keysOf(owner);
    this.loop.enter();
    this.secrets.start(keys);
    this.loop.leave();
    await this.secrets.whenReady(keys);
  }

  hasSecretsOf(owner: string): boolean {
    return this.secrets.keysOf(owner).every((key) => this.secrets.isReady(key));
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
