import type { DescMessage, Message } from '@bufbuild/protobuf';
import type { Bootstrap } from '../proto/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { Cluster_DiscoveryType, type Cluster } from '../proto/envoy/config/cluster/v3/cluster_pb.js';
import type { ApiConfigSource, ConfigSource } from '../proto/envoy/config/core/v3/config_source_pb.js';
import type { Listener } from '../proto/envoy/config/listener/v3/listener_pb.js';
import type { ZipkinConfig } from '../proto/envoy/config/trace/v3/zipkin_pb.js';
import type { RouteConfiguration } from '../proto/envoy/config/route/v3/route_pb.js';
import { nearName } from './near-name.ts';
import type { ConfigReason } from './problem.ts';
import { checkDomains, checkRouteClusters } from './route-references.ts';

/** A message that names something defined elsewhere, with its path; collected while the configuration is read. */
export interface Referring {
  readonly type: DescMessage;
  readonly message: Message;
  readonly path: string;
}

const hcm = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const zipkin = 'envoy.config.trace.v3.ZipkinConfig';
const statsd = 'envoy.config.metrics.v3.StatsdSink';
const metricsService = 'envoy.config.metrics.v3.MetricsServiceConfig';
const staticSecret = 'envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig';

/** Messages to hand to `checkReferences`. */
export const referringTypes: ReadonlySet<string> = new Set([hcm, zipkin, statsd, metricsService, staticSecret]);

/**
 * What the parts of a bootstrap say of each other, refused exactly where Envoy refuses it. Envoy accepts, and so do we:
 * a `tcp_proxy`, an ext_authz, a JWKS or an access log that names an unknown cluster; two listeners of one name.
 */
export function checkReferences(bootstrap: Bootstrap, referring: readonly Referring[]): ConfigReason[] {
  const checker = new ReferenceChecker(bootstrap);
  checker.bootstrap(bootstrap);
  for (const one of referring) checker.referring(one);
  return checker.reasons;
}

class ReferenceChecker {
  readonly reasons: ConfigReason[] = [];
  readonly #clusters = new Set<string>();
  /** Those that are there before anything comes from a control plane. */
  readonly #primaryClusters = new Set<string>();
  readonly #secrets = new Set<string>();

  constructor(bootstrap: Bootstrap) {
    for (const cluster of bootstrap.staticResources?.clusters ?? []) {
      this.#clusters.add(cluster.name);
      if (isPrimary(cluster)) this.#primaryClusters.add(cluster.name);
    }
    for (const secret of bootstrap.staticResources?.secrets ?? []) this.#secrets.add(secret.name);
  }

  bootstrap(bootstrap: Bootstrap): void {
    const { clusters = [], listeners = [], secrets = [] } = bootstrap.staticResources ?? {};
    this.#unique(clusters, 'static_resources.clusters', 'cluster');
    // A certificate and a validation context may share a name.
    this.#unique(secrets, 'static_resources.secrets', 'secret', ({ name, type }) => `${type.case}/${name}`);
    clusters.forEach((cluster, index) => {
      const path = `static_resources.clusters[${index}].eds_cluster_config.eds_config`;
      this.#configSource(cluster.edsClusterConfig?.edsConfig, path);
    });
    listeners.forEach((listener, index) => this.#listener(listener, `static_resources.listeners[${index}]`));
    const local = bootstrap.clusterManager?.localClusterName ?? '';
    if (local !== '') this.#cluster(local, this.#clusters, 'cluster_manager.local_cluster_name');
    const { cdsConfig, adsConfig } = bootstrap.dynamicResources ?? {};
    this.#configSource(cdsConfig, 'dynamic_resources.cds_config');
    if (adsConfig !== undefined) this.#apiSource(adsConfig, 'dynamic_resources.ads_config');
    (bootstrap.layeredRuntime?.layers ?? []).forEach(({ layerSpecifier: layer }, index) => {
      if (layer.case !== 'rtdsLayer') return;
      this.#configSource(layer.value.rtdsConfig, `layered_runtime.layers[${index}].rtds_layer.rtds_config`);
    });
  }

  referring({ type, message, path }: Referring): void {
    const fields = message as unknown as Record<string, unknown>;
    switch (type.typeName) {
      case hcm:
        return this.#routes(fields['routeSpecifier'] as RouteSpecifier, path);
      case zipkin:
        return this.#zipkin(message as ZipkinConfig, path);
      case statsd: {
        const target = fields['statsdSpecifier'] as { case: string | undefined; value?: unknown };
        if (target.case === 'tcpClusterName') this.#named(target.value, `${path}.tcp_cluster_name`);
        return;
      }
      case metricsService: {
        const service = fields['grpcService'] as ApiConfigSource['grpcServices'][number] | undefined;
        if (service?.targetSpecifier.case === 'envoyGrpc')
          this.#named(service.targetSpecifier.value.clusterName, `${path}.grpc_service.envoy_grpc.cluster_name`);
        return;
      }
      case staticSecret:
        return this.#secret(fields['name'] as string, fields['sdsConfig'] !== undefined, path);
    }
  }

  #zipkin({ collectorCluster, collectorService }: ZipkinConfig, path: string): void {
    const uri = collectorService?.httpUri;
    if (collectorService === undefined) this.#named(collectorCluster, `${path}.collector_cluster`);
    else this.#named(uri?.httpUpstreamType.value, `${path}.collector_service.http_uri.cluster`);
  }

