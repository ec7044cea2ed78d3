import type { Clock } from '../../core/clock.ts';
import type { SecretData } from '../../identity/secret-data.ts';
import type { SecretSourceData } from '../../identity/secret-source-data.ts';
import type { Log } from '../../observe/log/log.ts';
import type { StatsScope } from '../../observe/stats/stats.ts';
import type { DirectoryWatches } from '../xds/directory-watches.ts';
import { secretKind } from '../xds/resource-kinds.ts';
import type { SetText } from '../xds/subscription-stats.ts';
import type { Subscriptions } from '../xds/subscriptions.ts';
import { DynamicSecret, type SecretSurroundings } from './dynamic-secret.ts';
import type { SecretChanges } from './secret-changes.ts';
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
  private readonly secrets: Map<string, DynamicSecret>;
  /** Owner → keys. */
  private readonly needs: Map<string, readonly string[]>;
  /** Key → how many need it. */
  private readonly users: Map<string, number>;
  private readonly started: Set<string>;
  /** Keys that nobody names any more, but that the threads still have. */
  private readonly leaving: Set<string>;
  private waiting: { readonly keys: readonly string[]; readonly resolve: () => void }[];

  constructor(environment: SecretDirectoryEnvironment) {
    this.environment = environment;
    this.secrets = new Map();
    this.needs = new Map();
    this.users = new Map();
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

  /**
   * `owner` needs these from now on, and no others. What is known goes on; `start` begins what is new. What is written in
   * the configuration was read anew with it.
   */
  need(owner: string, sources: readonly SecretSourceData[]): void {
    const set: [string, SecretData][] = [];
    const keys = new Set(sources.map(({ key }) => key));
    for (const source of sources) {
      const { key } = source;
      const known = this.secrets.get(key);
      this.leaving.delete(key);
      if (known !== undefined && isSameSource(known.source, source)) continue;
      known?.stop();
      this.started.delete(key);
      const secret = this.make(source);
      this.secrets.set(key, secret);
      if (secret.data !== null) set.push([key, secret.data]);
    }
    for (const key of keys) this.users.set(key, (this.users.get(key) ?? 0) + 1);
    this.drop(owner);
    if (keys.size > 0) this.needs.set(owner, [...keys]);
    if (set.length > 0) this.environment.onChanges({ set, removed: [] });
    this.sayIfReady();
  }

  /** `owner` needs nothing any more. */
  drop(owner: string): void {
    for (const key of this.needs.get(owner) ?? []) {
      const left = this.users.get(key)! - 1;
      this.users.set(key, left);
      if (left > 0) continue;
      this.users.delete(key);
      this.secrets.get(key)?.stop();
      this.secrets.delete(key);
      this.started.delete(key);
      this.leaving.add(key);
    }
    this.needs.delete(owner);
  }

  /** Of what `owner` needs. */
  keysOf(owner: string): readonly string[] {
    return this.needs.get(owner) ?? [];
  }

  /** Nothing that serves is made of those any more that nobody needs. */
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
