import type { Accepted, App } from './app.ts';
import type { ListenerNeeds } from './control/bootstrap-data.ts';
import { ExtensionDirectory } from './control/resources/filters/extension-directory.ts';
import { ListenerDirectory } from './control/resources/listeners/listener-directory.ts';
import type { ListenerStats } from './control/resources/listeners/listener-stats.ts';
import { readResource } from './control/resources/read-resource.ts';
import type { DecodedListener } from './control/resources/resource-decoding.ts';
import { ScopeDirectory } from './control/resources/routes/scope-directory.ts';
import { RouteDirectory } from './control/resources/routes/route-directory.ts';
import { listenerKind } from './control/xds/resource-kinds.ts';
import type { Subscription } from './control/xds/resource-kind.ts';
import type { SetText } from './control/xds/subscription-stats.ts';
import type { Distribution } from './distribution.ts';
import type { ConfigSourceData } from './identity/config-source-data.ts';
import type { SecretSourceData } from './identity/secret-source-data.ts';
import type { Loop } from './net/loop.ts';
import type { Log } from './observe/log/log.ts';
import type { StatsScope } from './observe/stats/stats.ts';
import type { OwnClusters } from './own-clusters.ts';
import { ListenerSchema } from './proto/envoy/config/listener/v3/listener_pb.js';
import type { RouteQuestion } from './proxy/http/on-demand/route-question.ts';

/** What of the process its discovered listeners are made with. */
export interface ProcessListenersEnvironment {
  readonly loop: Loop;
  readonly log: Log;
  readonly setText: SetText;
  /** The main thread's root scope. */
  readonly stats: StatsScope;
  readonly listenerStats: ListenerStats;
  readonly own: OwnClusters;
  readonly distribution: Distribution;
  readonly drainTimeMs: number;
  hasCluster(name: string): boolean;
  /** The newest, and what decodes in its surroundings. */
  configuration(): Accepted;
  /** `owner` needs these from now on. Resolves when it need not wait for any of them. */
  warmSecrets(owner: string, sources: readonly SecretSourceData[]): Promise<void>;
  dropSecrets(owner: string): void;
}

export async function openListeners(app: App, loop: Loop): Promise<ProcessListeners> {
  const own = await app.openOwn();
  const { options, logs } = app.environment;
  return new ProcessListeners({
    loop,
    log: logs.component('upstream'),
    setText: (name, value) => app.stats.setText(name, value),
    stats: app.ownStats.root,
    listenerStats: app.serverStats.listenerManager,
    own,
    distribution: app.distribution,
    drainTimeMs: options.drainTimeMs,
    hasCluster: (name) => app.directory.has(name),
    configuration: () => app.configuration,
    warmSecrets: (owner, sources) => app.warmSecrets(owner, sources),
    dropSecrets: (owner) => app.secrets?.drop(owner),
  });
}

const nothing: ListenerNeeds = { routes: [], scopes: [], extensions: [] };

/**
 * What of listeners comes from elsewhere: listeners by LDS, route configurations by RDS, filters by ECDS. Loaded where a
 * configuration names any.
 */
export class ProcessListeners {
  readonly routes: RouteDirectory;
  readonly scopes: ScopeDirectory;
  readonly extensions: ExtensionDirectory;
  readonly listeners: ListenerDirectory;
  private readonly environment: ProcessListenersEnvironment;
  /** By owner. */
  private readonly needs: Map<string, ListenerNeeds>;
  /** Of the configuration itself, and of the one before, until nothing is made of that any more. */
  private ofStatics: ListenerNeeds;
  private leaving: ListenerNeeds[];
  private waiting: { readonly needs: ListenerNeeds; readonly resolve: () => void }[];
  /** Null: no listeners come by LDS. */
  private subscription: Subscription | null;
  private hasAnswered: boolean;
  private whenAnswered: (() => void)[];

  constructor(environment: ProcessListenersEnvironment) {
    this.environment = environment;
    const { loop, stats, setText, own, distribution } = environment;
    const { subscriptions } = own;
    const { clock } = loop;
    const onReady = (): void => this.sayIfReady();
    const common = {
      clock,
      subscriptions,
      stats,
      setText,
      onReady,
      decoding: () => environment.configuration().decoding,
      answer: (question: RouteQuestion, isThere: boolean, worker: number) =>
        distribution.tell({ kind: 'route-found', question, isThere }, worker),
    };
    this.routes = new RouteDirectory({
      ...common,
      hasCluster: (name) => environment.hasCluster(name),
      publish: (routes, extensions) => void distribution.publish({ routes, extensions }),
    });
    this.scopes = new ScopeDirectory({
      ...common,
      routes: this.routes,
      publish: (scopes, extensions) => void distribution.publish({ scopes, extensions }),
    });
    this.extensions = new ExtensionDirectory({
      ...common,
      exchange: (needed, dropped) => {
        this.ask(needed);
        this.drop(dropped);
      },
      areReady: (needs) => this.areThere(needs),
      publish: (extensionConfigs, extensions) => void distribution.publish({ extensionConfigs, extensions }),
    });
    this.listeners = this.makeListeners();
    this.needs = new Map();
    this.ofStatics = nothing;
    this.leaving = [];
    this.waiting = [];
    this.subscription = null;
    this.hasAnswered = true;
    this.whenAnswered = [];
  }

