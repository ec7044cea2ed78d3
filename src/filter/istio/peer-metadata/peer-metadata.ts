import type { RequestHead, ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import { Verdict, type FilterFactory, type HttpFilter, type Stream } from '../../filter.ts';
import { baggageOf, workloadOfBaggage } from '../workload/baggage.ts';
import { KnownPeers, peerIdField, peerMetadataField, writePeerHeader } from '../workload/peer-header.ts';
import { upstreamWorkload, type WorkloadLookup } from '../workload/workload-lookup.ts';
import { downstreamPeerKey, upstreamPeerKey, type Workload } from '../workload/workload.ts';
import type { DiscoveryData, PeerMetadataData, PropagationData } from './peer-metadata-data.ts';

/** Whose client it is and where it came from, as a gateway of another network says. */
const networkField = 'x-forwarded-network';

/** Who we are, as we tell it. */
export interface OwnIdentity {
  readonly id: string;
  readonly workload: Workload;
  /** Empty: none is known. */
  readonly network: string;
}

/** Istio's filter of peers' metadata: finds out who is at both ends, and tells them who we are. */
export class PeerMetadataFilter implements FilterFactory {
  readonly data: PeerMetadataData;
  readonly id: string;
  readonly header: string;
  readonly baggage: string;
  private readonly network: string;
  private readonly peers: KnownPeers;
  private readonly lookup: WorkloadLookup | null;
  /** Where nothing is told downstream, nothing is to be remembered of a stream. */
  private readonly shared: PeerExchange | null;

  constructor(data: PeerMetadataData, own: OwnIdentity, lookup: WorkloadLookup | null) {
    this.data = data;
    this.id = own.id;
    this.header = writePeerHeader(own.workload);
    this.baggage = baggageOf(own.workload);
    this.network = own.network;
    this.peers = new KnownPeers(new Set(data.additionalLabels));
    this.lookup = lookup;
    this.shared = data.downstreamPropagation.length === 0 ? new PeerExchange(this) : null;
  }

  create(): HttpFilter {
    return this.shared ?? new PeerExchange(this);
  }

  /** The client's side of a request; the first way that finds it counts. */
  findDownstream(outcome: Outcome, headers: Headers): void {
    for (const method of this.data.downstreamDiscovery) {
      const workload = this.downstreamBy(method, outcome, headers);
      if (workload === null) continue;
      this.keep(outcome, downstreamPeerKey, workload);
      return;
    }
  }

  findUpstream(outcome: Outcome, headers: Headers): void {
    for (const method of this.data.upstreamDiscovery) {
      const workload = method === 'istio-headers' ? this.byHeaders(headers) : this.byUpstream(outcome);
      if (workload === null) continue;
      this.keep(outcome, upstreamPeerKey, workload);
      return;
    }
  }

  private keep(outcome: Outcome, key: string, workload: Workload): void {
    outcome.filterState ??= new Map();
    workload.setIn(outcome.filterState, key, this.data.sharedWithUpstream);
  }

  private downstreamBy(method: DiscoveryData, outcome: Outcome, headers: Headers): Workload | null {
    if (method === 'istio-headers') return this.byHeaders(headers);
    if (method === 'workload-discovery') return this.byClient(outcome, headers);
    const baggage = headers.get('baggage');
    return baggage === undefined ? null : workloadOfBaggage(baggage);
  }

  private byHeaders(headers: Headers): Workload | null {
    const value = headers.get(peerMetadataField);
    if (value === undefined || value === '') return null;
    return this.peers.of(headers.get(peerIdField) ?? '', value);
  }

  private byClient({ remoteAddress, peer }: Outcome, headers: Headers): Workload | null {
    const { lookup, network } = this;
    const address = remoteAddress ?? peer?.remote;
    if (lookup === null || address?.kind !== 'ip' || (headers.get(networkField) ?? network) !== network) return null;
    return lookup.byAddress(address.host);
  }

  private byUpstream(outcome: Outcome): Workload | null {
    return this.lookup === null ? null : upstreamWorkload(this.lookup, outcome);
  }
}

/** One stream. */
class PeerExchange implements HttpFilter {
  private readonly filter: PeerMetadataFilter;
  /** The client has sent these, and so is told the same. */
  private isIdWanted: boolean;
  private isMetadataWanted: boolean;

  constructor(filter: PeerMetadataFilter) {
    this.filter = filter;
    this.isIdWanted = false;
    this.isMetadataWanted = false;
  }

  onRequestHead({ outcome }: Stream, { headers }: RequestHead): Verdict {
    const { filter } = this;
    const { data } = filter;
    if (data.downstreamDiscovery.length > 0) {
      if (data.downstreamPropagation.length > 0) this.lookForWishes(headers);
      filter.findDownstream(outcome, headers);
      removeFields(data.downstreamDiscovery, headers);
    }
    for (const method of data.upstreamPropagation) this.tell(method, outcome, headers, true, true);
    return Verdict.Continue;
  }

  onResponseHead({ outcome }: Stream, { headers }: ResponseHead): Verdict {
    const { filter } = this;
    const { data } = filter;
    if (data.upstreamDiscovery.length > 0) {
      filter.findUpstream(outcome, headers);
      removeFields(data.upstreamDiscovery, headers);
    }
    for (const method of data.downstreamPropagation)
      this.tell(method, outcome, headers, this.isIdWanted, this.isMetadataWanted);
    return Verdict.Continue;
  }

  private lookForWishes(headers: Headers): void {
    this.isIdWanted = headers.has(peerIdField);
    this.isMetadataWanted = headers.has(peerMetadataField);
  }

  private tell(
    method: PropagationData,
    outcome: Outcome,
    headers: Headers,
    isIdWanted: boolean,
    isMetadataWanted: boolean,
  ): void {
    const { filter } = this;
    if (method.kind === 'baggage') {
      headers.set('baggage', filter.baggage);
      return;
    }
    if (isOutsideMesh(method.skipsExternalClusters, outcome)) return;
    if (isIdWanted) headers.set(peerIdField, filter.id);
    if (isMetadataWanted) headers.set(peerMetadataField, filter.header);
  }
}

function removeFields(methods: readonly DiscoveryData[], headers: Headers): void {
  for (const method of methods) {
    if (method === 'baggage') headers.remove('baggage');
    else if (method === 'istio-headers') {
      headers.remove(peerIdField);
      headers.remove(peerMetadataField);
    }
  }
}

/** The cluster is not to be told: it says so itself, or has nothing of Istio. */
function isOutsideMesh(skipsExternal: boolean, { upstreamClusterRaw, clusterMetadata }: Outcome): boolean {
  if (skipsExternal && upstreamClusterRaw === 'PassthroughCluster') return true;
  const istio = clusterMetadata?.istio as Readonly<Record<string, unknown>> | undefined;
  if (istio === undefined) return false;
  return (skipsExternal && istio.external === true) || istio.disable_mx === true;
}
