import type { ResourceKind } from './resource-kind.ts';

export const listenerKind = kind('envoy.config.listener.v3.Listener', 'listener', 'Listener', 'Listeners');
export const routeKind = kind('envoy.config.route.v3.RouteConfiguration', 'route', 'Route', 'Routes');
export const scopedRouteKind = kind(
  'envoy.config.route.v3.ScopedRouteConfiguration',
  'route',
  'ScopedRoutes',
  'ScopedRoutes',
);
export const clusterKind = kind('envoy.config.cluster.v3.Cluster', 'cluster', 'Cluster', 'Clusters');
export const endpointKind = kind('envoy.config.endpoint.v3.ClusterLoadAssignment', 'endpoint', 'Endpoint', 'Endpoints');
export const secretKind = kind('envoy.extensions.transport_sockets.tls.v3.Secret', 'secret', 'Secret', 'Secrets');
export const extensionKind = kind(
  'envoy.config.core.v3.TypedExtensionConfig',
  'extension',
  'ExtensionConfig',
  'ExtensionConfigs',
);
export const runtimeKind = kind('envoy.service.runtime.v3.Runtime', 'runtime', 'Runtime', 'Runtime');
/** Incremental only: its service has no other method. */
export const virtualHostKind: ResourceKind = {
  ...kind('envoy.config.route.v3.VirtualHost', 'route', 'VirtualHost', 'VirtualHosts'),
  streamMethod: '',
};

/** Of the service `<service>DiscoveryService` in `envoy.service.<folder>.v3`. */
function kind(message: string, folder: string, service: string, many: string): ResourceKind {
  const path = `/envoy.service.${folder}.v3.${service}DiscoveryService`;
  return {
    typeUrl: `type.googleapis.com/${message}`,
    streamMethod: `${path}/Stream${many}`,
    deltaMethod: `${path}/Delta${many}`,
  };
}
