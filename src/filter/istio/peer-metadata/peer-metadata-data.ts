/** How a peer is found out: by what it sends, or by its address. */
export type DiscoveryData = 'baggage' | 'workload-discovery' | 'istio-headers';

/** How we tell who we are. */
export type PropagationData =
  | { readonly kind: 'baggage' }
  | { readonly kind: 'istio-headers'; readonly skipsExternalClusters: boolean };

/** `io.istio.http.peer_metadata.Config` as plain data. Lists are in the order in which they are tried. */
export interface PeerMetadataData {
  readonly downstreamDiscovery: readonly DiscoveryData[];
  readonly upstreamDiscovery: readonly DiscoveryData[];
  readonly downstreamPropagation: readonly PropagationData[];
  readonly upstreamPropagation: readonly PropagationData[];
  readonly sharedWithUpstream: boolean;
  readonly additionalLabels: readonly string[];
}