  #routes(specifier: RouteSpecifier, path: string): void {
    if (specifier.case === 'rds') return this.#configSource(specifier.value.configSource, `${path}.rds.config_source`);
    if (specifier.case !== 'routeConfig') return;
    const routes = specifier.value;
    const here = `${path}.route_config`;
    this.reasons.push(...checkDomains(routes, here));
    if (routes.validateClusters === false) return;
    this.reasons.push(...checkRouteClusters(routes, here, (name, at) => this.#cluster(name, this.#clusters, at)));
  }

  #listener(listener: Listener, path: string): void {
    if (listener.address !== undefined || listener.apiListener !== undefined) return;
    if (listener.listenerSpecifier.case === 'internalListener') return;
    this.reasons.push({ path: `${path}.address`, message: 'a listener must have an address' });
  }

  #unique<Named extends { readonly name: string }>(
    list: readonly Named[],
    path: string,
    what: string,
    keyOf: (one: Named) => string = ({ name }) => name,
  ): void {
    const first = new Map<string, number>();
    list.forEach((one, index) => {
      const key = keyOf(one);
      const before = first.get(key);
      if (before === undefined) {
        first.set(key, index);
        return;
      }
      const found = JSON.stringify(one.name);
      const message = `there is a ${what} named ${found} already: ${path}[${before}]`;
      this.reasons.push({ path: `${path}[${index}].name`, message, found });
    });
  }

  #configSource(source: ConfigSource | undefined, path: string): void {
    if (source?.configSourceSpecifier.case !== 'apiConfigSource') return;
    this.#apiSource(source.configSourceSpecifier.value, `${path}.api_config_source`);
  }

  #apiSource(source: ApiConfigSource, path: string): void {
    source.clusterNames.forEach((name, index) =>
      this.#cluster(name, this.#primaryClusters, `${path}.cluster_names[${index}]`),
    );
    source.grpcServices.forEach(({ targetSpecifier: target }, index) => {
      if (target.case !== 'envoyGrpc') return;
      const at = `${path}.grpc_services[${index}].envoy_grpc.cluster_name`;
      this.#cluster(target.value.clusterName, this.#primaryClusters, at);
    });
  }

  #named(name: unknown, path: string): void {
    if (typeof name === 'string' && name !== '') this.#cluster(name, this.#clusters, path);
  }

  #cluster(name: string, among: ReadonlySet<string>, path: string): void {
    if (among.has(name)) return;
    const isEds = this.#clusters.has(name);
    const message = isEds
      ? `the cluster ${JSON.stringify(name)} comes from EDS itself: this must be a static cluster`
      : `there is no cluster ${JSON.stringify(name)}`;
    this.reasons.push(unknownName(path, message, name, among));
  }

  #secret(name: string, isDynamic: boolean, path: string): void {
    if (isDynamic || this.#secrets.has(name)) return;
    this.reasons.push(
      unknownName(`${path}.name`, `there is no static secret ${JSON.stringify(name)}`, name, this.#secrets),
    );
  }
}

type RouteSpecifier =
  | { readonly case: 'rds'; readonly value: { readonly configSource?: ConfigSource } }
  | { readonly case: 'routeConfig'; readonly value: RouteConfiguration }
  | { readonly case: 'scopedRoutes' | undefined; readonly value?: unknown };

function unknownName(path: string, message: string, name: string, among: Iterable<string>): ConfigReason {
  const reason = { path, message, found: JSON.stringify(name) };
  const suggestion = nearName(name, among);
  return suggestion === undefined ? reason : { ...reason, suggestion };
}

/** Its endpoints are known without a control plane: not EDS, or EDS from a file. */
function isPrimary(cluster: Cluster): boolean {
  const type = cluster.clusterDiscoveryType;
  if (type.case !== 'type' || type.value !== Cluster_DiscoveryType.EDS) return true;
  const source = cluster.edsClusterConfig?.edsConfig?.configSourceSpecifier.case;
  return source === 'path' || source === 'pathConfigSource';
}
