import type { Clock } from '../../../core/clock.ts';
import type { ExtensionData } from '../../../core/extension.ts';
import type { ExtensionSourceData } from '../../../listener/extension-sources.ts';
import type { Counter, StatsScope } from '../../../observe/stats.ts';
import type { OpenedResource, Subscription, SubscriptionUser } from '../../xds/resource-kind.ts';
import type { NeededResource } from '../needed.ts';

export interface ExtensionSurroundings {
  readonly clock: Clock;
  /** A sentence where it is refused. */
  decode(packed: Uint8Array, source: ExtensionSourceData): ExtensionData | string;
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
  isReady: boolean;
  /** Set once, right after construction. */
  subscription: Subscription | null;
  private readonly surroundings: ExtensionSurroundings;
  private readonly reloads: Counter;
  private readonly failures: Counter;

  /** `scope`: `extension_config_discovery.<kind of filter>.<name>`. */
  constructor(source: ExtensionSourceData, scope: StatsScope, surroundings: ExtensionSurroundings) {
    this.source = source;
    this.data = source.fallback;
    this.packed = null;
    this.version = '';
    this.updatedEpochMs = surroundings.clock.epochMs;
    this.isReady = source.startsWithFallback;
    this.subscription = null;
    this.surroundings = surroundings;
    this.reloads = scope.counter('config_reload');
    this.failures = scope.counter('config_fail');
    scope.counter('config_conflict');
  }

  start(): void {
    this.subscription?.start();
  }

  stop(): void {
    this.subscription?.stop();
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
      this.take(read, packed, version);
    }
    this.ready();
    return '';
  }

  onDelta(set: readonly OpenedResource[], removed: readonly string[]): string {
    if (removed.length === 0) return set.length === 0 ? '' : this.onResources(set);
    this.take(this.source.fallback, null, '');
    this.ready();
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

  private ready(): void {
    if (this.isReady) return;
    this.isReady = true;
    this.surroundings.onReady();
  }
}