  private makeListeners(): ListenerDirectory {
    const { environment } = this;
    const { loop, log, listenerStats, distribution, drainTimeMs } = environment;
    return new ListenerDirectory({
      clock: loop.clock,
      timers: loop.timers,
      log,
      stats: listenerStats,
      drainTimeMs,
      decode: (packed) => this.decode(packed),
      statics: () => environment.configuration().data.listeners,
      warm: (owner, listener) => this.warm(owner, listener),
      release: (owner) => this.release(owner),
      publish: (listeners, extensions) => distribution.publish({ listeners, extensions }),
      onAnswered: () => this.answered(),
    });
  }

  /** Another configuration. What its own listeners need is asked for; what the one before needed stays until `forget`. */
  replace({ data }: Accepted): void {
    const needs = Array.from(data.listenerNeeds.values());
    this.leaving.push(this.ofStatics);
    this.ofStatics = {
      routes: needs.flatMap(({ routes }) => routes),
      scopes: needs.flatMap(({ scopes }) => scopes),
      extensions: needs.flatMap(({ extensions }) => extensions),
    };
    this.begin(this.ofStatics);
    for (const { name } of data.listeners) this.listeners.yieldTo(name);
    if (data.dynamic.lds !== null && this.subscription === null) this.subscribe(data.dynamic.lds);
  }

  /** Resolves when no listener need be waited for: neither those of the configuration nor the first that LDS tells. */
  async whenReady(): Promise<void> {
    await this.whenThere(this.ofStatics);
    if (!this.hasAnswered) await new Promise<void>((resolve) => this.whenAnswered.push(resolve));
    await this.listeners.whenReady();
  }

  /** Nothing that serves is made any more of what the configuration before needed. */
  forget(): void {
    for (const needs of this.leaving) this.drop(needs);
    this.leaving = [];
  }

  /** A worker has a request that has no route for want of this. */
  wantRoute({ kind, key, host }: RouteQuestion, worker: number): void {
    const { loop } = this.environment;
    loop.enter();
    if (kind === 'host') this.routes.wantHost(key, host, worker);
    else this.scopes.wantScope(key, host, worker);
    loop.leave();
  }

  stop(): void {
    this.subscription?.stop();
    // They ask for others.
    this.extensions.resources.stop();
    this.scopes.resources.stop();
    this.routes.resources.stop();
  }

  // ---- inside

  private subscribe(source: ConfigSourceData): void {
    const { loop, stats, setText, own } = this.environment;
    this.hasAnswered = false;
    const counted = { scope: stats.scope('listener_manager.lds'), prefix: 'listener_manager.lds', setText };
    this.subscription = own.subscriptions.open(listenerKind, [], source, this.listeners, counted);
    loop.enter();
    this.subscription.start();
    loop.leave();
  }

  private answered(): void {
    this.hasAnswered = true;
    const waiting = this.whenAnswered;
    this.whenAnswered = [];
    for (const resolve of waiting) resolve();
  }

  private decode(packed: Uint8Array): DecodedListener | string {
    const { decoding } = this.environment.configuration();
    const { onNeeds } = decoding.extensions;
    return readResource(
      ListenerSchema,
      packed,
      (message, reasons) => decoding.listener(message, reasons),
      () => [],
      onNeeds,
    );
  }

  private async warm(owner: string, { secrets, needs }: DecodedListener): Promise<void> {
    this.needs.set(owner, needs);
    this.begin(needs);
    const ofSecrets = secrets.length === 0 ? null : this.environment.warmSecrets(owner, secrets);
    await this.whenThere(needs);
    await ofSecrets;
  }

  private release(owner: string): void {
    const needs = this.needs.get(owner);
    if (needs !== undefined) this.drop(needs);
    this.needs.delete(owner);
    this.environment.dropSecrets(owner);
  }

  private begin(needs: ListenerNeeds): void {
    const { loop } = this.environment;
    loop.enter();
    this.ask(needs);
    loop.leave();
  }

  private ask({ routes, scopes, extensions }: ListenerNeeds): void {
    this.routes.resources.need(routes);
    this.scopes.resources.need(scopes);
    this.extensions.resources.need(extensions);
    // Filters are asked for first, as by Envoy.
    this.extensions.resources.start(extensions);
    this.routes.resources.start(routes);
    this.scopes.resources.start(scopes);
  }

  private drop({ routes, scopes, extensions }: ListenerNeeds): void {
    this.scopes.resources.drop(scopes);
    this.routes.resources.drop(routes);
    this.extensions.resources.drop(extensions);
  }

  private whenThere(needs: ListenerNeeds): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ needs, resolve });
      this.sayIfReady();
    });
  }

  private areThere({ routes, scopes, extensions }: ListenerNeeds): boolean {
    return (
      this.routes.resources.areReady(routes) &&
      this.scopes.resources.areReady(scopes) &&
      this.extensions.resources.areReady(extensions)
    );
  }

  private sayIfReady(): void {
    const done = this.waiting.filter(({ needs }) => this.areThere(needs));
    if (done.length === 0) return;
    this.waiting = this.waiting.filter((one) => !done.includes(one));
    for (const { resolve } of done) resolve();
  }
}
