import {
  NetworkVerdict,
  type FilteredStream,
  type NetworkFilter,
  type NetworkFilterBuilder,
  type NetworkFilterFactory,
} from '../network-filter.ts';

/** The name that a client asks for by SNI is the cluster that tcp_proxy connects it to. */
class SniCluster implements NetworkFilter, NetworkFilterFactory {
  create(): NetworkFilter {
    return this;
  }

  onNewConnection({ peer, notes }: FilteredStream): NetworkVerdict {
    if (peer.serverName !== '') notes.filterState.set('envoy.tcp_proxy.cluster', peer.serverName);
    return NetworkVerdict.Continue;
  }
}

export const sniClusterBuilder: NetworkFilterBuilder = {
  kind: 'envoy.extensions.filters.network.sni_cluster.v3.SniCluster',
  build: () => new SniCluster(),
};
