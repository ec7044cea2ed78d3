import type { Outcome } from '../../../observe/outcome.ts';
import { stateText } from '../../../observe/filter-state.ts';
import { workloadOfEndpoint } from '../workload/workload-struct.ts';
import { downstreamPeerKey, upstreamPeerKey, Workload, type WorkloadFields } from '../workload/workload.ts';

/** Who tells: a client's proxy, a server's, or a gateway of several servers (a waypoint). */
export type Reporter = 'source' | 'destination' | 'waypoint';

/** What is known of both ends of a stream or connection; all of it decides what its labels are. */
export interface EndFacts {
  readonly peer: Workload | null;
  /** Of a gateway, who it forwards to. */
  readonly endpoint: Workload | null;
  /** Of the cluster; null: it says nothing. */
  readonly service: ServiceFacts | null;
  /** In place of a service's name; empty: none. */
  readonly specialName: string;
  /** Of the request, where it counts; empty: it does not. */
  readonly host: string;
  /** SPIFFE ids; empty: not known. */
  readonly peerPrincipal: string;
  readonly ownPrincipal: string;
}

interface ServiceFacts {
  readonly host: string;
  readonly name: string;
  readonly namespace: string;
}

type Labels = Readonly<Record<string, string>>;
type Struct = Readonly<Record<string, unknown>>;

const namespacePart = '/ns/';
const specialClusters: ReadonlySet<string> = new Set([
  'BlackHoleCluster',
  'PassthroughCluster',
  'InboundPassthroughCluster',
  'InboundPassthroughClusterIpv4',
  'InboundPassthroughClusterIpv6',
]);

/** Services and workloads that configured metadata speak of, read once for each object. */
const services = new WeakMap<object, { readonly service: ServiceFacts | null }>();
const endpoints = new WeakMap<object, { readonly workload: Workload | null }>();

/** `upstreamState`: what filters of an upstream connection found out; null: there are none. */
export function factsOf(
  reporter: Reporter,
  outcome: Outcome,
  trustsHost: boolean,
  upstreamState: ReadonlyMap<string, unknown> | null = null,
): EndFacts {
  const isClient = reporter === 'source';
  const state = isClient && upstreamState !== null ? upstreamState : outcome.filterState;
  const peer = Workload.in(state, isClient ? upstreamPeerKey : downstreamPeerKey);
  const specialName = specialNameOf(outcome);
  const service = specialName === '' ? serviceOf(outcome.clusterMetadata) : null;
  const host = trustsHost && (service === null || service.host === '') ? (outcome.requestHead?.authority ?? '') : '';
  if (isClient) {
    const tls = outcome.upstreamPeer?.tls ?? null;
    return {
      peer: peer ?? endpointWorkload(outcome.upstreamHostMetadata),
      endpoint: null,
      service,
      specialName,
      host,
      peerPrincipal: tls?.peerChain[0]?.uris[0] ?? peer?.identity ?? '',
      ownPrincipal: tls?.local?.uris[0] ?? '',
    };
  }
  const endpoint = reporter === 'waypoint' ? Workload.in(outcome.filterState, upstreamPeerKey) : null;
  const tunnelPeer = stateText(outcome.filterState?.get('io.istio.peer_principal')) ?? '';
  const tunnelOwn = stateText(outcome.filterState?.get('io.istio.local_principal')) ?? '';
  // What a tunnel says counts before the connection's own TLS.
  const tls = tunnelPeer === '' && tunnelOwn === '' ? (outcome.peer?.tls ?? null) : null;
  const peerPrincipal = tls?.peerChain[0]?.uris[0] ?? tunnelPeer;
  return { peer, endpoint, service, specialName, host, peerPrincipal, ownPrincipal: tls?.local?.uris[0] ?? tunnelOwn };
}

function specialNameOf({ routeName, upstreamClusterRaw }: Outcome): string {
  if (routeName === 'block_all') return 'BlackHoleCluster';
  if (routeName === 'allow_any') return 'PassthroughCluster';
  return specialClusters.has(upstreamClusterRaw) ? upstreamClusterRaw : '';
}

function serviceOf(metadata: Struct | null): ServiceFacts | null {
  if (metadata === null) return null;
  let known = services.get(metadata);
  if (known === undefined) services.set(metadata, (known = { service: readService(metadata) }));
  return known.service;
}

function readService({ istio }: Struct): ServiceFacts | null {
  const list = isStruct(istio) ? istio.services : undefined;
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  if (!isStruct(first)) return null;
  const host = textOf(first.host);
  const name = Object.hasOwn(first, 'name') ? textOf(first.name) : host.split('.', 1)[0];
  return { host, name, namespace: textOf(first.namespace) };
}

