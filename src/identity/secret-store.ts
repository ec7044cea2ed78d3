import type { SecretData } from './secret-data.ts';

/** Who is made of a secret. */
export interface SecretWatcher {
  /** It is another now; the store has it. */
  onSecretChanged(key: string): void;
}

/** The secrets of one thread, as the main thread last sent them. One that is withdrawn or refused stays as it was. */
export class SecretStore {
  private readonly secrets: Map<string, SecretData>;
  private readonly watchers: Map<string, Set<SecretWatcher>>;

  constructor() {
    this.secrets = new Map();
    this.watchers = new Map();
  }

  get(key: string): SecretData | null {
    return this.secrets.get(key) ?? null;
  }

  set(key: string, secret: SecretData): void {
    this.secrets.set(key, secret);
    for (const watcher of this.watchers.get(key) ?? []) watcher.onSecretChanged(key);
  }

  /** Nothing that is configured names it any more. */
  delete(key: string): void {
    this.secrets.delete(key);
  }

  /** What the main thread says of several. */
  apply(changes: {
    readonly set: readonly (readonly [string, SecretData])[];
    readonly removed: readonly string[];
  }): void {
    for (const [key, secret] of changes.set) this.set(key, secret);
    for (const key of changes.removed) this.delete(key);
  }

  watch(key: string, watcher: SecretWatcher): void {
    const watchers = this.watchers.get(key);
    if (watchers === undefined) this.watchers.set(key, new Set([watcher]));
    else watchers.add(watcher);
  }

  unwatch(key: string, watcher: SecretWatcher): void {
    const watchers = this.watchers.get(key);
    if (watchers === undefined) return;
    watchers.delete(watcher);
    if (watchers.size === 0) this.watchers.delete(key);
  }
}
