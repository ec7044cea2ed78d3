import type { RequestHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { formatAddress, type Peer } from '../../core/peer.ts';
import { isGrpcRequest } from '../../core/grpc-request.ts';
import { toBytes } from '../format/byte-string.ts';
import { shortFlags } from '../format/response-flag-names.ts';
import type { Outcome } from '../outcome.ts';
import type { CustomTag } from './custom-tag.ts';
import type { Span } from './span.ts';

/** gRPC statuses that are the server's fault. Source: Envoy `addGrpcResponseTags`. */
const serverFaults: ReadonlySet<string> = new Set(['2', '4', '8', '12', '13', '14', '15']);

/** What a finished stream's span is told. Source: Envoy `HttpTracerUtility::finalizeDownstreamSpan`. */
export function tagDownstream(span: Span, outcome: Outcome, pathTagMax: number): void {
  const { requestHead: head, peer } = outcome;
  if (head !== null) tagRequest(span, head, outcome.protocol, peer, pathTagMax);
  span.tag('request_size', String(outcome.bytesReceived));
  span.tag('response_size', String(outcome.bytesSent));
  tagOutcome(span, outcome.responseCode, outcome.flags, outcome.upstreamClusterRaw, outcome.upstreamCluster);
  const { responseHead, responseTrailers } = outcome;
  if (responseHead !== null) tagGrpcStatus(span, responseHead.headers);
  if (responseTrailers !== null) tagGrpcStatus(span, responseTrailers);
}

function tagRequest(span: Span, head: RequestHead, protocol: string, peer: Peer | null, pathTagMax: number): void {
  const { headers } = head;
  const id = headers.get('x-request-id');
  if (id !== undefined) span.tag('guid:x-request-id', id);
  span.tag('http.url', urlOf(head, pathTagMax));
  span.tag('http.method', head.method);
  span.tag('downstream_cluster', headers.get('x-envoy-downstream-service-cluster') ?? '-');
  span.tag('user_agent', headers.get('user-agent') ?? '-');
  span.tag('http.protocol', protocol);
  if (peer !== null) {
    const { directRemote } = peer;
    span.tag('peer.address', directRemote.kind === 'ip' ? directRemote.host : formatAddress(directRemote));
  }
  const clientTraceId = headers.get('x-client-trace-id');
  if (clientTraceId !== undefined) span.tag('guid:x-client-trace-id', clientTraceId);
  if (isGrpcRequest(head)) tagGrpcRequest(span, head);
}

function urlOf(head: RequestHead, pathTagMax: number): string {
  const path = head.headers.get('x-envoy-original-path') ?? head.path;
  return path === '' ? '' : `${head.scheme}://${head.authority}${path.slice(0, pathTagMax)}`;
}

function tagGrpcRequest(span: Span, head: RequestHead): void {
  span.tag('grpc.path', head.path);
  span.tag('grpc.authority', head.authority);
  span.tag('grpc.content_type', head.headers.get('content-type') ?? '');
  const timeout = head.headers.get('grpc-timeout');
  if (timeout !== undefined) span.tag('grpc.timeout', timeout);
}

/** Of a head or of trailers. */
export function tagGrpcStatus(span: Span, headers: Headers): void {
  const status = headers.get('grpc-status');
  if (status === undefined) return;
  span.tag('grpc.status_code', status);
  const message = headers.get('grpc-message');
  if (message !== undefined) span.tag('grpc.message', message);
  if (serverFaults.has(status)) span.tag('error', 'true');
}

/** What every span has, of a stream and of a try. Source: Envoy `setCommonTags`. `status` 0: there is none. */
export function tagOutcome(span: Span, status: number, flags: number, cluster: string, statName: string): void {
  span.tag('component', 'proxy');
  if (cluster !== '') {
    span.tag('upstream_cluster', toBytes(cluster));
    span.tag('upstream_cluster.name', toBytes(statName));
  }
  span.tag('http.status_code', String(status));
  span.tag('response_flags', shortFlags(flags, true));
  if (status === 0 || status >= 500) span.tag('error', 'true');
}

export function tagCustom(span: Span, tags: readonly CustomTag[], outcome: Outcome): void {
  for (const tag of tags) {
    const value = tag.value(outcome);
    if (value !== '') span.tag(tag.tag, value);
  }
}

/** The moments of `verbose`. Source: Envoy `annotateVerbose`. */
export function annotate(span: Span, outcome: Outcome, isOfTry: boolean): void {
  const at = (ms: number): number => outcome.startEpochMs + ms - outcome.startMs;
  if (!isOfTry) span.event('last_downstream_rx_byte_received', at(outcome.requestEndMs));
  span.event('first_upstream_tx_byte_sent', at(outcome.upstreamRequestStartMs));
  span.event('last_upstream_tx_byte_sent', at(outcome.upstreamRequestEndMs));
  span.event('first_upstream_rx_byte_received', at(outcome.upstreamResponseStartMs));
  span.event('last_upstream_rx_byte_received', at(outcome.upstreamResponseEndMs));
  // What has not begun has not ended.
  if (isOfTry || outcome.responseStartMs !== outcome.responseStartMs) return;
  span.event('first_downstream_tx_byte_sent', at(outcome.responseStartMs));
  span.event('last_downstream_tx_byte_sent', at(outcome.endMs));
}
