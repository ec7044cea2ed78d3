import { expect, test } from 'vitest';
import type { ConnectionWaiter, Host, HttpPool, StreamWaiter } from '../../../../src/cluster/cluster.ts';
import type { Connection } from '../../../../src/core/connection.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import { ClosedByPeer, Overflow } from '../../../../src/core/failures.ts';
import { UpstreamRemoteReset } from '../../../../src/codec/h2/failures.ts';
import { HttpVersion, ResponseHead, type RequestHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { CodecStream } from '../../../../src/core/message-sink.ts';
import { Loop } from '../../../../src/net/loop.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';
import { TunnelDialing } from '../../../../src/proxy/tcp/tunnel-dialing.ts';
import { Tunneling } from '../../../../src/proxy/tcp/tunneling.ts';
import { RecordingSink } from '../../net/sockets.ts';

const host = { addressText: '192.0.2.1:1' } as Host;
const carrier = { id: 7, peer: {}, bytesRead: 100, bytesWritten: 50 } as unknown as Connection;
const config = {
  hostname: '%DOWNSTREAM_LOCAL_ADDRESS%',
  usePost: false,
  postPath: '/',
  headersToAdd: [],
  requestId: null,
  propagation: { headers: true, trailers: true },
};

/** Everything that is said to the other side, as lines. */
class Far implements HttpPool, CodecStream<RequestHead>, ConnectionWaiter {
  readonly heard: string[] = [];
  connection: Connection | null = null;
  failure: Failure | null = null;
  newStream(): void {
    this.heard.push('asked');
  }
  head(head: RequestHead): void {
    this.heard.push(`${head.method} ${head.authority}${head.path}`);
  }
  becomeTunnel(): void {
    this.heard.push('tunnel');
  }
  data(chunk: Uint8Array, end: boolean): void {
    this.heard.push(Buffer.from(chunk).toString() + (end ? '$' : ''));
  }
  trailers(): void {}
  pause(): void {}
  resume(): void {}
  reset(failure: Failure): void {
    this.heard.push(`reset: ${failure.kind.name}`);
  }
  cancel(_waiter: StreamWaiter): void {
    this.heard.push('cancelled');
  }
  onConnected(connection: Connection): void {
    this.connection = connection;
  }
  onConnectFailure(failure: Failure): void {
    this.failure = failure;
  }
}

function dial(version: HttpVersion | null): { far: Far; dialing: TunnelDialing; outcome: Outcome } {
  const far = new Far();
  const outcome = new Outcome();
  const request = new Tunneling({ ...config, hostname: 'a.test:1' }).request(outcome);
  const dialing = new TunnelDialing(far, request, outcome, new Loop(), config.propagation);
  dialing.newConnection(far);
  if (version !== null) dialing.onPoolReady(far, carrier, host, 1, version);
  return { far, dialing, outcome };
}

const answer = (status: number): ResponseHead => new ResponseHead(status, Headers.of(['x-a', '1']));

test('a 200 opens the tunnel; bytes and ends pass', () => {
  const { far, dialing, outcome } = dial(HttpVersion.Http2);
  expect(far.heard).toEqual(['asked', 'tunnel', 'CONNECT a.test:1']);
  dialing.head(answer(103), false);
  expect(far.connection).toBeNull();
  dialing.head(answer(200), false);
  const sink = new RecordingSink();
  far.connection!.attach(sink);
  dialing.data(Buffer.from('down'), true);
  far.connection!.write(Buffer.from('up'));
  expect(sink.text).toBe('down');
  expect(far.heard.at(-1)).toBe('up');
  expect(outcome.filterState?.get('envoy.tcp_proxy.propagate_response_headers')).toEqual({
    headers: [
      { key: ':status', value: '200' },
      { key: 'x-a', value: '1' },
    ],
  });
});

test.each([
  [HttpVersion.Http11, 201, true],
  [HttpVersion.Http2, 201, false],
  [HttpVersion.Http11, 302, false],
  [HttpVersion.Http2, 403, false],
] as const)('over %d a %d is consent: %s', (version, status, isConsent) => {
  const { far, dialing } = dial(version);
  dialing.head(answer(status), false);
  expect(far.connection !== null).toBe(isConsent);
  if (isConsent) return;
  expect(far.failure!.detail).toBe(`tunnel_response:${status}`);
  expect(far.heard.at(-1)).toBe('reset: local-reset');
});

test('failures are told once, before and after the stream was there', () => {
  const early = dial(null);
  early.dialing.onPoolFailure(Overflow, null);
  expect(early.far.failure).toBe(Overflow);
  const late = dial(HttpVersion.Http2);
  late.dialing.reset(UpstreamRemoteReset);
  expect(late.far.failure!.kind.name).toBe('remote-connection-failure');
});

test('whoever is no longer interested leaves the line, or resets', () => {
  const early = dial(null);
  early.dialing.cancel();
  expect(early.far.heard).toEqual(['asked', 'cancelled']);
  const late = dial(HttpVersion.Http2);
  late.dialing.cancel();
  expect(late.far.heard.at(-1)).toBe('reset: local-reset');
  late.dialing.head(answer(200), false);
  expect(late.far.connection).toBeNull();
});

test('trailers end the tunnel and become filter state; a reset behind them is an end', async () => {
  const { far, dialing, outcome } = dial(HttpVersion.Http2);
  dialing.head(answer(200), false);
  const sink = new RecordingSink();
  far.connection!.attach(sink);
  dialing.trailers(Headers.of(['x-t', '2']));
  dialing.reset(UpstreamRemoteReset);
  expect(await sink.closed).toBe(ClosedByPeer);
  expect(outcome.filterState?.get('envoy.tcp_proxy.propagate_response_trailers')).toEqual({
    headers: [{ key: 'x-t', value: '2' }],
  });
});

test('a request may have an id, which the connection knows', () => {
  const outcome = new Outcome();
  const requestId = { header: 'x-request-id', metadataKey: 'k' };
  const id = new Tunneling({ ...config, hostname: 'a', requestId }).request(outcome).headers.get('x-request-id');
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(outcome.dynamicMetadata!.get('envoy.filters.network.tcp_proxy')).toEqual({ k: id });
});
