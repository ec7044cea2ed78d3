import { describe, expect, test } from 'vitest';
import { bodyOf, ClientConnection, fieldOf, HttpWorld, request, response, statusOf } from '../world.ts';

const log = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%';

function exchange(world: HttpWorld, client: ClientConnection): string {
  client.receive(request());
  world.upstream.receive(response());
  return client.take();
}

describe('requests on one connection', () => {
  test('are answered in order, one at a time, however they come', () => {
    const world = new HttpWorld();
    const client = world.send(request('GET /1') + request('GET /2') + request('GET /3'));
    const upstream = world.accept();
    for (const name of ['1', '2', '3']) {
      expect(upstream.take()).toMatch(new RegExp(`^GET /${name} HTTP/1.1\r\n(.+\r\n)+\r\n$`));
      upstream.receive(response(200, `to ${name}`));
      expect(bodyOf(client.take())).toBe(`to ${name}`);
    }
    expect(client.pauses).toBe(0);
    expect(client.isClosing).toBe(false);
    expect(world.hcmStats).toMatchObject({ downstream_cx_total: 1, downstream_rq_total: 3, downstream_rq_2xx: 3 });
  });

  test('what comes behind an open one is not read', () => {
    const world = new HttpWorld();
    const client = world.send(request('GET /1') + request('GET /2'));
    expect(client.pauses).toBe(1);
    world.upstream.receive(response());
    expect(client.pauses).toBe(0);
  });

  test('bytes may fall apart anywhere', () => {
    const world = new HttpWorld();
    const client = world.connect();
    for (const byte of request('POST /', ['x-a: b'], 'body')) client.receive(byte);
    expect(bodyOf(world.upstream.take())).toBe('body');
    world.upstream.receive(response());
    expect(statusOf(client.take())).toBe(200);
  });
});

describe('the end of a connection', () => {
  test('as the client asks: after its answer, without waiting for it', () => {
    const world = new HttpWorld();
    const client = world.send(request('GET /', ['connection: close']));
    world.upstream.receive(response());
    expect(fieldOf(client.take(), 'connection')).toBe('close');
    expect(client.lingerMs).toBeNull();
    expect(client.isOpen).toBe(false);
  });

  test('behind a malformed request: the client has delayed_close_timeout to read the answer', () => {
    const world = new HttpWorld({ log });
    const client = world.send('GET / HTTP/1.1\r\nno colon\r\n\r\n');
    expect(statusOf(client.written)).toBe(400);
    expect(fieldOf(client.written, 'connection')).toBe('close');
    expect(bodyOf(client.take())).toBe('Bad Request');
    expect(client.lingerMs).toBe(1000);
    expect(world.logged).toHaveLength(1);
    expect(world.logged[0]).toMatch(/^400 DPE http1\./);
    expect(world.hcmStats).toMatchObject({ downstream_cx_protocol_error: 1, downstream_rq_4xx: 1 });
    client.receive(request());
    expect(client.take()).toBe('');
  });

  test('behind an answer to half a request', () => {
    const world = new HttpWorld({ clusters: {} });
    const client = world.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf');
    expect(fieldOf(client.take(), 'connection')).toBe('close');
    expect(client.lingerMs).toBe(1000);
  });

  test('is counted, with its bytes', () => {
    const world = new HttpWorld();
    const client = world.connect();
    expect(world.hcmStats).toMatchObject({ downstream_cx_active: 1 });
    exchange(world, client);
    client.leave();
    expect(world.stat('http.p.downstream_cx_active')).toBe(0);
    expect(world.stat('http.p.downstream_cx_http1_active')).toBe(0);
    expect(world.hcmStats).toMatchObject({
      downstream_cx_http1_total: 1,
      downstream_cx_destroy: 1,
      downstream_cx_rx_bytes_total: client.bytesRead,
      downstream_cx_tx_bytes_total: client.bytesWritten,
    });
  });
});

describe('idle_timeout', () => {
  test('drains: drain_timeout later the connection is closed', () => {
    const world = new HttpWorld();
    const client = world.connect();
    exchange(world, client);
    world.advance(3_599_999);
    expect(world.hcmStats.downstream_cx_idle_timeout).toBeUndefined();
    world.advance(1);
    expect(world.hcmStats.downstream_cx_idle_timeout).toBe(1);
    expect(client.isClosing).toBe(false);
    world.advance(5000);
    expect(client.lingerMs).toBe(1000);
  });

  test('a request that crosses it is answered, and says goodbye', () => {
    const world = new HttpWorld();
    const client = world.connect();
    exchange(world, client);
    world.advance(3_600_000);
    world.advance(1000);
    const answer = exchange(world, client);
    expect(statusOf(answer)).toBe(200);
    expect(fieldOf(answer, 'connection')).toBe('close');
    expect(client.isClosing).toBe(true);
  });

  test('closes a connection at once that never had a request', () => {
    const world = new HttpWorld({ hcm: { commonHttpProtocolOptions: { idleTimeout: '2s' } } });
    const client = world.connect();
    world.advance(2000);
    expect(client.isOpen).toBe(false);
  });

  test('does not run while a request is open', () => {
    const world = new HttpWorld({ hcm: { commonHttpProtocolOptions: { idleTimeout: '2s' } } });
    const client = world.send(request());
    world.advance(3000);
    world.upstream.receive(response());
    expect(statusOf(client.take())).toBe(200);
    world.advance(1999);
    expect(world.stat('http.p.downstream_cx_idle_timeout')).toBe(0);
    world.advance(1);
    expect(world.stat('http.p.downstream_cx_idle_timeout')).toBe(1);
  });

  test('0 is none', () => {
    const world = new HttpWorld({ hcm: { commonHttpProtocolOptions: { idleTimeout: '0s' } } });
    const client = world.connect();
    world.advance(100_000_000);
    expect(client.isClosing).toBe(false);
  });
});

