import type { ClusterData } from '../../cluster/cluster-data.ts';
import type { Reasons } from '../../core/rejection.ts';
import {
  callCredentials,
  channelNumber,
  channelText,
  usesTls,
  GoogleServiceNeed,
} from '../../identity/decode/google-grpc-decode.ts';
import type { GoogleTarget } from '../../identity/google-service-data.ts';
import {
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_DnsLookupFamily as DnsLookupFamily,
  ClusterSchema,
  type Cluster,
} from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import { AddressSchema, type Address } from '../../proto/envoy/config/core/v3/address_pb.js';
import type { GrpcService_GoogleGrpc } from '../../proto/envoy/config/core/v3/grpc_service_pb.js';
import { isIP } from 'node:net';
import {
  CertificateValidationContextSchema,
  SubjectAltNameMatcher_SanType as SanType,
} from '../../proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import { UpstreamTlsContextSchema } from '../../proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import { HttpProtocolOptionsSchema } from '../../proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { AnySchema, create, toBinary } from '../../proto/protobuf.js';
import type { DecodedCluster, ResourceDecoding } from './resource-decoding.ts';

/** gRPC gives up a connection attempt after this. */
const connectTimeout = { seconds: 20n, nanos: 0 };
/** gRPC's own, where only the time between pings is said. */
const keepAliveTimeoutMs = 20_000;
/** Calls over a channel have no limit. */
const unlimited = 0xffff_ffff;

const protocolOptions = HttpProtocolOptionsSchema.typeName;

/** Message names of what the clusters are made of, which workers load. */
export const googleClusterKinds: readonly string[] = [UpstreamTlsContextSchema.typeName, protocolOptions];

/** Those among what is needed, each once. */
export function googleServices(needs: readonly object[]): GoogleServiceNeed[] {
  const services = needs.filter((need) => need instanceof GoogleServiceNeed);
  return [...new Map(services.map((service) => [service.name, service])).values()];
}

/** The clusters that stand for these. Where one cannot be, reasons are added. */
export async function makeGoogleClusters(
  needs: readonly GoogleServiceNeed[],
  decoding: Pick<ResourceDecoding, 'cluster' | 'extensions'>,
  reasons: Reasons,
): Promise<DecodedCluster[]> {
  await decoding.extensions.load?.(googleClusterKinds);
  return needs.flatMap((need) => decodeGoogleCluster(need, decoding, reasons) ?? []);
}

/** The cluster that stands for a `google_grpc`. Its kinds must be loaded. Null: reasons were added. */
function decodeGoogleCluster(
  need: GoogleServiceNeed,
  decoding: Pick<ResourceDecoding, 'cluster'>,
  reasons: Reasons,
): DecodedCluster | null {
  const { message } = need;
  const decoded = decoding.cluster(clusterOf(need), reasons);
  if (decoded === null) return null;
  const channel = { statPrefix: message.statPrefix, credentials: callCredentials(message) };
  const data: ClusterData = { ...decoded.data, channel };
  return { ...decoded, data };
}

function clusterOf({ name, message, target }: GoogleServiceNeed): Cluster {
  const lbEndpoints = target.servers.map((server) => ({
    hostIdentifier: { case: 'endpoint' as const, value: { address: addressOf(target, server) } },
  }));
  return create(ClusterSchema, {
    name,
    connectTimeout,
    clusterDiscoveryType: {
      case: 'type',
      value: target.kind === 'dns' ? DiscoveryType.STRICT_DNS : DiscoveryType.STATIC,
    },
    // gRPC tries the one family after the other: most servers are there by the older one.
    dnsLookupFamily: DnsLookupFamily.V4_PREFERRED,
    loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints }] },
    circuitBreakers: {
      thresholds: [{ maxConnections: unlimited, maxPendingRequests: unlimited, maxRequests: unlimited }],
    },
    typedExtensionProtocolOptions: {
      [protocolOptions]: packed(protocolOptions, toBinary(HttpProtocolOptionsSchema, http2(message))),
    },
    ...(usesTls(message) && {
      transportSocket: {
        name: 'envoy.transport_sockets.tls',
        configType: {
          case: 'typedConfig',
          value: packed(UpstreamTlsContextSchema.typeName, toBinary(UpstreamTlsContextSchema, tls(message, target))),
        },
      },
    }),
  });
}

function packed(name: string, value: Uint8Array) {
  return create(AnySchema, { typeUrl: `type.googleapis.com/${name}`, value });
}

function addressOf({ kind }: GoogleTarget, { host, port }: GoogleTarget['servers'][number]): Address {
  return create(AddressSchema, {
    address:
      kind === 'pipe'
        ? { case: 'pipe', value: { path: host } }
        : { case: 'socketAddress', value: { address: host, portSpecifier: { case: 'portValue', value: port } } },
  });
}

function http2(message: GrpcService_GoogleGrpc) {
  const intervalMs = channelNumber(message, 'grpc.keepalive_time_ms');
  const timeoutMs = channelNumber(message, 'grpc.keepalive_timeout_ms') ?? keepAliveTimeoutMs;
  const keepAlive =
    intervalMs === undefined
      ? {}
      : { connectionKeepalive: { interval: duration(intervalMs), timeout: duration(timeoutMs) } };
  return create(HttpProtocolOptionsSchema, {
    upstreamProtocolOptions: {
      case: 'explicitHttpConfig',
      value: { protocolConfig: { case: 'http2ProtocolOptions', value: keepAlive } },
    },
  });
}

/** Whoever answers must be who was asked for, and this system's roots know him unless others are given. */
function tls(message: GrpcService_GoogleGrpc, { servers }: GoogleTarget) {
  const specifier = message.channelCredentials?.credentialSpecifier;
  const { rootCerts, privateKey, certChain } = specifier?.case === 'sslCredentials' ? specifier.value : {};
  const name = channelText(message, 'grpc.ssl_target_name_override') ?? servers[0].host;
  const isAddress = isIP(name) !== 0;
  const validation = create(CertificateValidationContextSchema, {
    ...(rootCerts === undefined ? { systemRootCerts: {} } : { trustedCa: rootCerts }),
    matchTypedSubjectAltNames: [
      {
        sanType: isAddress ? SanType.IP_ADDRESS : SanType.DNS,
        matcher: { matchPattern: { case: 'exact', value: name } },
      },
    ],
  });
  return create(UpstreamTlsContextSchema, {
    ...(!isAddress && { sni: name }),
    commonTlsContext: {
      alpnProtocols: ['h2'],
      ...(certChain !== undefined && { tlsCertificates: [{ certificateChain: certChain, privateKey }] }),
      validationContextType: { case: 'validationContext', value: validation },
    },
  });
}

function duration(ms: number) {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}
