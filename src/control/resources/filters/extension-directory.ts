import type { Clock } from '../../../core/clock.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import { wrongKind } from '../../../listener/extension-source-decode.ts';
import type { ExtensionSourceData } from '../../../listener/extension-sources.ts';
import { orderFault } from '../../../listener/filter-chain/filter-order.ts';
import type { StatsScope } from '../../../observe/stats/stats.ts';
import {
  TypedExtensionConfigSchema,
  type TypedExtensionConfig,
} from '../../../proto/envoy/config/core/v3/extension_pb.js';
import { packedKinds } from '../../packed-kinds.ts';
import type { ListenerNeeds } from '../../bootstrap-data.ts';
import type { ExtensionChanges } from '../../snapshot-data.ts';
import type { Subscriptions } from '../../xds/subscriptions.ts';
import type { SetText } from '../../xds/subscription-stats.ts';
import { DynamicExtension, type DecodedExtension, type ExtensionSurroundings } from './extension-config.ts';
import { extensionKind } from '../../xds/resource-kinds.ts';
import { NeededResources } from '../needed.ts';
import { readResource } from '../read-resource.ts';
import { takeNeeds, type ResourceDecoding } from '../resource-decoding.ts';

export interface ExtensionDirectoryEnvironment {
  readonly clock: Clock;
  readonly subscriptions: Subscriptions;
  /** The main thread's root scope. */
  readonly stats: StatsScope;
  readonly setText: SetText;
  /** In the surroundings of the newest configuration. */
  decoding(): Pick<ResourceDecoding, 'extensions'>;
  /** Tell the workers. `kinds`: message names of the extensions that it names. */
  publish(changes: ExtensionChanges, kinds: readonly string[]): void;
  /** Of a filter that has come: these are needed from now on, those not any more; absent: none needs anything. */
  exchange?(needed: ListenerNeeds, dropped: ListenerNeeds): void;
  areReady?(needs: ListenerNeeds): boolean;
  /** Listeners may wait for less than before. */
  onReady(): void;
}

const supported = new SupportedFields(TypedExtensionConfigSchema, ['name', 'typed_config']);

/** Category → Envoy's word for it among the stats. */
const statNames: Readonly<Record<string, string>> = {
  'envoy.filters.http': 'http_filter',
  'envoy.filters.network': 'network_filter',
  'envoy.filters.listener': 'tcp_listener_filter',
};

/** The configurations of filters that come by ECDS, each for as long as a listener names it. */
export class ExtensionDirectory {
  readonly resources: NeededResources<ExtensionSourceData, DynamicExtension>;
  private readonly environment: ExtensionDirectoryEnvironment;
  private readonly surroundings: ExtensionSurroundings;

  constructor(environment: ExtensionDirectoryEnvironment) {
    this.environment = environment;
    this.surroundings = {
      clock: environment.clock,
      decode: (packed, source) => this.decode(packed, source),
      exchange: (needed, dropped) => environment.exchange?.(needed, dropped),
      areReady: (needs) => environment.areReady?.(needs) ?? true,
      onChanged: (config) => this.publish(config),
      onReady: () => environment.onReady(),
    };
    this.resources = new NeededResources(
      (source) => this.make(source),
      (key) => environment.publish({ set: [], removed: [key] }, []),
    );
  }

  private make(source: ExtensionSourceData): DynamicExtension {
    const { stats, setText, subscriptions } = this.environment;
    const prefix = `extension_config_discovery.${statNames[source.category]}.${source.name}`;
    const scope = stats.scope(prefix);
    const config = new DynamicExtension(source, scope, this.surroundings);
    const counted = { scope, prefix, setText };
    config.subscription = subscriptions.open(extensionKind, [source.name], source.source, config, counted);
    if (config.data !== null) this.publish(config);
    return config;
  }

  private publish({ source: { key }, data, packed }: DynamicExtension): void {
    const kinds = packed === null ? new Set<string>() : packedKinds(packed);
    if (data !== null) kinds.add(data.kind);
    this.environment.publish({ set: [{ key, extension: { config: data } }], removed: [] }, [...kinds]);
  }

  private decode(packed: Uint8Array, source: ExtensionSourceData): DecodedExtension | string {
    const { name, category } = source;
    const { extensions } = this.environment.decoding();
    const decode = (message: TypedExtensionConfig, reasons: Reasons): DecodedExtension | null => {
      supported.check(message, reasons);
      if (!mayBe(message, source, reasons)) return null;
      const data = extensions.open(category, name, message.typedConfig, reasons);
      const needs = takeNeeds(extensions);
      return data === null ? null : { data, needs };
    };
    return readResource(TypedExtensionConfigSchema, packed, decode, () => [], extensions.onNeeds);
  }
}

/** Envoy's words. */
function mayBe(
  { typedConfig }: TypedExtensionConfig,
  { name, kinds, isLast }: ExtensionSourceData,
  reasons: Reasons,
): boolean {
  const typeUrl = typedConfig?.typeUrl ?? '';
  const kind = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  if (!kinds.includes(kind)) {
    reasons.add(wrongKind(kind, kinds));
    return false;
  }
  const fault = isLast === undefined ? '' : orderFault(name, kind, isLast);
  if (fault !== '') reasons.add(`Error: ${fault}`);
  return fault === '';
}