function endpointWorkload(metadata: Struct | null): Workload | null {
  if (metadata === null) return null;
  let known = endpoints.get(metadata);
  if (known === undefined) {
    const { istio } = metadata;
    const text = isStruct(istio) ? istio.workload : undefined;
    known = { workload: typeof text === 'string' ? workloadOfEndpoint(text) : null };
    endpoints.set(metadata, known);
  }
  return known.workload;
}

function isStruct(value: unknown): value is Struct {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The labels of both ends, `[name, value, …]` in Istio's order. */
export function labelsOf(reporter: Reporter, facts: EndFacts, own: WorkloadFields): string[] {
  const { service, specialName, host } = facts;
  const serviceHost = service?.host || host;
  const names: ServiceFacts = {
    host: serviceHost,
    name: specialName || (service === null ? serviceHost : service.name),
    namespace: service?.namespace ?? '',
  };
  const ends: Labels =
    reporter === 'source'
      ? { ...ownSource(own, facts), ...peerDestination(facts, names) }
      : {
          ...peerSource(facts),
          ...(reporter === 'waypoint' ? endpointLabels(facts, names) : ownDestination(own, facts, names)),
        };
  return ['reporter', reporter, ...Object.entries(ends).flat()];
}

function known(value: string | undefined, otherwise = 'unknown'): string {
  return value === undefined || value === '' ? otherwise : value;
}

function peerNamespace({ peer, peerPrincipal }: EndFacts): string {
  const start = peerPrincipal.indexOf(namespacePart);
  const of = start < 0 ? '' : peerPrincipal.slice(start + namespacePart.length).split('/', 1)[0];
  return of === '' ? (peer?.namespace ?? '') : of;
}

function ownSource(own: WorkloadFields, { ownPrincipal }: EndFacts): Labels {
  return {
    source_workload: own.workload,
    source_canonical_service: own.canonicalName,
    source_canonical_revision: own.canonicalRevision,
    source_workload_namespace: own.namespace,
    source_principal: known(ownPrincipal),
    source_app: own.app,
    source_version: own.version,
    source_cluster: own.cluster,
  };
}

function peerSource(facts: EndFacts): Labels {
  const { peer, peerPrincipal } = facts;
  return {
    source_workload: known(peer?.workload),
    source_canonical_service: known(peer?.canonicalName),
    source_canonical_revision: known(peer?.canonicalRevision, 'latest'),
    source_workload_namespace: known(peerNamespace(facts)),
    source_principal: known(peerPrincipal),
    source_app: known(peer?.app),
    source_version: known(peer?.version),
    source_cluster: known(peer?.cluster),
  };
}

function peerDestination(facts: EndFacts, service: ServiceFacts): Labels {
  const { peer, peerPrincipal } = facts;
  return {
    destination_workload: known(peer?.workload),
    destination_workload_namespace: known(peerNamespace(facts)),
    destination_principal: known(peerPrincipal),
    destination_app: known(peer?.app),
    destination_version: known(peer?.version),
    destination_service: known(service.host),
    destination_canonical_service: known(peer?.canonicalName),
    destination_canonical_revision: known(peer?.canonicalRevision, 'latest'),
    destination_service_name: known(service.name),
    destination_service_namespace: known(service.namespace || peerNamespace(facts)),
    destination_cluster: known(peer?.cluster),
  };
}

function ownDestination(own: WorkloadFields, { ownPrincipal }: EndFacts, service: ServiceFacts): Labels {
  return {
    destination_workload: own.workload,
    destination_workload_namespace: own.namespace,
    destination_principal: known(ownPrincipal),
    destination_app: own.app,
    destination_version: own.version,
    destination_service: service.host || own.canonicalName,
    destination_canonical_service: own.canonicalName,
    destination_canonical_revision: own.canonicalRevision,
    destination_service_name: service.name || own.canonicalName,
    destination_service_namespace: own.namespace,
    destination_cluster: own.cluster,
  };
}

function endpointLabels({ endpoint }: EndFacts, service: ServiceFacts): Labels {
  return {
    destination_workload: known(endpoint?.workload),
    destination_workload_namespace: known(endpoint?.namespace),
    destination_principal: known(endpoint?.identity),
    destination_app: known(endpoint?.app),
    destination_version: known(endpoint?.version),
    destination_service: known(service.host),
    destination_canonical_service: known(endpoint?.canonicalName),
    destination_canonical_revision: known(endpoint?.canonicalRevision),
    destination_service_name: known(service.name),
    destination_service_namespace: known(service.namespace),
    destination_cluster: known(endpoint?.cluster),
  };
}
