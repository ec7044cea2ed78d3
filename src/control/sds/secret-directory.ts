import type { Clock } from '../../core/clock.ts';
import type { SecretData } from '../../identity/secret-data.ts';
import type { SecretSourceData } from '../../identity/secret-source-data.ts';
import type { Log } from '../../observe/log/log.ts';
import type { StatsScope } from '../../observe/stats.ts';
import type { DirectoryWatches } from '../xds/directory-watches.ts';
import type { SetText } from '../xds/subscription-stats.ts';
import type { Subscriptions } from '../xds/subscriptions.ts';
import { DynamicSecret, type SecretSurroundings } from './dynamic-secret.ts';
import type { SecretChanges } from './secret-changes.ts';
import { secretKind } from './secret-kind.ts';
import type { SecretDecoder } from './secret-reader.ts';

export interface SecretDirectoryEnvironment {
  readonly clock: Clock;
  readonly watches: DirectoryWatches;
  readonly subscriptions: Subscriptions;
  readonly log: Log;
  /** The main thread's root scope. */
  readonly stats: StatsScope;
  readonly setText: SetText;
  readonly decode: SecretDecoder;
  onChanges(changes: SecretChanges): void;
}

/**
 * The main thread's secrets: keeps every one that the configuration names as its source now has it, and says which have
 * changed. Each leaves the process's sources once, whoever uses it.
 */
export class SecretDirectory {
  private readonly environment: SecretDirectoryEnvironment;
  private readonly surroundings: SecretSurroundings;
  private secrets: Map<string, DynamicSecret>;
  private readonly started: Set<string>;
  /** Keys that nobody names any more, but that the threads still have. */
  private readonly leaving: Set<string>;
  private waiting: { readonly keys: readonly string[]; readonly resolve: () => void }[];

  constructor(environment: SecretDirectoryEnvironment) {
    this.environment = environment;
    this.secrets = new Map();
    this.started = new Set();
    this.leaving = new Set();
    this.waiting = [];
    const { clock, log, watches, decode } = environment;
    this.surroundings = {
      clock,
      log,
      watches,
      decode,
      onChanged: ({ source: { key }, data }) => environment.onChanges({ set: [[key, data!]], removed: [] }),
      onReady: () => this.sayIfReady(),
    };
  }

  /** A new configuration: all that it needs. Those that it shares with the one before go on; `start` begins the others. */
  replace(sources: readonly SecretSourceData[]): void {
    const before = this.secrets;
    this.secrets = new Map();
    const set: [string, SecretData][] = [];
    for (const source of sources) {
      if (this.secrets.has(source.key)) continue;
      const known = before.get(source.key);
      if (known !== undefined && isSameSource(known.source, source)) {
        before.delete(source.key);
        this.secrets.set(source.key, known);
        continue;
      }
      const secret = this.make(source);
      this.secrets.set(source.key, secret);
      if (secret.data !== null) set.push([source.key, secret.data]);
    }
    for (const [key, secret] of before) {
      secret.stop();
      this.started.delete(key);
      if (!this.secrets.has(key)) this.leaving.add(key);
    }
    for (const key of this.secrets.keys()) this.leaving.delete(key);
    if (set.length > 0) this.environment.onChanges({ set, removed: [] });
    this.sayIfReady();
  }

  /** Nothing that serves is made of those any more that `replace` has left out. */
  forget(): void {
    if (this.leaving.size === 0) return;
    this.environment.onChanges({ set: [], removed: [...this.leaving] });
    this.leaving.clear();
  }

  /** Begins to ask for those that were not asked for yet. */
  start(keys: Iterable<string>): void {
    for (const key of keys) {
      const secret = this.secrets.get(key);
      if (secret === undefined || this.started.has(key)) continue;
      this.started.add(key);
      secret.start();
    }
  }

  /** Resolves when each of these has come or is not to be waited for; those that are not known are not waited for. */
  whenReady(keys: Iterable<string>): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ keys: [...keys], resolve });
      this.sayIfReady();
    });
  }

  isReady(key: string): boolean {
    return this.secrets.get(key)?.isReady ?? true;
  }

  /** Null: it has not come, or nothing that is configured names it. */
  get(key: string): SecretData | null {
    return this.secrets.get(key)?.data ?? null;
  }

  /** Of the resource; empty for an unknown key. */
  nameOf(key: string): string {
    return this.secrets.get(key)?.source.name ?? '';
  }

  /** For `/config_dump`: those that come by SDS. */
  *dynamic(): Iterable<DynamicSecret> {
    for (const secret of this.secrets.values()) if (secret.source.from.kind === 'sds') yield secret;
  }

  /** What a fresh worker is to be told. */
  everything(): SecretChanges {
    const set: [string, SecretData][] = [];
    for (const [key, { data }] of this.secrets) if (data !== null) set.push([key, data]);
    return { set, removed: [] };
  }

  stop(): void {
    for (const secret of this.secrets.values()) secret.stop();
  }

  private make(source: SecretSourceData): DynamicSecret {
    if (source.from.kind === 'files') return new DynamicSecret(source, null, this.surroundings);
    const { stats, setText, subscriptions } = this.environment;
    const name = statName(source.name);
    const counted = { scope: stats.scope('sds').scope(name), prefix: `sds.${name}`, setText };
    const failures = counted.scope.counter('key_rotation_failed');
    const secret = new DynamicSecret(source, failures, this.surroundings);
    secret.subscription = subscriptions.open(secretKind, [source.name], source.from.source, secret, counted);
    return secret;
  }

  private sayIfReady(): void {
    const done = this.waiting.filter(({ keys }) => keys.every((key) => this.isReady(key)));
    if (done.length === 0) return;
    this.waiting = this.waiting.filter((one) => !done.includes(one));
    for (const { resolve } of done) resolve();
  }
}

/** The key says all of an SDS source; what is written in the configuration was read anew with it. */
function isSameSource(known: SecretSourceData, source: SecretSourceData): boolean {
  return known.from.kind === 'sds' && source.from.kind === 'sds' && known.kind === source.kind;
}

/** Colons part what a stat's name is read from. Source: Envoy `Stats::Utility::sanitizeStatsName`. */
function statName(name: string): string {
  return name.replaceAll('://', '_').replaceAll(':/', '_').replaceAll(':', '_');
}
