import type { FilterBuilder } from '../../filter.ts';
import { ownWorkload } from '../workload/own-workload.ts';
import type { PeerMetadataData } from './peer-metadata-data.ts';
import { PeerMetadataFilter } from './peer-metadata.ts';

export const peerMetadataBuilder: FilterBuilder = {
  kind: 'io.istio.http.peer_metadata.Config',
  build(data, { localNode, workloads = null }) {
    const configured = data as PeerMetadataData;
    const network = localNode.metadata?.NETWORK;
    const own = {
      id: localNode.id,
      workload: ownWorkload(localNode, configured.additionalLabels),
      network: typeof network === 'string' ? network : '',
    };
    return new PeerMetadataFilter(configured, own, workloads);
  },
};
