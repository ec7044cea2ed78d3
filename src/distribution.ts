import type { HostChanges } from './cluster/cluster-changes.ts';
import type { ClusterData } from './cluster/cluster-data.ts';
import { SharedNumberAllotment, sharedNumberKeys, sharedNumberKeysOf } from './control/shared-number-keys.ts';
import { noChanges, type SnapshotChanges, type SnapshotData } from './control/snapshot-data.ts';
import type { FromWorker, ListenerFailure, ToWorker } from './control/worker-messages.ts';
import type { Workers } from './control/workers.ts';
import type { Address } from './core/peer.ts';
import type { DiscoveredExtension } from './listener/extension-sources.ts';
import type { ListenerData } from './listener/listener-data.ts';
import type { SharedNumberDirectory } from './observe/limit/shared-limit.ts';
import type { ScopeData } from './proxy/http/scopes/scoped-routes-data.ts';
import type { RouteConfigurationData } from './route/route-data.ts';

type Applied = Extract<FromWorker, { kind: 'applied' }>;

/**
 * The configuration in force, and how it comes to the workers: one whole update after another, in the order in which
 * they were published. A worker that is started again gets all of it as one update.
 */
export class Distribution {
  /** As the first worker has bound them. */
  readonly bound: Map<string, readonly Address[]>;
  readonly clusters: Map<string, ClusterData>;
  readonly listeners: Map<string, ListenerData>;
  /** Names of those that could not be applied. */
  readonly failed: Set<string>;
  /** By key. */
  readonly routes: Map<string, RouteConfigurationData>;
  readonly scopes: Map<string, readonly ScopeData[]>;
  readonly extensionConfigs: Map<string, DiscoveredExtension>;
  private readonly workers: Workers;
  private readonly numbers: SharedNumberAllotment;
  private readonly extensions: Set<string>;
  /** Worker → who waits for its answer to the update that it was given last. */
  private readonly waiting: Map<number, { readonly version: number; readonly resolve: (answer: Applied) => void }>;
  /** What is to be done behind the update that is under way; null: none is. */
  private queue: (() => void)[] | null;
  private version: number;
  private isOpen: boolean;

  constructor(workers: Workers, numbers: SharedNumberDirectory) {
    this.bound = new Map();
    this.clusters = new Map();
    this.listeners = new Map();
    this.failed = new Set();
    this.routes = new Map();
    this.scopes = new Map();
    this.extensionConfigs = new Map();
    this.workers = workers;
    this.numbers = new SharedNumberAllotment(numbers);
    this.extensions = new Set();
    this.waiting = new Map();
    this.queue = null;
    this.version = 0;
    this.isOpen = false;
  }

  /** The workers begin to serve, with everything that was published until now. @returns what could not be applied */
  open(): Promise<readonly ListenerFailure[]> {
    this.isOpen = true;
    return this.inTurn(() => this.give(this.everything()));
  }

  /** Resolves when the workers have it, with what they could not apply; before `open` at once. */
  async publish(changes: Partial<SnapshotChanges>): Promise<readonly ListenerFailure[]> {
    const whole = { ...noChanges, ...changes };
    const extensions = whole.extensions.filter((kind) => !this.extensions.has(kind));
    this.keep(whole);
    if (!this.isOpen) return [];
    return this.inTurn(() => this.give({ ...whole, extensions }));
  }

  /** Discovery knows other hosts than before. Where a cluster is not published, its hosts come with it. */
  updateHosts(change: HostChanges): void {
    const known = this.clusters.get(change.name);
    if (known === undefined) return;
    this.clusters.set(change.name, { ...known, ...change });
    if (this.isOpen) this.tell({ kind: 'clusters', changes: { set: [], removed: [], hosts: [change] } });
  }

  /** A message that comes behind the updates that were published before it; to one worker, or to all. */
  tell(message: ToWorker, index: number | null = null): void {
    const post = (): void => (index === null ? this.workers.postAll(message) : this.workers.post(index, message));
    if (this.queue === null) post();
    else this.queue.push(post);
  }

  /** The worker knows nothing yet. */
  restarted(index: number): void {
    if (this.isOpen) this.workers.post(index, { kind: 'snapshot', snapshot: this.snapshot(this.everything()) });
    // Nobody must wait for the one that died; why it did is in the log.
    this.onApplied(index, { kind: 'applied', version: this.version, bound: [], failures: [] });
  }

  onApplied(index: number, answer: Applied): void {
    const waiting = this.waiting.get(index);
    if (waiting?.version !== answer.version) return;
    this.waiting.delete(index);
    waiting.resolve(answer);
  }

  // ---- inside

