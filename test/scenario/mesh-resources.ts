/** What a control plane tells two pods, in the form that istiod gives it: virtual listeners, and clusters by mutual TLS. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Call } from '../istiod.ts';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  type DeltaDiscoveryRequest,
} from '../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { ClusterSchema } from '../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { ListenerSchema } from '../../src/proto/envoy/config/listener/v3/listener_pb.js';
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from '../../src/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { HttpConnectionManagerSchema } from '../../src/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { TcpProxySchema } from '../../src/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import { RouterSchema } from '../../src/proto/envoy/extensions/filters/http/router/v3/router_pb.js';
import { OriginalSrcSchema } from '../../src/proto/envoy/extensions/filters/listener/original_src/v3/original_src_pb.js';
import { OriginalDstSchema } from '../../src/proto/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb.js';
import { create, createRegistry, fromBinary, fromJson, toBinary } from '../../src/proto/protobuf.js';

export const prefix = 'type.googleapis.com/';
export const clusterType = `${prefix}${ClusterSchema.typeName}`;
export const listenerType = `${prefix}${ListenerSchema.typeName}`;
export const nameTableType = `${prefix}istio.networking.nds.v1.NameTable`;

const registry = createRegistry(
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
  HttpConnectionManagerSchema,
  TcpProxySchema,
  RouterSchema,
  OriginalDstSchema,
  OriginalSrcSchema,
);

/** A resource in JSON, or as bytes where it is none that has descriptors here. */
export type Told = Readonly<Record<string, readonly (object | Uint8Array)[]>>;

/** Answers each type once with what it is given. */
export class Discovery {
  readonly requests: DeltaDiscoveryRequest[] = [];
  readonly metadata: Record<string, unknown>[] = [];
  private readonly told: (nodeId: string) => Told;

  /** @param told by the id of the node that asks */
  constructor(told: (nodeId: string) => Told) {
    this.told = told;
  }

  onStream(call: Call): void {
    this.metadata.push(call.metadata.getMap());
    const answered = new Set<string>();
    let told: Told = {};
    call.on('error', () => {});
    call.on('data', (bytes: Buffer) => {
      const asked = fromBinary(DeltaDiscoveryRequestSchema, bytes);
      this.requests.push(asked);
      if (asked.node !== undefined) told = this.told(asked.node.id);
      const resources = told[asked.typeUrl];
      if (resources === undefined || answered.has(asked.typeUrl)) return;
      answered.add(asked.typeUrl);
      call.write(Buffer.from(response(asked.typeUrl, resources)));
    });
  }

  acknowledged(type: string): DeltaDiscoveryRequest | undefined {
    return this.requests.find(({ typeUrl, responseNonce }) => typeUrl === type && responseNonce !== '');
  }
}

function response(typeUrl: string, resources: Told[string]): Uint8Array {
  return toBinary(
    DeltaDiscoveryResponseSchema,
    create(DeltaDiscoveryResponseSchema, {
      typeUrl,
      nonce: `${typeUrl}#1`,
      systemVersionInfo: '1',
      resources: resources.map((resource) => ({
        name: resource instanceof Uint8Array ? '' : (resource as { name: string }).name,
        version: '1',
        resource: { typeUrl, value: encoded(typeUrl, resource) },
      })),
    }),
  );
}

function encoded(typeUrl: string, resource: object): Uint8Array {
  if (resource instanceof Uint8Array) return resource;
  const json = resource as Parameters<typeof fromJson>[1];
  return typeUrl === clusterType
    ? toBinary(ClusterSchema, fromJson(ClusterSchema, json, { registry }))
    : toBinary(ListenerSchema, fromJson(ListenerSchema, json, { registry }));
}

const sdsConfig = {
  apiConfigSource: {
    apiType: 'GRPC',
    transportApiVersion: 'V3',
    grpcServices: [{ envoyGrpc: { clusterName: 'sds-grpc' } }],
  },
  resourceApiVersion: 'V3',
};
const ownCertificate = [{ name: 'default', sdsConfig }];

/** For whom the mesh's root has certified, and nobody else. */
export const downstreamTls = {
  name: 'envoy.transport_sockets.tls',
  typedConfig: {
    '@type': `${prefix}${DownstreamTlsContextSchema.typeName}`,
    requireClientCertificate: true,
    commonTlsContext: {
      tlsCertificateSdsSecretConfigs: ownCertificate,
      validationContextSdsSecretConfig: { name: 'ROOTCA', sdsConfig },
    },
  },
};

/** To a workload that is who it should be. */
export function upstreamTls(identity: string): object {
  return {
    name: 'envoy.transport_sockets.tls',
    typedConfig: {
      '@type': `${prefix}${UpstreamTlsContextSchema.typeName}`,
      sni: 'outbound_.80_._.server',
      commonTlsContext: {
        tlsCertificateSdsSecretConfigs: ownCertificate,
        combinedValidationContext: {
          defaultValidationContext: { matchSubjectAltNames: [{ exact: identity }] },
          validationContextSdsSecretConfig: { name: 'ROOTCA', sdsConfig },
        },
      },
    },
  };
}

export function httpManager(cluster: string, more: object = {}): object {
  const routes = [{ match: { prefix: '/' }, route: { cluster } }];
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typedConfig: {
      '@type': `${prefix}${HttpConnectionManagerSchema.typeName}`,
      statPrefix: 'mesh',
      routeConfig: { name: 'r', virtualHosts: [{ name: 'v', domains: ['*'], routes }] },
      httpFilters: [{ name: 'router', typedConfig: { '@type': `${prefix}${RouterSchema.typeName}` } }],
      ...more,
    },
  };
}

/** Where the connection was going, before rules redirected it. */
export const originalDestination = {
  name: 'envoy.filters.listener.original_dst',
  typedConfig: { '@type': `${prefix}${OriginalDstSchema.typeName}` },
};

/** Upstreams see the client's address; the mark tells rules which connections do so. */
export function originalSource(mark: number): object {
  return {
    name: 'envoy.filters.listener.original_src',
    typedConfig: { '@type': `${prefix}${OriginalSrcSchema.typeName}`, mark },
  };
}

export function tcpProxy(cluster: string): object {
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typedConfig: { '@type': `${prefix}${TcpProxySchema.typeName}`, statPrefix: cluster, cluster },
  };
}

export function socketAddress(address: string, portValue: number): object {
  return { socketAddress: { address, portValue } };
}

export function staticCluster(name: string, address: string, port: number, more: object = {}): object {
  const endpoints = [{ lbEndpoints: [{ endpoint: { address: socketAddress(address, port) } }] }];
  return { name, type: 'STATIC', connectTimeout: '5s', loadAssignment: { clusterName: name, endpoints }, ...more };
}

/** To where the connection was going. */
export function originalCluster(name: string, more: object = {}): object {
  return { name, type: 'ORIGINAL_DST', lbPolicy: 'CLUSTER_PROVIDED', connectTimeout: '5s', ...more };
}

/** A name of the mesh, with its address. */
export function nameTable(host: string, ip: string): Uint8Array {
  const info = new BinaryWriter().tag(1, WireType.LengthDelimited).string(ip).finish();
  const entry = new BinaryWriter()
    .tag(1, WireType.LengthDelimited)
    .string(host)
    .tag(2, WireType.LengthDelimited)
    .bytes(info)
    .finish();
  return new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(entry).finish();
}
