import { describe, expect, test } from 'vitest';
import { ConnectionTermination, RemoteConnectionFailure } from '../../../../../src/core/failures.ts';
import { Verdict, type HttpFilter, type Stream } from '../../../../../src/filter/filter.ts';
import { runtimeOf } from '../../../cluster/cluster-fixture.ts';
import { limited } from '../../../cluster/pool/http-bench.ts';
import { bodyOf, fieldOf, HttpWorld, request, response, statusOf, type Setting } from '../world.ts';

const log = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%';
const posted = request('POST /a', [], 'hello');

test('a request and its response, byte by byte', () => {
  const world = new HttpWorld({ log });
  const client = world.send(request('GET /a?b', ['x-one: 1']));
  const upstream = world.accept();
  expect(upstream.take()).toBe(
    'GET /a?b HTTP/1.1\r\nhost: a\r\nx-one: 1\r\nx-forwarded-proto: http\r\nx-envoy-expected-rq-timeout-ms: 15000\r\n\r\n',
  );
  world.advance(7);
  upstream.receive('HTTP/1.1 201 Made\r\ncontent-length: 2\r\nx-two: 2\r\n\r\nok');
  expect(client.take()).toBe(
    'HTTP/1.1 201 Created\r\ncontent-length: 2\r\nx-two: 2\r\nx-envoy-upstream-service-time: 7\r\n' +
      'date: Thu, 01 Jan 1970 00:00:00 GMT\r\nserver: envoy\r\n\r\nok',
  );
  expect(world.logged).toEqual(['201 - via_upstream']);
});

test('bodies pass piece by piece, whatever their framing', () => {
  const world = new HttpWorld();
  const client = world.send('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n');
  const upstream = world.accept();
  expect(bodyOf(upstream.take())).toBe('3\r\nabc\r\n');
  client.receive('2\r\nde\r\n');
  expect(upstream.take()).toBe('2\r\nde\r\n');
  client.receive('0\r\n\r\n');
  expect(upstream.take()).toBe('0\r\n\r\n');
  upstream.receive('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n');
  expect(bodyOf(client.take())).toBe('1\r\nx\r\n');
  upstream.receive('0\r\n\r\n');
  expect(client.take()).toBe('0\r\n\r\n');
});

test('a response without a length lasts until its connection ends', () => {
  const world = new HttpWorld();
  const client = world.send(request());
  const upstream = world.accept();
  upstream.receive('HTTP/1.1 200 OK\r\n\r\nab');
  expect(fieldOf(client.written, 'transfer-encoding')).toBe('chunked');
  expect(bodyOf(client.take())).toBe('2\r\nab\r\n');
  upstream.peerEnded();
  expect(client.take()).toBe('0\r\n\r\n');
  expect(client.isClosing).toBe(false);
});

test('the answer to HEAD has a length and no body', () => {
  const world = new HttpWorld();
  const client = world.send(request('HEAD /'));
  const upstream = world.accept();
  upstream.receive('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n');
  expect(fieldOf(client.written, 'content-length')).toBe('5');
  expect(bodyOf(client.take())).toBe('');
  client.receive(request());
  expect(upstream.take()).toContain('GET / HTTP/1.1');
});

test('trailers are dropped unless enable_trailers wants them', () => {
  const world = new HttpWorld();
  const client = world.send(request());
  world.accept().receive('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-end: 1\r\n\r\n');
  expect(bodyOf(client.take())).toBe('0\r\n\r\n');
  expect(client.isClosing).toBe(false);
});

test('the upstream connection is used again after a complete exchange', () => {
  const world = new HttpWorld();
  const client = world.send(request('GET /1'));
  const upstream = world.accept();
  upstream.receive(response());
  client.take();
  client.receive(request('GET /2'));
  expect(world.dials).toBe(1);
  upstream.receive(response(200, 'second'));
  expect(bodyOf(client.take())).toBe('second');
});