describe('limits of a connection', () => {
  test('max_requests_per_connection: the last answer says so', () => {
    const world = new HttpWorld({ hcm: { commonHttpProtocolOptions: { maxRequestsPerConnection: 2 } } });
    const client = world.connect();
    expect(fieldOf(exchange(world, client), 'connection')).toBeUndefined();
    expect(fieldOf(exchange(world, client), 'connection')).toBe('close');
    expect(client.isClosing).toBe(true);
    expect(world.hcmStats.downstream_cx_max_requests_reached).toBe(1);
  });

  test('max_connection_duration drains an idle connection', () => {
    const world = new HttpWorld({ hcm: { commonHttpProtocolOptions: { maxConnectionDuration: '10s' } } });
    const client = world.connect();
    exchange(world, client);
    world.advance(10_000);
    expect(world.hcmStats.downstream_cx_max_duration_reached).toBe(1);
    expect(client.isClosing).toBe(false);
    world.advance(5000);
    expect(client.isClosing).toBe(true);
  });

  test('max_connection_duration lets an open request end', () => {
    const world = new HttpWorld({ hcm: { commonHttpProtocolOptions: { maxConnectionDuration: '10s' } } });
    const client = world.send(request());
    world.advance(10_000);
    expect(client.isClosing).toBe(false);
    world.upstream.receive(response());
    expect(fieldOf(client.take(), 'connection')).toBe('close');
    expect(client.isClosing).toBe(true);
  });

  test('http1_safe_max_connection_duration: only the next answer says goodbye', () => {
    const world = new HttpWorld({
      hcm: { commonHttpProtocolOptions: { maxConnectionDuration: '10s' }, http1SafeMaxConnectionDuration: true },
    });
    const client = world.connect();
    exchange(world, client);
    world.advance(60_000);
    expect(client.isClosing).toBe(false);
    expect(world.stat('http.p.downstream_cx_http1_soft_drain')).toBe(1);
    expect(fieldOf(exchange(world, client), 'connection')).toBe('close');
    expect(client.isClosing).toBe(true);
    client.leave();
    expect(world.stat('http.p.downstream_cx_http1_soft_drain')).toBe(0);
  });
});

describe('draining', () => {
  test('of the process: answers ask the clients to go', () => {
    const world = new HttpWorld();
    const client = world.connect();
    expect(fieldOf(exchange(world, client), 'connection')).toBeUndefined();
    world.isDraining = true;
    expect(client.isClosing).toBe(false);
    expect(fieldOf(exchange(world, client), 'connection')).toBe('close');
    expect(client.isClosing).toBe(true);
  });

  test('of the manager: idle connections stay for the request that may be on its way', () => {
    const world = new HttpWorld();
    const client = world.connect();
    exchange(world, client);
    world.manager.drain(false);
    expect(client.isClosing).toBe(false);
    expect(fieldOf(exchange(world, client), 'connection')).toBe('close');
    expect(client.isClosing).toBe(true);
    expect(world.stat('http.p.downstream_cx_drain_close')).toBe(1);
  });

  test('end: connections that are idle go within drain_timeout, unused ones at once', () => {
    const world = new HttpWorld();
    const used = world.connect();
    exchange(world, used);
    const unused = world.connect();
    const busy = world.send(request());
    world.manager.end();
    expect(unused.isOpen).toBe(false);
    expect(used.isClosing).toBe(false);
    world.advance(5000);
    expect(used.isClosing).toBe(true);
    expect(busy.isClosing).toBe(false);
    world.upstream.receive(response());
    expect(fieldOf(busy.take(), 'connection')).toBe('close');
    expect(busy.isClosing).toBe(true);
  });

  test('a response that has begun before the drain: its connection goes, too', () => {
    const world = new HttpWorld();
    const client = world.send(request());
    world.upstream.receive('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nha');
    world.manager.end();
    world.upstream.receive('lf');
    expect(bodyOf(client.take())).toBe('half');
    world.advance(5000);
    expect(client.isClosing).toBe(true);
  });

  test('closeAll cuts', () => {
    const world = new HttpWorld();
    const client = world.send(request());
    world.manager.closeAll();
    expect(client.isOpen).toBe(false);
    expect(world.stat('http.p.downstream_cx_active')).toBe(0);
    expect(world.stat('http.p.downstream_rq_active')).toBe(0);
  });
});

describe('an answer that the client does not take', () => {
  // Envoy: a stream that begins on a connection above its mark is told so at once.
  test('holds the next one back, too', () => {
    const world = new HttpWorld();
    const client = world.send(request('GET /1'));
    const upstream = world.accept();
    client.accepts = false;
    upstream.receive(response());
    client.receive(request('GET /2'));
    expect(upstream.take()).toContain('GET /2');
    upstream.receive('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nha');
    expect(upstream.pauses).toBe(1);
    client.drained();
    expect(upstream.pauses).toBe(0);
  });
});

test('isIdle tells whether a request is open', () => {
  const world = new HttpWorld();
  const client = new ClientConnection(9, { kind: 'ip', host: '127.0.0.1', port: 40000 });
  const active = world.manager.handle(client, 'chain');
  expect(active.isIdle).toBe(true);
  client.receive(request());
  expect(active.isIdle).toBe(false);
  world.upstream.receive(response());
  expect(active.isIdle).toBe(true);
});
