import { celMap, celUint, type CelInput, type CelMap } from '@bufbuild/cel';
import { create } from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { DurationSchema, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { formatAddress, type Address } from '../../core/peer.ts';
import type { CertificateFacts, TlsFacts } from '../../core/tls-facts.ts';
import { FilterStateObject } from '../filter-state.ts';
import { grpcStatusOf } from '../format/grpc-status.ts';
import { requestHeaderBytes, responseHeaderBytes, responseTrailerBytes } from '../format/header-operator.ts';
import { pemForHeaders } from '../format/tls-commands.ts';
import { toBytes } from '../format/byte-string.ts';
import type { Metadata, Outcome } from '../outcome.ts';
import { attributeMap, headerMap, structMap, structValue, type AttributeReader } from './attribute-map.ts';

/** The node, as `xds.node` shows it. */
export interface NodeAttributes {
  readonly id: string;
  readonly cluster: string;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  readonly metadata?: Readonly<Record<string, unknown>>;
}

type Table = ReadonlyMap<string, AttributeReader>;

const REQUEST_PSEUDO = [':method', ':scheme', ':authority', ':path', ':protocol'];
const RESPONSE_PSEUDO = [':status'];

function tableOf(readers: Readonly<Record<string, AttributeReader>>): Table {
  return new Map(Object.entries(readers));
}

function requestField(name: string): AttributeReader {
  return ({ requestHead }) => requestHead?.get(name);
}

const REQUEST = tableOf({
  headers: ({ requestHead }) => headerMap(requestHead, requestHead?.headers ?? null, REQUEST_PSEUDO),
  headers_bytes: (outcome) => BigInt(requestHeaderBytes(outcome)),
  time: ({ startEpochMs }) => timestamp(startEpochMs),
  size: requestSize,
  total_size: (outcome) => BigInt(outcome.bytesReceived + requestHeaderBytes(outcome)),
  duration: (outcome) => duration(outcome.requestEndMs - outcome.startMs),
  protocol: ({ protocol }) => protocol || undefined,
  path: requestField(':path'),
  url_path: ({ requestHead }) => (requestHead === null ? undefined : beforeQuery(requestHead.path)),
  query: ({ requestHead }) => (requestHead === null ? undefined : queryOf(requestHead.path)),
  host: requestField(':authority'),
  scheme: requestField(':scheme'),
  method: requestField(':method'),
  referer: requestField('referer'),
  id: requestField('x-request-id'),
  useragent: requestField('user-agent'),
});

const RESPONSE = tableOf({
  code: ({ responseCode }) => (responseCode === 0 ? undefined : BigInt(responseCode)),
  code_details: ({ details }) => details || undefined,
  size: ({ bytesSent }) => BigInt(bytesSent),
  total_size: (outcome) => BigInt(outcome.bytesSent + responseHeaderBytes(outcome) + responseTrailerBytes(outcome)),
  headers: ({ responseHead }) => headerMap(responseHead, responseHead?.headers ?? null, RESPONSE_PSEUDO),
  headers_bytes: (outcome) => BigInt(responseHeaderBytes(outcome)),
  trailers: ({ responseTrailers }) => headerMap(null, responseTrailers, []),
  flags: ({ flags }) => BigInt(flags),
  grpc_status: (outcome) => {
    const status = grpcStatusOf(outcome);
    return status === null ? undefined : BigInt(status);
  },
  backend_latency: (outcome) => duration(outcome.upstreamResponseEndMs - outcome.upstreamRequestStartMs),
});

/** What both sides' connections say of TLS. */
const TLS: ReadonlyMap<string, (facts: TlsFacts) => string | undefined> = new Map(
  Object.entries({
    tls_version: ({ version }: TlsFacts) => version,
    subject_local_certificate: ({ local }: TlsFacts) => local?.subject ?? '',
    subject_peer_certificate: (facts: TlsFacts) => peerOf(facts)?.subject ?? '',
    uri_san_local_certificate: ({ local }: TlsFacts) => local?.uris[0],
    uri_san_peer_certificate: (facts: TlsFacts) => peerOf(facts)?.uris[0],
    dns_san_local_certificate: ({ local }: TlsFacts) => local?.dnsNames[0],
    dns_san_peer_certificate: (facts: TlsFacts) => peerOf(facts)?.dnsNames[0],
    sha256_peer_certificate_digest: (facts: TlsFacts) => peerOf(facts)?.sha256,
    peer_certificate: (facts: TlsFacts) => {
      const peer = peerOf(facts);
      return peer === undefined ? undefined : pemForHeaders(peer);
    },
  }),
);

function peerOf({ peerChain }: TlsFacts): CertificateFacts | undefined {
  return peerChain[0];
}

function withTls(readers: Readonly<Record<string, AttributeReader>>, facts: (o: Outcome) => TlsFacts | null): Table {
  const table = new Map(Object.entries(readers));
  for (const [name, read] of TLS) {
    table.set(name, (outcome) => {
      const found = facts(outcome);
      return found === null ? undefined : read(found);
    });
  }
  return table;
}

const CONNECTION = withTls(
  {
    mtls: ({ peer }) => (peer?.tls?.peerChain.length ?? 0) > 0,
    requested_server_name: ({ peer }) => peer?.serverName ?? '',
    id: ({ connectionId }) => celUint(BigInt(connectionId)),
    termination_details: ({ connectionTerminationDetails }) => connectionTerminationDetails || undefined,
    transport_failure_reason: ({ downstreamTransportFailureReason }) => downstreamTransportFailureReason || undefined,
  },
  ({ peer }) => peer?.tls ?? null,
);

const UPSTREAM = withTls(
  {
    address: ({ upstreamHost }) => upstreamHost || undefined,
    port: ({ upstreamHost }) => portOf(upstreamHost),
    local_address: ({ upstreamPeer }) => (upstreamPeer === null ? undefined : formatAddress(upstreamPeer.local)),
    transport_failure_reason: (outcome) =>
      outcome.upstreamClusterRaw === '' ? undefined : outcome.upstreamTransportFailureReason,
    cx_pool_ready_duration: ({ upstreamPoolReadyMs }) => duration(upstreamPoolReadyMs),
    request_attempt_count: ({ attemptCount }) => celUint(BigInt(attemptCount)),
  },
  ({ upstreamPeer }) => upstreamPeer?.tls ?? null,
);

function ofAddress(read: (outcome: Outcome) => Address | null | undefined): Table {
  return tableOf({
    address: (outcome) => {
      const address = read(outcome) ?? null;
      return address === null ? undefined : formatAddress(address);
    },
    port: (outcome) => {
      const address = read(outcome) ?? null;
      return address?.kind === 'ip' ? BigInt(address.port) : undefined;
    },
  });
}

const SOURCE = ofAddress(({ remoteAddress, peer }) => remoteAddress ?? peer?.remote);
const DESTINATION = ofAddress(({ peer }) => peer?.local);

const METADATA = tableOf({
  filter_metadata: ({ dynamicMetadata }) => structMap(Object.fromEntries(dynamicMetadata ?? [])),
  typed_filter_metadata: () => structMap({}),
});

function ofRoute(read: (outcome: Outcome) => unknown): AttributeReader {
  return (outcome) => (outcome.virtualHostName === '' ? undefined : read(outcome));
}

function ofCluster(read: (outcome: Outcome) => unknown): AttributeReader {
  return (outcome) => (outcome.upstreamClusterRaw === '' ? undefined : read(outcome));
}

const XDS: Readonly<Record<string, AttributeReader>> = {
  cluster_name: ofCluster(({ upstreamClusterRaw }) => toBytes(upstreamClusterRaw)),
  cluster_metadata: ofCluster(({ clusterMetadata }) => configured(clusterMetadata)),
  route_name: ofRoute(({ routeName }) => toBytes(routeName)),
  route_metadata: ofRoute(({ routeMetadata }) => configured(routeMetadata)),
  virtual_host_name: ofRoute(({ virtualHostName }) => toBytes(virtualHostName)),
  virtual_host_metadata: ofRoute(({ virtualHostMetadata }) => configured(virtualHostMetadata)),
  upstream_host_metadata: ({ upstreamHost, upstreamHostMetadata }) =>
    upstreamHost === '' ? undefined : configured(upstreamHostMetadata),
  filter_chain_name: ({ filterChainName }) => toBytes(filterChainName),
  listener_metadata: ({ listenerMetadata }) => configured(listenerMetadata),
};

/** What an expression may name first, for one evaluation. Each part is made where it is named. */
export class Attributes {
  protected readonly outcome: Outcome;
  private readonly xdsTable: Table;

  constructor(outcome: Outcome, xdsTable: Table) {
    this.outcome = outcome;
    this.xdsTable = xdsTable;
  }

  get request(): unknown {
    return attributeMap(REQUEST, this.outcome);
  }

  get response(): unknown {
    return attributeMap(RESPONSE, this.outcome);
  }

  get connection(): unknown {
    return attributeMap(CONNECTION, this.outcome);
  }

  get upstream(): unknown {
    return attributeMap(UPSTREAM, this.outcome);
  }

  get source(): unknown {
    return attributeMap(SOURCE, this.outcome);
  }

  get destination(): unknown {
    return attributeMap(DESTINATION, this.outcome);
  }

  get metadata(): unknown {
    return attributeMap(METADATA, this.outcome);
  }

  get filter_state(): unknown {
    return filterState(this.outcome);
  }

  get xds(): unknown {
    return attributeMap(this.xdsTable, this.outcome);
  }
}

/** What the expressions of Istio's metrics may name besides. */
export class TelemetryAttributes extends Attributes {
  /** Undefined: it is not known. */
  readonly node: unknown;

  constructor(outcome: Outcome, xds: Table, node: unknown) {
    super(outcome, xds);
    this.node = node;
  }

  get downstream_peer(): unknown {
    return peerIn(this.outcome, 'downstream_peer');
  }

  get upstream_peer(): unknown {
    return peerIn(this.outcome, 'upstream_peer');
  }
}

function peerIn({ filterState: objects }: Outcome, key: string): unknown {
  const value = objects?.get(key);
  const struct = value instanceof FilterStateObject ? value.toJson() : value;
  return typeof struct === 'object' && struct !== null ? structValue(struct) : undefined;
}

/** `node`, as Istio's metrics know it. */
export function nodeMap({ id, cluster, locality, metadata = {} }: NodeAttributes): unknown {
  const { region, zone, subZone } = locality;
  return structMap({ id, cluster, metadata, locality: { region, zone, sub_zone: subZone } });
}

/** `xds.*`; `node` null: as in Envoy, policies do not know it. */
export function xdsTable(node: NodeAttributes | null): Table {
  if (node === null) return tableOf(XDS);
  const { region, zone, subZone } = node.locality;
  const struct = structMap({ id: node.id, cluster: node.cluster, locality: { region, zone, sub_zone: subZone } });
  return tableOf({ ...XDS, node: () => struct });
}

/** `envoy.config.core.v3.Metadata`. */
function configured(metadata: Metadata | null): unknown {
  return structMap({ filter_metadata: metadata ?? {}, typed_filter_metadata: {} });
}

/** Objects that have fields are maps, others the bytes of what they are as a string. */
function filterState({ filterState: objects }: Outcome): CelMap {
  const values = new Map<string, CelInput>();
  for (const [key, value] of objects ?? []) {
    if (value instanceof FilterStateObject) values.set(toBytes(key), Buffer.from(value.toPlain(), 'latin1'));
    else if (typeof value === 'object' && value !== null) values.set(toBytes(key), structValue(value) as CelInput);
    else values.set(toBytes(key), Buffer.from(toBytes(String(value)), 'latin1'));
  }
  return celMap(values);
}

function requestSize({ requestHead, bytesReceived }: Outcome): bigint | undefined {
  const length = requestHead?.headers.get('content-length');
  if (length === undefined) return BigInt(bytesReceived);
  return /^\s*[+-]?\d{1,18}\s*$/.test(length) ? BigInt(length) : undefined;
}

function beforeQuery(path: string): string {
  const mark = path.indexOf('?');
  return mark < 0 ? path : path.slice(0, mark);
}

/** Empty where there is none; without a fragment. */
function queryOf(path: string): string {
  const mark = path.indexOf('?');
  if (mark < 0) return '';
  const fragment = path.indexOf('#', mark);
  return path.slice(mark + 1, fragment < 0 ? undefined : fragment);
}

function portOf(host: string): bigint | undefined {
  const port = /:(\d+)$/.exec(host);
  return port === null ? undefined : BigInt(port[1]);
}

const nanosPerMs = 1e6;

/** NaN: it never happened. */
function duration(ms: number): ReflectMessage | undefined {
  if (!(ms >= 0)) return undefined;
  const nanos = BigInt(Math.round(ms * nanosPerMs));
  return reflect(
    DurationSchema,
    create(DurationSchema, { seconds: nanos / 1_000_000_000n, nanos: Number(nanos % 1_000_000_000n) }),
  );
}

function timestamp(epochMs: number): ReflectMessage {
  const seconds = Math.floor(epochMs / 1000);
  const nanos = Math.min(Math.round((epochMs - seconds * 1000) * nanosPerMs), 999_999_999);
  return reflect(TimestampSchema, create(TimestampSchema, { seconds: BigInt(seconds), nanos }));
}
