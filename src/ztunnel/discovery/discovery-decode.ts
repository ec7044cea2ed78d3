import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
} from '../../proto/envoy/service/discovery/v3/discovery_pb.js';
import { NodeSchema, type Node } from '../../proto/envoy/config/core/v3/base_pb.js';
import { create, fromBinary, toBinary } from '../../proto/protobuf.js';
import type { ZtunnelSettings } from '../settings.ts';

export type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
} from '../../proto/envoy/service/discovery/v3/discovery_pb.js';

export function encodeRequest(request: DeltaDiscoveryRequest): Uint8Array {
  return toBinary(DeltaDiscoveryRequestSchema, request);
}

/** @throws Error: it is no such message */
export function decodeResponse(bytes: Uint8Array): DeltaDiscoveryResponse {
  return fromBinary(DeltaDiscoveryResponseSchema, bytes);
}

/** Who we are to istiod: as ztunnel says it. */
export function nodeOf(settings: ZtunnelSettings): Node {
  const { instanceIp, podName, podNamespace, proxy, serviceAccount } = settings;
  const metadata: Record<string, string> = {
    NAME: podName,
    NAMESPACE: podNamespace,
    INSTANCE_IPS: instanceIp,
    NODE_NAME: proxy.node,
    CLUSTER_ID: proxy.clusterId,
    SERVICE_ACCOUNT: serviceAccount,
  };
  return create(NodeSchema, {
    id: `ztunnel~${instanceIp}~${podName}.${podNamespace}~${podNamespace}.svc.${proxy.clusterDomain}`,
    metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== '')),
  });
}
