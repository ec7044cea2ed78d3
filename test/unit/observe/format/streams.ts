import { ResponseFlag } from '../../../../src/core/failure.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { Address, Peer } from '../../../../src/core/peer.ts';
import type { Formatter } from '../../../../src/observe/format/formatter.ts';
import { LineBytes } from '../../../../src/observe/access-log/line-bytes.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';

// The four streams on which test/peers/access-log-operators.table.ts was observed.

const ip = (port: number): Address => ({ kind: 'ip', host: '127.0.0.1', port });

function peer(remotePort: number, localPort: number): Peer {
  const remote = ip(remotePort);
  const local = ip(localPort);
  return {
    remote,
    local,
    directRemote: remote,
    directLocal: local,
    serverName: '',
    alpn: '',
    transportProtocol: 'raw_buffer',
    applicationProtocols: [],
    ja3: '',
    ja4: '',
    tls: null,
  };
}

function httpStream(id: string, method: string, path: string, port: number, headers: Headers): Outcome {
  const outcome = new Outcome();
  outcome.protocol = 'HTTP/1.1';
  outcome.streamId = id;
  outcome.peer = peer(port, 29902);
  outcome.filterChainName = 'fc1';
  outcome.requestHead = new RequestHead(method, '127.0.0.1:29902', path, HttpVersion.Http11, headers);
  outcome.requestHead.scheme = 'http';
  headers.add('x-request-id', id);
  outcome.dynamicMetadata = new Map([
    ['ns', { num: 7, key: 'value', frac: '0.25', bool: true, list: [1, 'a', null], obj: { b: 'x', a: 'y' } }],
  ]);
  outcome.filterState = new Map([['fs.key', 'fsval']]);
  outcome.listenerMetadata = { 'com.l': { k: 'lv' } };
  outcome.filterChainMetadata = { 'com.f': { k: 'fv' } };
  outcome.virtualHostMetadata = { 'com.v': { k: 'vv' } };
  outcome.routeMetadata = { 'com.r': { n: 3, k: 'rv' } };
  return outcome;
}

function bytes(outcome: Outcome, wire: readonly [number, number], header: readonly [number, number]): void {
  [outcome.wireBytesReceived, outcome.wireBytesSent] = wire;
  [outcome.headerBytesReceived, outcome.headerBytesSent] = header;
}

function upstream(outcome: Outcome, cluster: string, statName: string, host: string): void {
  outcome.upstreamCluster = statName;
  outcome.upstreamClusterRaw = cluster;
  outcome.upstreamHost = host;
  outcome.upstreamHostName = 'up.host.test:99';
  outcome.clusterMetadata = { 'com.test': { k: 'cv' } };
  outcome.upstreamHostMetadata = { 'com.h': { k: 'hv' } };
  outcome.upstreamPoolReadyMs = 0.1;
  outcome.attemptCount = 1;
}

/** A direct response that came before the request's body had. */
export function directStream(): Outcome {
  const headers = Headers.of(
    ['user-agent', 'agent-x'],
    ['accept', '*/*'],
    ['x-multi', 'a'],
    ['x-multi', 'b'],
    ['x-empty', ''],
    ['x-bin', 'a"\\\t\u00e9\u00ff'],
  );
  const path = '/direct?q=abcdef&e=&q=second&x=%41%20b';
  const outcome = httpStream('25a5919a-d635-4c4c-9ab5-f4800a45d1e8', 'POST', path, 59858, headers);
  outcome.startEpochMs = 1795260059011.61;
  outcome.endMs = 0.391;
  outcome.responseStartMs = 0.373;
  outcome.routeName = 'r-direct';
  outcome.responseHead = new ResponseHead(200, Headers.of(['content-type', 'text/plain']));
  outcome.responseCode = 200;
  outcome.details = 'direct_response';
  outcome.bytesSent = 5;
  bytes(outcome, [234, 232], [166, 208]);
  return outcome;
}

