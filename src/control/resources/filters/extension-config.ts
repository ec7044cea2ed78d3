import type { Clock } from '../../../core/clock.ts';
import type { ExtensionData } from '../../../core/extension.ts';
import type { ExtensionSourceData } from '../../../listener/extension-sources.ts';
import type { Counter, StatsScope } from '../../../observe/stats/stats.ts';
import type { OpenedResource, Subscription, SubscriptionUser } from '../../xds/resource-kind.ts';
import type { ListenerNeeds } from '../../bootstrap-data.ts';
import type { NeededResource } from '../needed.ts';

const nothing: ListenerNeeds = { routes: [], scopes: [], extensions: [] };

/** A filter's configuration, and what it needs from elsewhere in its turn: a connection manager its routes. */
export interface DecodedExtension {
  readonly data: ExtensionData;
  readonly needs: ListenerNeeds;
}

export interface ExtensionSurroundings {
  readonly clock: Clock;
  /** A sentence where it is refused. */
  decode(packed: Uint8Array, source: ExtensionSourceData): DecodedExtension | string;
  /** These are needed from now on, those not any more. */
  exchange(needed: ListenerNeeds, dropped: ListenerNeeds): void;
  /** Whether none of these is to be waited for. */
  areReady(needs: ListenerNeeds): boolean;
  onChanged(config: DynamicExtension): void;
  /** Nobody need wait for it any longer. */
  onReady(): void;
}

/** One filter's configuration that comes by ECDS. Source of its words: Envoy `FilterConfigSubscription`. */
export class DynamicExtension implements NeededResource, SubscriptionUser {
  readonly source: ExtensionSourceData;
  /** The default until one comes; null: there is none. */
  data: ExtensionData | null;
  /** As it came; null: none has, or it was taken back. */
  packed: Uint8Array | null;
  version: string;
  updatedEpochMs: number;
  /** Set once, right after construction. */
  subscription: Subscription | null;
  private readonly surroundings: ExtensionSurroundings;
  private hasAnswered: boolean;
  private needs: ListenerNeeds;
  private readonly reloads: Counter;
  private readonly failures: Counter;

  /** `scope`: `extension_config_discovery.<kind of filter>.<name>`. */
  constructor(source: ExtensionSourceData, scope: StatsScope, surroundings: ExtensionSurroundings) {
    this.source = source;
    this.data = source.fallback;
    this.packed = null;
    this.version = '';
    this.updatedEpochMs = surroundings.clock.epochMs;
    this.hasAnswered = source.startsWithFallback;
    this.needs = nothing;
    this.subscription = null;
    this.surroundings = surroundings;
    this.reloads = scope.counter('config_reload');
    this.failures = scope.counter('config_fail');
    scope.counter('config_conflict');
  }

  get isReady(): boolean {
    return this.hasAnswered && this.surroundings.areReady(this.needs);
  }

  start(): void {
    this.subscription?.start();
  }

  stop(): void {
    this.subscription?.stop();
    this.need(nothing);
  }

  // SubscriptionUser

  onResources(resources: readonly OpenedResource[]): string {
    if (resources.length !== 1)
      return `Unexpected number of resources in ExtensionConfigDS response: ${resources.length}`;
    const [{ name, packed, version }] = resources;
    if (name !== this.source.name) return `Unexpected resource name in ExtensionConfigDS response: ${name}`;
    if (this.packed === null || !Buffer.from(this.packed).equals(packed)) {
      const read = this.surroundings.decode(packed, this.source);
      if (typeof read === 'string') return read;
      this.need(read.needs);
      this.take(read.data, packed, version);
    }
    this.ready();
    return '';
  }

  /** As Envoy: that there is none is nothing to go on with, and what serves meanwhile serves on. */
  onDelta(set: readonly OpenedResource[], removed: readonly string[]): string {
    if (removed.length === 0) return set.length === 0 ? '' : this.onResources(set);
    this.take(this.source.fallback, null, '');
    this.need(nothing);
    return '';
  }

  onGivenUp(): void {
    this.failures.inc();
    this.ready();
  }

  private take(data: ExtensionData | null, packed: Uint8Array | null, version: string): void {
    this.data = data;
    this.packed = packed;
    this.version = version;
    this.updatedEpochMs = this.surroundings.clock.epochMs;
    this.reloads.inc();
    this.surroundings.onChanged(this);
  }

  private need(needs: ListenerNeeds): void {
    const before = this.needs;
    this.needs = needs;
    if (needs !== before) this.surroundings.exchange(needs, before);
  }

  private ready(): void {
    if (this.hasAnswered) return;
    this.hasAnswered = true;
    this.surroundings.onReady();
  }
}