  private keep({ clusters, listeners, routes, scopes, extensionConfigs, extensions }: SnapshotChanges): void {
    for (const data of clusters.set) this.clusters.set(data.name, data);
    for (const change of clusters.hosts) {
      const known = this.clusters.get(change.name);
      if (known !== undefined) this.clusters.set(change.name, { ...known, ...change });
    }
    for (const name of clusters.removed) this.clusters.delete(name);
    for (const { key, routes: data } of routes.set) this.routes.set(key, data);
    for (const key of routes.removed) this.routes.delete(key);
    for (const { key, scopes: list } of scopes.set) this.scopes.set(key, list);
    for (const key of scopes.removed) this.scopes.delete(key);
    for (const { key, extension } of extensionConfigs.set) this.extensionConfigs.set(key, extension);
    for (const key of extensionConfigs.removed) this.extensionConfigs.delete(key);
    for (const data of listeners.set) this.listeners.set(data.name, data);
    for (const name of listeners.removed) this.listeners.delete(name);
    for (const kind of extensions) this.extensions.add(kind);
  }

  private everything(): SnapshotChanges {
    return {
      clusters: { set: [...this.clusters.values()], removed: [], hosts: [] },
      listeners: { set: [...this.listeners.values()], removed: [] },
      routes: { set: Array.from(this.routes, ([key, routes]) => ({ key, routes })), removed: [] },
      scopes: { set: Array.from(this.scopes, ([key, scopes]) => ({ key, scopes })), removed: [] },
      extensionConfigs: {
        set: Array.from(this.extensionConfigs, ([key, extension]) => ({ key, extension })),
        removed: [],
      },
      extensions: [...this.extensions],
    };
  }

  /** Runs `give` when what was published before has been given. */
  private inTurn(give: () => Promise<readonly ListenerFailure[]>): Promise<readonly ListenerFailure[]> {
    return new Promise((resolve, reject) => {
      const run = (): void => {
        this.queue ??= [];
        give()
          .then(resolve, reject)
          .finally(() => this.next());
      };
      if (this.queue === null) run();
      else this.queue.push(run);
    });
  }

  private next(): void {
    const rest = this.queue ?? [];
    this.queue = null;
    while (rest.length > 0) {
      rest.shift()!();
      // One that is under way holds back all behind it.
      if (this.queue !== null) break;
    }
    (this.queue as (() => void)[] | null)?.push(...rest);
  }

  /** The first worker binds, and tells the ports that the others must share. */
  private async give(changes: SnapshotChanges): Promise<readonly ListenerFailure[]> {
    this.version++;
    for (const { name } of changes.listeners.set) this.failed.delete(name);
    for (const name of changes.listeners.removed) {
      this.failed.delete(name);
      this.bound.delete(name);
      this.numbers.release(name);
    }
    for (const key of changes.extensionConfigs.removed) this.numbers.release(key);
    if (changes.listeners.set.length === 0) return this.giveAll(changes, 0);
    const failures = [...(await this.giveOne(0, changes)), ...(await this.giveAll(changes, 1))];
    for (const { listener } of failures) this.failed.add(listener);
    // Mostly all workers say the same.
    return [...new Map(failures.map((failure) => [`${failure.listener}: ${failure.message}`, failure])).values()];
  }

  private async giveAll(changes: SnapshotChanges, first: number): Promise<readonly ListenerFailure[]> {
    const answers: Promise<readonly ListenerFailure[]>[] = [];
    for (let index = first; index < this.workers.count; index++) answers.push(this.giveOne(index, changes));
    return (await Promise.all(answers)).flat();
  }

  private async giveOne(index: number, changes: SnapshotChanges): Promise<readonly ListenerFailure[]> {
    const { bound, failures } = await new Promise<Applied>((resolve) => {
      this.waiting.set(index, { version: this.version, resolve });
      this.workers.post(index, { kind: 'snapshot', snapshot: this.snapshot(changes) });
    });
    for (const { name, addresses } of bound) this.bound.set(name, addresses);
    return failures;
  }

  private snapshot(changes: SnapshotChanges): SnapshotData {
    const ports: Record<string, number[]> = {};
    const numbers: Record<string, number> = {};
    for (const listener of changes.listeners.set) {
      const { name } = listener;
      const addresses = this.bound.get(name);
      if (addresses !== undefined) ports[name] = addresses.map((address) => address.port);
      Object.assign(numbers, this.numbers.allot(name, sharedNumberKeys([listener])));
    }
    for (const { key, extension } of changes.extensionConfigs.set)
      Object.assign(numbers, this.numbers.allot(key, sharedNumberKeysOf(extension)));
    return { ...changes, version: this.version, ports, numbers };
  }
}
