import type { Loop } from '../../net/loop.ts';
import type { StatsScope } from '../../observe/stats/stats.ts';
import { RuntimeSchema } from '../../proto/envoy/service/runtime/v3/rtds_pb.js';
import type { RtdsLayerData, RuntimeEntries, RuntimeLayerData } from '../runtime-data.ts';
import { decodeEntries } from '../runtime-decode.ts';
import type { OpenedResource, Subscription, SubscriptionUser } from '../xds/resource-kind.ts';
import { runtimeKind } from '../xds/resource-kinds.ts';
import type { SetText } from '../xds/subscription-stats.ts';
import type { Subscriptions } from '../xds/subscriptions.ts';
import { readResource } from './read-resource.ts';

/** What is counted of all of them, and what tells of the streams of their own. */
const prefix = 'runtime';

export interface RuntimeLayersEnvironment {
  readonly loop: Pick<Loop, 'enter' | 'leave'>;
  readonly subscriptions: Subscriptions;
  /** The main thread's root scope. */
  readonly stats: StatsScope;
  readonly setText: SetText;
  onEntries(layer: string, entries: RuntimeEntries): void;
}

/** The layers of the runtime that come by RTDS. */
export class RuntimeLayers {
  private readonly environment: RuntimeLayersEnvironment;
  /** By name. */
  private layers: Map<string, DynamicLayer>;
  private waiting: (() => void)[];

  constructor(environment: RuntimeLayersEnvironment) {
    this.environment = environment;
    this.layers = new Map();
    this.waiting = [];
  }

  /** Those of a configuration. What is as before goes on. */
  replace(list: readonly RuntimeLayerData[]): void {
    const { loop } = this.environment;
    const before = this.layers;
    this.layers = new Map();
    loop.enter();
    for (const data of list) {
      if (data.kind !== 'rtds') continue;
      const known = before.get(data.name);
      const stays = known !== undefined && JSON.stringify(known.data) === JSON.stringify(data);
      this.layers.set(data.name, stays ? known : this.open(data));
      if (stays) before.delete(data.name);
    }
    for (const layer of before.values()) layer.subscription?.stop();
    loop.leave();
    this.sayIfReady();
  }

  /** Resolves when each has come, or need not be waited for. */
  whenReady(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.sayIfReady();
    });
  }

  stop(): void {
    for (const layer of this.layers.values()) layer.subscription?.stop();
  }

  private open(data: RtdsLayerData): DynamicLayer {
    const { environment } = this;
    const { subscriptions, stats, setText } = environment;
    const layer = new DynamicLayer(data, environment, () => this.sayIfReady());
    const counted = { scope: stats.scope(prefix), prefix, setText };
    layer.subscription = subscriptions.open(runtimeKind, [data.resource], data.source, layer, counted);
    layer.subscription.start();
    return layer;
  }

  private sayIfReady(): void {
    for (const layer of this.layers.values()) if (!layer.isReady) return;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

const noEntries: RuntimeEntries = new Map();

/** One of them. Source of its words: Envoy `RtdsSubscription`. */
class DynamicLayer implements SubscriptionUser {
  readonly data: RtdsLayerData;
  isReady: boolean;
  /** Set once, right after construction. */
  subscription: Subscription | null;
  private readonly environment: RuntimeLayersEnvironment;
  private readonly onReady: () => void;

  constructor(data: RtdsLayerData, environment: RuntimeLayersEnvironment, onReady: () => void) {
    this.data = data;
    this.isReady = false;
    this.subscription = null;
    this.environment = environment;
    this.onReady = onReady;
  }

  onResources(resources: readonly OpenedResource[]): string {
    if (resources.length !== 1) return unexpected(resources.length, 0);
    const [{ name, packed }] = resources;
    const { resource } = this.data;
    if (name !== resource) return `Unexpected RTDS runtime (expecting ${resource}): ${name}`;
    const entries = readResource(RuntimeSchema, packed, ({ layer = {} }, reasons) => decodeEntries(layer, reasons));
    if (typeof entries === 'string') return entries;
    this.take(entries);
    return '';
  }

  onDelta(set: readonly OpenedResource[], removed: readonly string[]): string {
    if (set.length + removed.length !== 1) return unexpected(set.length, removed.length);
    if (set.length === 1) return this.onResources(set);
    this.take(noEntries);
    return '';
  }

  onGivenUp(): void {
    this.ready();
  }

  private take(entries: RuntimeEntries): void {
    this.environment.onEntries(this.data.name, entries);
    this.ready();
  }

  private ready(): void {
    this.isReady = true;
    this.onReady();
  }
}

function unexpected(added: number, removed: number): string {
  return `Unexpected RTDS resource length, number of added resources ${added}, number of removed resources ${removed}`;
}