/** A gRPC answer from an upstream, after a path rewrite. */
export function upstreamStream(): Outcome {
  const headers = Headers.of(
    ['user-agent', 'agent-x'],
    ['content-type', 'application/grpc'],
    ['x-envoy-original-path', '/up/path?q=1'],
  );
  const outcome = httpStream('8b912bb0-eb93-4713-93dd-886037718fc0', 'POST', '/u/path?q=1', 59870, headers);
  outcome.startEpochMs = 1795260059022.9;
  outcome.requestEndMs = 0.1;
  outcome.upstreamRequestStartMs = 0.772843;
  outcome.upstreamRequestEndMs = 0.777943;
  outcome.upstreamConnectStartMs = 0.2;
  outcome.upstreamConnectEndMs = 0.298;
  outcome.upstreamResponseStartMs = 4.3;
  outcome.upstreamResponseBodyStartMs = 10.886;
  outcome.upstreamResponseEndMs = 10.931;
  outcome.responseStartMs = 4.601;
  outcome.endMs = 11.025;
  outcome.routeName = 'r-up';
  outcome.virtualClusterName = 'vc1';
  outcome.responseHead = new ResponseHead(200, Headers.of(['content-type', 'application/grpc']));
  outcome.responseTrailers = Headers.of(['tr', 'tval'], ['grpc-status', '5']);
  outcome.responseCode = 200;
  outcome.details = 'via_upstream';
  outcome.bytesReceived = 5;
  outcome.bytesSent = 5;
  outcome.connectionId = 1;
  bytes(outcome, [143, 345], [103, 311]);
  upstream(outcome, 'up', 'up_alt', '127.0.0.1:29904');
  outcome.upstreamPeer = peer(29904, 41796);
  outcome.upstreamConnectionId = 2;
  outcome.upstreamProtocol = 'HTTP/1.1';
  outcome.upstreamWireBytesReceived = 142;
  outcome.upstreamWireBytesSent = 441;
  outcome.upstreamHeaderBytesReceived = 102;
  outcome.upstreamHeaderBytesSent = 407;
  return outcome;
}

/** The upstream refused the connection. */
export function refusedStream(): Outcome {
  const headers = Headers.of(['user-agent', 'agent-x']);
  const outcome = httpStream('f71dbec9-1cd8-4277-a861-8f62bbddca2b', 'GET', '/down', 59882, headers);
  outcome.startEpochMs = 1795260059045.286;
  outcome.requestEndMs = 0.1;
  outcome.responseStartMs = 0.551;
  outcome.endMs = 0.561;
  outcome.routeName = 'r-down';
  outcome.responseHead = new ResponseHead(503, Headers.of(['content-type', 'text/plain']));
  outcome.responseCode = 503;
  outcome.flags = ResponseFlag.UpstreamConnectionFailure;
  outcome.details =
    'upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}';
  outcome.bytesSent = 98;
  outcome.connectionId = 3;
  bytes(outcome, [79, 438], [54, 304]);
  upstream(outcome, 'refused', 'refused', '127.0.0.1:29999');
  outcome.upstreamTransportFailureReason = 'delayed connect error: Connection refused';
  return outcome;
}

/** A connection through tcp_proxy. */
export function tcpStream(): Outcome {
  const outcome = new Outcome();
  outcome.accessLogType = 'TcpConnectionEnd';
  outcome.startEpochMs = 1795260059313.239;
  outcome.endMs = 10.9;
  outcome.streamId = 'fbd01e0f-f58f-4a54-85a8-b1bb6d65ea51';
  outcome.peer = peer(56142, 29903);
  outcome.filterChainName = 'fc1';
  outcome.listenerMetadata = { 'com.l': { k: 'lv' } };
  outcome.filterChainMetadata = { 'com.f': { k: 'fv' } };
  outcome.bytesReceived = 76;
  outcome.bytesSent = 142;
  outcome.connectionId = 9;
  bytes(outcome, [76, 142], [0, 0]);
  upstream(outcome, 'up', 'up_alt', '127.0.0.1:29904');
  outcome.upstreamPeer = peer(29904, 41802);
  outcome.upstreamConnectionId = 10;
  outcome.upstreamConnectStartMs = 0.1;
  outcome.upstreamConnectEndMs = 0.203;
  outcome.upstreamWireBytesReceived = 142;
  outcome.upstreamWireBytesSent = 76;
  return outcome;
}

/** What a format prints, as a header's value and in a log alike. */
export function printed(formatter: Formatter, outcome: Outcome): string {
  const text = formatter.format(outcome);
  const line = new LineBytes();
  formatter.write(outcome, line);
  const written = Buffer.from(line.bytes).toString('latin1');
  if (written !== text) throw new Error(`written ${JSON.stringify(written)}, formatted ${JSON.stringify(text)}`);
  return text;
}
