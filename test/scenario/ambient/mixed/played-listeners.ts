/** Listeners that istiod has sent, as they are played: what the scenario cannot have in them is left out. */
import type { Filter } from '../../../../src/proto/envoy/config/listener/v3/listener_components_pb.js';
import { ListenerSchema, type Listener } from '../../../../src/proto/envoy/config/listener/v3/listener_pb.js';
import { HttpConnectionManagerSchema } from '../../../../src/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { DeltaDiscoveryResponseSchema } from '../../../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { anyPack, anyUnpack, fromBinary, toBinary } from '../../../../src/proto/protobuf.js';
import { listenerKind } from '../../../../src/control/xds/resource-kinds.ts';

/** Istio's own filters, by what is packed; a TypedStruct has the name inside. */
const istios = /stats\.PluginConfig|io\.istio\.http\.peer_metadata|metadataexchange|istio\.envoy\.config\.filter/;

/** A policy on paths, of which TCP has none: it denies all of that. */
const deniesTcp = /policy\[waypoint-deny\]/;

/** `isEnvoy`: for an Envoy that has nothing of Istio's; texts of filter state are of its own type for the same. */
export function playedListeners(typeUrl: string, packed: Uint8Array, isEnvoy: boolean): Uint8Array {
  if (typeUrl !== listenerKind.typeUrl) return packed;
  const response = fromBinary(DeltaDiscoveryResponseSchema, packed);
  for (const resource of response.resources) {
    const listener = anyUnpack(resource.resource!, ListenerSchema)!;
    thinOut(listener, isEnvoy);
    resource.resource = anyPack(ListenerSchema, listener);
  }
  const bytes = toBinary(DeltaDiscoveryResponseSchema, response);
  if (!isEnvoy) return bytes;
  const text = Buffer.from(bytes).toString('latin1');
  return Buffer.from(text.replaceAll('istio.hashable_string', 'envoy.hashable_string'), 'latin1');
}

function thinOut(listener: Listener, isEnvoy: boolean): void {
  const chains = listener.defaultFilterChain === undefined ? [] : [listener.defaultFilterChain];
  for (const chain of [...listener.filterChains, ...chains]) {
    chain.filters = chain.filters.filter((filter) => !isOf(filter, deniesTcp, 'network.rbac.v3.RBAC'));
    if (!isEnvoy) continue;
    chain.filters = chain.filters.filter((filter) => !isOf(filter, istios));
    for (const filter of chain.filters) thinOutManager(filter);
  }
}

function thinOutManager({ configType }: Filter): void {
  if (configType.case !== 'typedConfig') return;
  const manager = anyUnpack(configType.value, HttpConnectionManagerSchema);
  if (manager === undefined) return;
  manager.httpFilters = manager.httpFilters.filter((filter) => !isOf(filter, istios));
  configType.value = anyPack(HttpConnectionManagerSchema, manager);
}

/** By the name of its type, or by what it has inside where that is one of `types`. */
function isOf(
  { configType }: { configType: { case?: string | undefined; value?: unknown } },
  pattern: RegExp,
  type = 'TypedStruct',
): boolean {
  if (configType.case !== 'typedConfig') return false;
  const { typeUrl, value } = configType.value as { typeUrl: string; value: Uint8Array };
  return pattern.test(typeUrl) || (typeUrl.endsWith(type) && pattern.test(Buffer.from(value).toString('latin1')));
}
