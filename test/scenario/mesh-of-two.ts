/** What a control plane tells two pods, a server and a client, as istiod does it for each mode of interception. */
import {
  clusterType,
  downstreamTls,
  httpManager,
  listenerType,
  nameTable,
  nameTableType,
  originalCluster,
  originalDestination,
  originalSource,
  socketAddress,
  staticCluster,
  tcpProxy,
  upstreamTls,
  type Told,
} from './mesh-resources.ts';

export type InterceptionMode = 'REDIRECT' | 'TPROXY' | 'NONE';

export const applicationPort = 8080;
export const serviceAddress = '10.96.0.1';
export const serverAddress = '10.9.0.2';
/** Without interception: where the client finds the server, and a proxy for all. */
export const egressPort = 8001;
export const httpProxyPort = 15_007;

const serverIdentity = 'spiffe://cluster.local/ns/default/sa/server';

export function toldTo(mode: InterceptionMode, nodeId: string): Told {
  const isServer = nodeId.includes('~server.');
  if (mode === 'NONE') return isServer ? boundServer() : boundClient();
  const isTransparent = mode === 'TPROXY';
  const names = { [nameTableType]: [nameTable('server.mesh', serviceAddress)] };
  return { ...names, ...(isServer ? server(isTransparent) : client(isTransparent)) };
}

/** Only for whom the mesh has certified. */
function inboundChain(): object {
  const manager = httpManager('inbound', {
    forwardClientCertDetails: 'SANITIZE_SET',
    setCurrentClientCertDetails: { uri: true },
  });
  return { transportSocket: downstreamTls, filters: [manager] };
}

function server(isTransparent: boolean): Told {
  const bound = { upstreamBindConfig: { sourceAddress: { address: '127.0.0.6', portValue: 0 } } };
  return {
    [clusterType]: [originalCluster('inbound', bound)],
    [listenerType]: [
      {
        name: 'virtualInbound',
        trafficDirection: 'INBOUND',
        address: socketAddress('0.0.0.0', 15_006),
        ...(isTransparent && { transparent: true }),
        listenerFilters: isTransparent ? [originalDestination, originalSource(1337)] : [originalDestination],
        filterChains: [inboundChain()],
      },
    ],
  };
}

/** By mutual TLS. */
function serverCluster(): object {
  return staticCluster('server', serverAddress, applicationPort, { transportSocket: upstreamTls(serverIdentity) });
}

function client(isTransparent: boolean): Told {
  return {
    [clusterType]: [serverCluster(), originalCluster('PassthroughCluster')],
    [listenerType]: [
      {
        name: 'virtualOutbound',
        trafficDirection: 'OUTBOUND',
        address: socketAddress('0.0.0.0', 15_001),
        useOriginalDst: true,
        ...(isTransparent && { transparent: true }),
        filterChains: [{ filters: [tcpProxy('PassthroughCluster')] }],
      },
      {
        name: 'service',
        trafficDirection: 'OUTBOUND',
        address: socketAddress(serviceAddress, 80),
        bindToPort: false,
        filterChains: [{ filters: [httpManager('server')] }],
      },
    ],
  };
}

/** A Sidecar whose ingress is bound to the pod's address, in front of an application that hears on 127.0.0.1 only. */
function boundServer(): Told {
  return {
    [clusterType]: [staticCluster('inbound', '127.0.0.1', applicationPort)],
    [listenerType]: [
      {
        name: `${serverAddress}_${applicationPort}`,
        trafficDirection: 'INBOUND',
        address: socketAddress(serverAddress, applicationPort),
        filterChains: [inboundChain()],
      },
    ],
  };
}

/** Listeners that applications are told of. */
function boundClient(): Told {
  const bound = (port: number, more = {}): object => ({
    name: `127.0.0.1_${port}`,
    trafficDirection: 'OUTBOUND',
    address: socketAddress('127.0.0.1', port),
    filterChains: [{ filters: [httpManager('server', more)] }],
  });
  return {
    [clusterType]: [serverCluster()],
    [listenerType]: [bound(egressPort), bound(httpProxyPort, { httpProtocolOptions: { allowAbsoluteUrl: true } })],
  };
}