describe('Expect: 100-continue', () => {
  const asking = request('POST /', ['expect: 100-continue', 'content-length: 2']);

  test('is answered by the proxy, and the upstream does not hear of it', () => {
    const world = new HttpWorld();
    const client = world.send(asking);
    expect(client.take()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    const upstream = world.accept();
    expect(fieldOf(upstream.take(), 'expect')).toBeUndefined();
    upstream.receive('HTTP/1.1 100 Continue\r\n\r\n');
    expect(client.take()).toBe('');
    client.receive('ab');
    upstream.receive(response());
    expect(statusOf(client.take())).toBe(200);
  });

  test('proxy_100_continue: is the upstream’s to answer', () => {
    const world = new HttpWorld({ hcm: { proxy100Continue: true } });
    const client = world.send(asking);
    const upstream = world.accept();
    expect(fieldOf(upstream.take(), 'expect')).toBe('100-continue');
    expect(client.take()).toBe('');
    upstream.receive('HTTP/1.1 100 Continue\r\n\r\n');
    expect(client.take()).toMatch(/^HTTP\/1\.1 100 Continue\r\n/);
    client.receive('ab');
    upstream.receive(response());
    expect(statusOf(client.take())).toBe(200);
  });
});

describe('answers of the router’s own', () => {
  const cases: readonly [string, Setting, string, string, string][] = [
    [
      'no route',
      { routes: '- { match: { path: /other }, route: { cluster: c } }' },
      '404',
      '',
      '404 NR route_not_found',
    ],
    ['no such cluster', { clusters: {} }, '503', '', '503 NC cluster_not_found'],
    [
      'no such cluster, with a status for it',
      {
        clusters: {},
        routes: '- { match: { prefix: / }, route: { cluster: c, cluster_not_found_response_code: NOT_FOUND } }',
      },
      '404',
      '',
      '404 NC cluster_not_found',
    ],
    ['no host', { clusters: { c: { hosts: [] } } }, '503', 'no healthy upstream', '503 UH no_healthy_upstream'],
    [
      'a full circuit breaker',
      { clusters: { c: limited({ maxPendingRequests: 0 }) } },
      '503',
      'upstream connect error or disconnect/reset before headers. reset reason: overflow',
      '503 UO upstream_reset_before_response_started{overflow}',
    ],
    [
      'a direct response',
      { routes: '- { match: { prefix: / }, direct_response: { status: 418, body: { inline_string: tea } } }' },
      '418',
      'tea',
      '418 - direct_response',
    ],
    [
      'a redirect',
      { routes: '- { match: { prefix: / }, redirect: { https_redirect: true } }' },
      '301',
      '',
      '301 - direct_response',
    ],
  ];

  test.each(cases)('%s', (_, setting, status, body, line) => {
    const world = new HttpWorld({ ...setting, log });
    const client = world.send(request());
    expect(String(statusOf(client.written))).toBe(status);
    expect(bodyOf(client.take())).toBe(body);
    expect(world.logged).toEqual([line]);
    expect(client.isClosing).toBe(false);
  });

  test('a full circuit breaker says so in a header', () => {
    const full = { c: limited({ maxPendingRequests: 0 }) };
    const client = new HttpWorld({ clusters: full }).send(request());
    expect(fieldOf(client.take(), 'x-envoy-overloaded')).toBe('true');
    const silent = new HttpWorld({ clusters: full, router: { suppressEnvoyHeaders: true } }).send(request());
    expect(fieldOf(silent.take(), 'x-envoy-overloaded')).toBeUndefined();
  });

  test('a request with a body that nobody wants is answered at once, and its connection ends', () => {
    const world = new HttpWorld({ clusters: { c: { hosts: [] } } });
    const client = world.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf');
    expect(fieldOf(client.take(), 'connection')).toBe('close');
    expect(client.isClosing).toBe(true);
  });
});

describe('an upstream that fails before it answers', () => {
  const words = 'upstream connect error or disconnect/reset before headers. reset reason: ';

  test('refuses the connection', () => {
    const world = new HttpWorld({ log });
    const client = world.send(request());
    world.refuse(RemoteConnectionFailure.with('delayed connect error: Connection refused'));
    expect(statusOf(client.written)).toBe(503);
    expect(bodyOf(client.take())).toBe(`${words}remote connection failure`);
    expect(world.logged).toEqual([
      '503 UF upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}',
    ]);
  });

  test('closes', () => {
    const world = new HttpWorld({ log });
    const client = world.send(posted);
    world.accept().peerEnded();
    expect(statusOf(client.written)).toBe(503);
    expect(bodyOf(client.take())).toBe(`${words}connection termination`);
    expect(world.logged).toEqual(['503 UC upstream_reset_before_response_started{connection_termination}']);
    expect(client.isClosing).toBe(false);
  });

  test('answers with something that is not HTTP', () => {
    const world = new HttpWorld({ log });
    const client = world.send(request());
    const upstream = world.accept();
    upstream.receive('SSH-2.0-OpenSSH\r\n\r\n');
    expect(statusOf(client.written)).toBe(502);
    expect(bodyOf(client.take())).toBe(`${words}protocol error`);
    expect(world.logged).toEqual(['502 UPE upstream_reset_before_response_started{protocol_error}']);
    expect(upstream.isOpen).toBe(false);
    expect(world.stat('cluster.c.upstream_cx_protocol_error')).toBe(1);
  });
});

describe('a response that breaks off', () => {
  test.each([
    ['by a close', 'content-length: 9'],
    ['inside a chunk', 'transfer-encoding: chunked'],
  ])('%s breaks off for the client too', (_, framing) => {
    const world = new HttpWorld({ log });
    const client = world.send(request());
    const upstream = world.accept();
    upstream.receive(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n4\r\nha`);
    expect(client.take()).toContain('ha');
    upstream.peerEnded();
    expect(client.take()).toBe('');
    expect(client.isClosing).toBe(true);
    expect(world.logged).toHaveLength(1);
    expect(world.logged[0]).toMatch(/^200 \w+ upstream_reset_after_response_started\{/);
    expect(world.stat('http.p.downstream_rq_tx_reset')).toBe(1);
  });

  test('is not repeated, whatever the route would repeat', () => {
    const routes = '- { match: { prefix: / }, route: { cluster: c, retry_policy: { retry_on: "5xx,reset" } } }';
    const world = new HttpWorld({ routes });
    const client = world.send(request());
    const upstream = world.accept();
    upstream.receive('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n');
    upstream.peerEnded();
    expect(client.isClosing).toBe(true);
    world.advance(60);
    expect(world.dials).toBe(1);
    expect(world.stat('cluster.c.upstream_rq_retry')).toBe(0);
  });
});

describe('an answer before the request is complete', () => {
  const half = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf';

  test('is passed on at once and ends both connections', () => {
    const world = new HttpWorld();
    const client = world.send(half);
    const upstream = world.accept();
    upstream.receive(response(413, 'no'));
    expect(statusOf(client.written)).toBe(413);
    expect(fieldOf(client.written, 'connection')).toBe('close');
    expect(bodyOf(client.take())).toBe('no');
    expect(client.isClosing).toBe(true);
    expect(upstream.isOpen).toBe(false);
    expect(world.stat('http.p.downstream_rq_response_before_rq_complete')).toBe(1);
  });

  test('has no service time: it counts from the end of the request', () => {
    const world = new HttpWorld();
    const client = world.send(half);
    world.accept().receive(response(413, 'no'));
    expect(fieldOf(client.take(), 'x-envoy-upstream-service-time')).toBeUndefined();
  });
});

describe('a client that goes away', () => {
  test('takes its upstream request along', () => {
    const world = new HttpWorld({ log });
    const client = world.send(request());
    const upstream = world.accept();
    client.leave();
    expect(upstream.isOpen).toBe(false);
    expect(world.logged).toEqual(['0 DC downstream_remote_disconnect']);
    expect(world.stat('http.p.downstream_rq_active')).toBe(0);
    expect(world.stat('cluster.c.upstream_rq_active')).toBe(0);
  });

  test('by half-closing, too, as in Envoy', () => {
    const world = new HttpWorld({ log });
    const client = world.send(request());
    const upstream = world.accept();
    client.peerEnded();
    expect(upstream.isOpen).toBe(false);
    expect(world.logged).toEqual(['0 DC downstream_remote_disconnect']);
  });

  test('while the connection is being opened: nobody waits for it any more', () => {
    const world = new HttpWorld();
    world.send(request()).leave();
    expect(world.stat('cluster.c.upstream_rq_cancelled')).toBe(1);
    const upstream = world.accept();
    expect(upstream.take()).toBe('');
  });
});

describe('back-pressure', () => {
  const half = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nha';

  test('an upstream that does not take the request pauses the client', () => {
    const world = new HttpWorld();
    const client = world.send(half);
    const upstream = world.accept();
    upstream.accepts = false;
    client.receive('l');
    expect(client.pauses).toBe(1);
    client.receive('f');
    expect(client.pauses).toBe(1);
    upstream.drained();
    expect(client.pauses).toBe(0);
    expect(bodyOf(upstream.take())).toBe('half');
    expect(world.stat('cluster.c.upstream_flow_control_backed_up_total')).toBe(1);
    expect(world.stat('cluster.c.upstream_flow_control_drained_total')).toBe(1);
  });

  test('…which is counted as reading from downstream that was paused', () => {
    const world = new HttpWorld();
    const client = world.send(half);
    const upstream = world.accept();
    upstream.accepts = false;
    client.receive('l');
    expect(world.hcmStats.downstream_flow_control_paused_reading_total).toBe(1);
    upstream.drained();
    expect(world.hcmStats.downstream_flow_control_resumed_reading_total).toBe(1);
  });

  test('a client that does not take the response pauses the upstream', () => {
    const world = new HttpWorld();
    const client = world.send(request());
    const upstream = world.accept();
    client.accepts = false;
    upstream.receive('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\na');
    expect(upstream.pauses).toBe(1);
    upstream.receive('b');
    expect(upstream.pauses).toBe(1);
    client.drained();
    expect(upstream.pauses).toBe(0);
    expect(world.stat('cluster.c.upstream_flow_control_paused_reading_total')).toBe(1);
    expect(world.stat('cluster.c.upstream_flow_control_resumed_reading_total')).toBe(1);
    expect(client.pauses).toBe(0);
  });

  test('…which does not count as an upstream that backed up', () => {
    const world = new HttpWorld();
    const client = world.send(request());
    const upstream = world.accept();
    client.accepts = false;
    upstream.receive('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\na');
    client.drained();
    expect(world.stat('cluster.c.upstream_flow_control_backed_up_total')).toBe(0);
    expect(world.stat('cluster.c.upstream_flow_control_drained_total')).toBe(0);
    expect(world.hcmStats.downstream_flow_control_paused_reading_total).toBeUndefined();
  });

  test('a response that ends while its upstream is paused leaves the upstream unpaused for the next', () => {
    const world = new HttpWorld();
    const client = world.send(request());
    const upstream = world.accept();
    client.accepts = false;
    upstream.receive(response());
    expect(upstream.pauses).toBe(0);
    client.drained();
    client.take();
    client.receive(request('GET /2'));
    expect(upstream.pauses).toBe(0);
    upstream.receive(response());
    expect(statusOf(client.take())).toBe(200);
  });

  test('a client paused for an upstream that then fails is read again', () => {
    const world = new HttpWorld();
    const client = world.send(half);
    const upstream = world.accept();
    upstream.accepts = false;
    client.receive('lf12345');
    expect(client.pauses).toBe(1);
    upstream.close(ConnectionTermination);
    expect(statusOf(client.take())).toBe(503);
    expect(client.pauses).toBe(0);
  });
});

describe('pauses of two who are too slow', () => {
  /** Says when it holds too much, as the fault filter's rate limit does. */
  class Brake implements HttpFilter {
    stream: Stream | null = null;

    onResponseHead(stream: Stream): Verdict {
      this.stream = stream;
      return Verdict.Continue;
    }
  }

  // The first that has enough room lets the upstream go on, and nobody says again that the other has not.
  test('of a response: the upstream goes on when both can', () => {
    const brake = new Brake();
    const world = new HttpWorld({ filters: { brake } });
    const client = world.send(request());
    const upstream = world.accept();
    client.accepts = false;
    upstream.receive('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\na');
    brake.stream!.onResponseAboveHighWatermark();
    brake.stream!.onResponseBelowLowWatermark();
    expect(upstream.pauses).toBe(1);
    client.drained();
    expect(upstream.pauses).toBe(0);
  });

  test('of a request: the client goes on when both can', () => {
    let chunks = 0;
    let held: Stream | null = null;
    const gate: HttpFilter = {
      onRequestData(stream) {
        held = stream;
        return chunks++ === 1 ? Verdict.Stop : Verdict.Continue;
      },
    };
    const world = new HttpWorld({ filters: { gate } });
    const client = world.connect();
    client.bufferLimit = 2;
    client.receive('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\n');
    const upstream = world.accept();
    upstream.accepts = false;
    for (const text of ['a', 'b', 'held']) client.receive(text);
    upstream.drained();
    expect(client.pauses).toBe(1);
    held!.resumeRequest(gate);
    expect(client.pauses).toBe(0);
    expect(bodyOf(upstream.take())).toBe('abheld');
  });
});

test('an upstream that breaks off while filters hold its head is answered in its place', () => {
  const gate: HttpFilter = { onResponseHead: () => Verdict.Stop };
  const world = new HttpWorld({ filters: { gate }, log: `${log} %BYTES_SENT%` });
  const client = world.send(request());
  const upstream = world.accept();
  upstream.receive('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\na');
  upstream.close(ConnectionTermination);
  const answer = client.take();
  expect(answer).toMatch(/^HTTP\/1.1 503 /);
  expect(bodyOf(answer)).toBe(
    'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
  );
  expect(world.logged).toEqual(['503 UC upstream_reset_after_response_started{connection_termination} 95']);
});

describe('headers of the router', () => {
  test('suppress_envoy_headers leaves them out', () => {
    const world = new HttpWorld({ router: { suppressEnvoyHeaders: true } });
    const client = world.send(request());
    const upstream = world.accept();
    expect(upstream.take()).not.toContain('x-envoy');
    upstream.receive(response());
    expect(client.take()).not.toContain('x-envoy');
  });

  test('auto_host_rewrite takes the host’s name and tells the old one', () => {
    const world = new HttpWorld({
      routes:
        '- { match: { prefix: / }, route: { cluster: c, auto_host_rewrite: true, append_x_forwarded_host: true } }',
      clusters: {
        c: { hosts: [{ ...new HttpWorld().around.data().hosts[0], hostname: 'up.test' }] },
      },
    });
    world.send(request('GET /', ['x-forwarded-host: first']));
    const sent = world.accept().take();
    expect(fieldOf(sent, 'host')).toBe('up.test');
    expect(fieldOf(sent, 'x-envoy-original-host')).toBe('a');
    expect(fieldOf(sent, 'x-forwarded-host')).toBe('first,a');
  });
});

test('a cluster in maintenance answers without being asked', () => {
  const world = new HttpWorld({ log });
  world.around.runtime.update(runtimeOf({ 'upstream.maintenance_mode.c': '100' }));
  world.clusters.get('c')!.onRuntimeChanged();
  const client = world.send(request());
  const answer = client.take();
  expect([statusOf(answer), bodyOf(answer), fieldOf(answer, 'x-envoy-overloaded')]).toEqual([
    503,
    'maintenance mode',
    'true',
  ]);
  expect(world.dials).toBe(0);
  expect(world.stat('cluster.c.upstream_rq_maintenance_mode')).toBe(1);
  expect(world.stat('cluster.c.upstream_rq_503')).toBe(1);
  expect(world.logged).toEqual(['503 UO maintenance_mode']);
});
