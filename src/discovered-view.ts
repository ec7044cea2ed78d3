import type { DumpedFault, DumpedListener, DumpedResource, DumpedScopes } from './admin/admin-source.ts';
import type { DynamicExtension } from './control/resources/filters/extension-config.ts';
import type { DynamicClusters, ReceivedCluster } from './control/resources/dynamic-clusters.ts';
import type { DynamicListener, ListenerFault } from './control/resources/listeners/dynamic-listener.ts';
import type { ProcessListeners } from './process-listeners.ts';
import { ClusterSchema } from './proto/envoy/config/cluster/v3/cluster_pb.js';
import { TypedExtensionConfigSchema } from './proto/envoy/config/core/v3/extension_pb.js';
import { ListenerSchema, type Listener } from './proto/envoy/config/listener/v3/listener_pb.js';
import { RouteConfigurationSchema, type RouteConfiguration } from './proto/envoy/config/route/v3/route_pb.js';
import { ScopedRouteConfigurationSchema } from './proto/envoy/config/route/v3/scoped_route_pb.js';
import {
  HttpConnectionManagerSchema,
  type HttpConnectionManager,
} from './proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { anyIs, anyUnpack, fromBinary } from './proto/protobuf.js';

/** The listeners that came by LDS, in every state that they are in, and those that were refused. */
export function dumpedListeners({ listeners }: ProcessListeners): readonly DumpedListener[] {
  const { active, warming, draining, faults, lastFaults } = listeners;
  const left = new Map(Array.from(draining, (listener) => [listener.name, listener]));
  const names = new Set([...active.keys(), ...warming.keys(), ...left.keys(), ...faults.keys()]);
  const named = Array.from(names, (name) => ({
    name,
    active: dumped(active.get(name)),
    warming: dumped(warming.get(name)),
    draining: dumped(left.get(name)),
    fault: dumpedFault(faults.get(name), true),
  }));
  const none = { name: '', active: null, warming: null, draining: null };
  return [...named, ...lastFaults.map((fault) => ({ ...none, fault: dumpedFault(fault, false) }))];
}

function dumped(listener: DynamicListener | undefined): DumpedResource | null {
  if (listener === undefined) return null;
  const { name, packed, version, updatedEpochMs } = listener;
  return resource(name, fromBinary(ListenerSchema, packed), version, updatedEpochMs);
}

function dumpedFault(fault: ListenerFault | undefined, isDated: boolean): DumpedFault | null {
  if (fault === undefined) return null;
  const { packed, details, epochMs } = fault;
  return { message: fromBinary(ListenerSchema, packed), details, attemptedMs: isDated ? epochMs : null };
}

/** The clusters that came by CDS, in force or to come into force. */
export function dumpedClusters(dynamic: DynamicClusters): DumpedResource[] {
  const dumped = (isWarming: boolean): ((one: ReceivedCluster) => DumpedResource) => {
    return ({ name, packed, version, updatedEpochMs }) => ({
      ...resource(name, fromBinary(ClusterSchema, packed), version, updatedEpochMs),
      isWarming,
    });
  };
  return [...Array.from(dynamic.active(), dumped(false)), ...Array.from(dynamic.warming(), dumped(true))];
}

/** The route configurations that came by RDS. */
export function dumpedRoutes({ routes }: ProcessListeners): DumpedResource[] {
  return Array.from(routes.resources).flatMap(({ source, packed, version, updatedEpochMs }) =>
    packed === null
      ? []
      : [resource(source.name, fromBinary(RouteConfigurationSchema, packed), version, updatedEpochMs)],
  );
}

/** Kinds of filters as Envoy's sections have them, one after the other. */
const extensionCategories = ['envoy.filters.http', 'envoy.filters.network', 'envoy.filters.listener'];

/** The configurations of filters that came by ECDS, of each kind of which some are to come so. */
export function dumpedExtensions({ extensions }: ProcessListeners): (readonly DumpedResource[])[] {
  const all = [...extensions.resources];
  const known = extensionCategories.map((category) => all.filter(({ source }) => source.category === category));
  return known.filter(({ length }) => length > 0).map((some) => some.flatMap(dumpedExtension));
}

function dumpedExtension({ source, packed, version, updatedEpochMs }: DynamicExtension): readonly DumpedResource[] {
  if (packed === null) return [];
  return [resource(source.name, fromBinary(TypedExtensionConfigSchema, packed), version, updatedEpochMs)];
}

function resource(
  name: string,
  message: DumpedResource['message'],
  versionInfo: string,
  lastUpdatedMs: number,
): DumpedResource {
  return { name, message, versionInfo, lastUpdatedMs, isWarming: false };
}

/** The listeners that came by LDS and serve. */
export function servingListeners({ listeners }: ProcessListeners): Listener[] {
  return Array.from(listeners.active.values(), ({ packed }) => fromBinary(ListenerSchema, packed));
}

/** The scopes that came by SRDS. */
export function dumpedScopes({ scopes }: ProcessListeners): DumpedScopes[] {
  return Array.from(scopes.resources, ({ source, version, updatedEpochMs, scopes: known }) => ({
    name: source.name,
    versionInfo: version,
    lastUpdatedMs: updatedEpochMs,
    messages: Array.from(known.values(), ({ packed }) => fromBinary(ScopedRouteConfigurationSchema, packed)),
  }));
}

/** Every HTTP connection manager of these listeners. */
function* managersOf(listeners: readonly Listener[]): Iterable<HttpConnectionManager> {
  for (const { filterChains, defaultFilterChain } of listeners) {
    const chains = defaultFilterChain === undefined ? filterChains : [...filterChains, defaultFilterChain];
    for (const filter of chains.flatMap((chain) => chain.filters)) {
      const config = filter.configType.case === 'typedConfig' ? filter.configType.value : undefined;
      if (config === undefined || !anyIs(config, HttpConnectionManagerSchema)) continue;
      const manager = anyUnpack(config, HttpConnectionManagerSchema);
      if (manager !== undefined) yield manager;
    }
  }
}

/** The route configurations inside these listeners; null: none of them routes HTTP. */
export function inlineRoutes(listeners: readonly Listener[]): readonly RouteConfiguration[] | null {
  let found: RouteConfiguration[] | null = null;
  for (const { routeSpecifier } of managersOf(listeners)) {
    found ??= [];
    if (routeSpecifier.case === 'routeConfig') found.push(routeSpecifier.value);
  }
  return found;
}

/** The scopes inside these listeners. */
export function inlineScopes(listeners: readonly Listener[], lastUpdatedMs: number): DumpedScopes[] {
  const found: DumpedScopes[] = [];
  for (const { routeSpecifier } of managersOf(listeners)) {
    if (routeSpecifier.case !== 'scopedRoutes') continue;
    const { name, configSpecifier } = routeSpecifier.value;
    if (configSpecifier.case !== 'scopedRouteConfigurationsList') continue;
    found.push({ name, versionInfo: null, lastUpdatedMs, messages: configSpecifier.value.scopedRouteConfigurations });
  }
  return found;
}
