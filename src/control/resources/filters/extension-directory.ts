import type { Clock } from '../../../core/clock.ts';
import type { ExtensionData } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import type { ExtensionSourceData } from '../../../listener/extension-sources.ts';
import type { StatsScope } from '../../../observe/stats.ts';
import {
  TypedExtensionConfigSchema,
  type TypedExtensionConfig,
} from '../../../proto/envoy/config/core/v3/extension_pb.js';
import { packedKinds } from '../../packed-kinds.ts';
import type { ExtensionChanges } from '../../snapshot-data.ts';
import type { Subscriptions } from '../../xds/subscriptions.ts';
import type { SetText } from '../../xds/subscription-stats.ts';
import { DynamicExtension, type ExtensionSurroundings } from './extension-config.ts';
import { extensionKind } from '../../xds/resource-kinds.ts';
import { NeededResources } from '../needed.ts';
import { readResource } from '../read-resource.ts';
import type { ResourceDecoding } from '../resource-decoding.ts';

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

  private decode(packed: Uint8Array, { name, category, kinds }: ExtensionSourceData): ExtensionData | string {
    return readResource(TypedExtensionConfigSchema, packed, (message, reasons) => {
      supported.check(message, reasons);
      if (!isOneOf(message, kinds, reasons)) return null;
      return this.environment.decoding().extensions.open(category, name, message.typedConfig, reasons);
    });
  }
}

/** Envoy's words. */
function isOneOf({ typedConfig }: TypedExtensionConfig, kinds: readonly string[], reasons: Reasons): boolean {
  const typeUrl = typedConfig?.typeUrl ?? '';
  const kind = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  if (kinds.includes(kind)) return true;
  reasons.add(`Error: filter config has type URL ${kind} but expect ${kinds.join(', ')}.`);
  return false;
}
