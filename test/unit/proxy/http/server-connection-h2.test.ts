import { describe, expect, test } from 'vitest';
import { HpackDecoder } from '../../../../src/codec/hpack/decoder.ts';
import { bytesOfLine, framesOf, lineOf, preface } from '../../../wire/h2-frames.ts';
import { runtimeOf } from '../../cluster/cluster-fixture.ts';
import { type ClientConnection, HttpWorld, response, type Setting } from './world.ts';

const get = ':method=GET :scheme=http :authority=a :path=/';
const log = '%PROTOCOL% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%';

function textOf(lines: readonly string[]): string {
  return Buffer.concat(lines.map(bytesOfLine)).toString('latin1');
}

/** A client of HTTP/2 and what it is told. */
class Client {
  readonly connection: ClientConnection;
  private readonly hpack = new HpackDecoder({ tableBytesMax: 4096 });

  constructor(world: HttpWorld) {
    this.connection = world.connect();
    this.connection.receive(preface + textOf(['SETTINGS', 'SETTINGS ack']));
    this.heard();
  }

  send(...lines: string[]): this {
    this.connection.receive(textOf(lines));
    return this;
  }

  /** Frames since the last call; of heads `:status` only. */
  heard(): string[] {
    return framesOf(Buffer.from(this.connection.take(), 'latin1')).map((frame) =>
      lineOf(frame, (block) => this.status(block)),
    );
  }

  private status(block: Uint8Array): string {
    let status = '';
    const onField = (name: string, value: string): void => {
      if (name === ':status') status = value;
    };
    this.hpack.decode(block, 0, block.length, 1e6, 1000, { onField });
    return status;
  }
}

function open(setting: Setting = {}): { world: HttpWorld; client: Client } {
  const world = new HttpWorld({ log, ...setting });
  return { world, client: new Client(world) };
}

describe('which protocol', () => {
  test('a preface in pieces is HTTP/2', () => {
    const world = new HttpWorld();
    const connection = world.connect();
    for (const byte of preface) connection.receive(byte);
    expect(framesOf(Buffer.from(connection.take(), 'latin1')).length).toBeGreaterThan(0);
    expect(world.hcmStats).toMatchObject({ downstream_cx_http2_total: 1, downstream_cx_http2_active: 1 });
    connection.leave();
    expect(world.hcmStats).toMatchObject({ downstream_cx_http2_total: 1, downstream_cx_total: 1 });
    expect(world.stat('http.p.downstream_cx_http2_active')).toBe(0);
  });

  test('codec_type decides before the bytes do', () => {
    const world = new HttpWorld({ hcm: { codecType: 'HTTP2' } });
    const connection = world.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(connection.isClosing).toBe(true);
    expect(world.hcmStats).toMatchObject({ downstream_cx_http2_total: 1, downstream_cx_protocol_error: 1 });
  });

  test('a client that says too little is closed when it has been idle', () => {
    const world = new HttpWorld({ hcm: { commonHttpProtocolOptions: { idleTimeout: '1s' } } });
    const connection = world.send('PRI');
    world.advance(1001);
    expect(connection.isOpen).toBe(false);
  });
});

describe('streams', () => {
  test('are forwarded side by side, and logged by themselves', () => {
    const { world, client } = open();
    client.send(`HEADERS 1 end ${get}1`, `HEADERS 3 end ${get}3`);
    expect(world.hcmStats).toMatchObject({ downstream_rq_http2_total: 2, downstream_rq_active: 2 });
    const [first, second] = [world.accept(0), world.accept(1)];
    second.receive(response(200, 'to 3'));
    expect(client.heard()).toEqual(['HEADERS 3 200', 'DATA 3 end to 3']);
    first.receive(response(404, 'to 1'));
    expect(client.heard()).toEqual(['HEADERS 1 404', 'DATA 1 end to 1']);
    expect(world.logged).toEqual(['HTTP/2 /3 200 - via_upstream', 'HTTP/2 /1 404 - via_upstream']);
  });

  test('have their own timeouts, under one timer', () => {
    const { world, client } = open({ hcm: { streamIdleTimeout: '1s' } });
    client.send(`HEADERS 1 end ${get}`);
    world.advance(600);
    client.send(`HEADERS 3 end ${get}`);
    world.advance(600);
    expect(client.heard()).toEqual(['HEADERS 1 504', 'DATA 1 end stream timeout']);
    world.advance(600);
    expect(client.heard()).toEqual(['HEADERS 3 504', 'DATA 3 end stream timeout']);
    expect(world.stat('http.p.downstream_rq_idle_timeout')).toBe(2);
  });

  test('one that is not answerable any more is reset', () => {
    const { world, client } = open({ hcm: { streamIdleTimeout: '1s' } });
    client.send(`HEADERS 1 end ${get}`);
    world.upstream.receive('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
    client.heard();
    world.advance(1001);
    expect(client.heard()).toEqual(['RST_STREAM 1 2']);
    expect(world.logged).toEqual(['HTTP/2 / 200 SI stream_idle_timeout']);
  });

  test('a 400 does not end the others', () => {
    const { world, client } = open();
    client.send(`HEADERS 1 end ${get}#x`, `HEADERS 3 end ${get}`);
    expect(client.heard()).toEqual(['HEADERS 1 end 400']);
    world.upstream.receive(response());
    expect(client.heard()).toEqual(['HEADERS 3 200', 'DATA 3 end ok']);
    expect(client.connection.isClosing).toBe(false);
  });

  test('a slow one is not read from its upstream, others are', () => {
    const { world, client } = open();
    client.send('SETTINGS window=10', `HEADERS 1 end ${get}`);
    const first = world.accept();
    first.receive(`HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n${'x'.repeat(2 << 20)}`);
    expect(first.pauses).toBe(1);
    client.send(`HEADERS 3 end ${get}`);
    const second = world.accept();
    second.receive(response(200, 'small'));
    expect(second.pauses).toBe(0);
    expect(client.heard()).toEqual([
      'SETTINGS ack',
      'HEADERS 1 200',
      `DATA 1 xxxxxxxxxx`,
      'HEADERS 3 200',
      'DATA 3 end small',
    ]);
    client.send('WINDOW_UPDATE 1 16000000', 'WINDOW_UPDATE 0 16000000');
    expect(first.pauses).toBe(0);
  });
});

describe('the end of a connection', () => {
  test('max_requests_per_connection: GOAWAY, and the last answers come', () => {
    const { world, client } = open({ hcm: { commonHttpProtocolOptions: { maxRequestsPerConnection: 1 } } });
    client.send(`HEADERS 1 end ${get}`);
    expect(client.heard()).toEqual(['GOAWAY 2147483647 0', 'PING draining']);
    client.send('PING ack draining');
    expect(client.heard()).toEqual(['GOAWAY 1 0']);
    world.upstream.receive(response());
    expect(client.heard()).toEqual(['HEADERS 1 200', 'DATA 1 end ok']);
    expect(client.connection.lingerMs).toBe(1000);
    expect(world.stat('http.p.downstream_cx_max_requests_reached')).toBe(1);
  });

  test('while draining, the first answer says so', () => {
    const { world, client } = open();
    client.send(`HEADERS 1 end ${get}`, `HEADERS 3 end ${get}`);
    const upstreams = [world.accept(0), world.accept(1)];
    world.isDraining = true;
    upstreams[0].receive(response());
    expect(client.heard()).toEqual(['GOAWAY 2147483647 0', 'PING draining', 'HEADERS 1 200', 'DATA 1 end ok']);
    upstreams[1].receive(response());
    expect(client.heard()).toEqual(['HEADERS 3 200', 'DATA 3 end ok']);
    expect(world.stat('http.p.downstream_cx_drain_close')).toBe(1);
    world.advance(5001);
    expect(client.heard()).toEqual(['GOAWAY 3 0']);
    expect(client.connection.isClosing).toBe(true);
  });

  test('idle: it is told, and closed when it has answered', () => {
    const { world, client } = open({ hcm: { commonHttpProtocolOptions: { idleTimeout: '1s' } } });
    world.advance(1001);
    expect(client.heard()).toEqual(['GOAWAY 2147483647 0', 'PING draining']);
    client.send('PING ack draining');
    expect(client.heard()).toEqual(['GOAWAY 0 0']);
    expect(client.connection.isClosing).toBe(true);
    expect(world.stat('http.p.downstream_cx_idle_timeout')).toBe(1);
  });

  test('a connection with streams is not idle', () => {
    const { world, client } = open({ hcm: { commonHttpProtocolOptions: { idleTimeout: '1s' } } });
    client.send(`HEADERS 1 end ${get}`);
    world.advance(3000);
    expect(client.heard()).toEqual([]);
  });

  test('the client leaves: every stream hears of it', () => {
    const { world, client } = open();
    client.send(`HEADERS 1 end ${get}1`, `HEADERS 3 ${get}3`);
    client.connection.peerEnded();
    expect(world.logged).toEqual([
      'HTTP/2 /1 0 DC downstream_remote_disconnect',
      'HTTP/2 /3 0 DC downstream_remote_disconnect',
    ]);
    expect(world.hcmStats).toMatchObject({
      downstream_cx_destroy_remote_active_rq: 1,
      downstream_rq_rx_reset: 2,
    });
    expect(world.stat('http.p.downstream_rq_active')).toBe(0);
  });

  test('a broken rule is a protocol error, a flood is not', () => {
    const broken = open();
    broken.client.send(`HEADERS 1 end ${get} X-Upper=1`);
    expect(broken.world.stat('http.p.downstream_cx_protocol_error')).toBe(1);
    expect(broken.world.stat('http2.rx_messaging_error')).toBe(1);
    expect(broken.world.logged).toEqual(['HTTP/2 - 0 DPE http2.invalid.header.field']);
    const flooding = open({ hcm: { http2ProtocolOptions: { maxInboundPriorityFramesPerStream: 1 } } });
    flooding.client.send(...Array<string>(5).fill('PRIORITY 1 0'));
    expect(flooding.world.stat('http.p.downstream_cx_protocol_error')).toBe(0);
    expect(flooding.world.stat('http2.inbound_priority_frames_flood')).toBe(1);
    expect(flooding.client.connection.isClosing).toBe(true);
  });

  test('what clients give up at once is too much by the runtime’s number', () => {
    const { world, client } = open();
    world.around.runtime.update(runtimeOf({ 'overload.premature_reset_total_stream_count': '3' }));
    const other = new Client(world);
    for (let id = 1; id < 20; id += 2) other.send(`HEADERS ${id} end ${get}`, `RST_STREAM ${id} 8`);
    expect(world.stat('http.p.downstream_rq_too_many_premature_resets')).toBe(1);
    expect(other.connection.isOpen).toBe(false);
    expect(client.connection.isOpen).toBe(true);
  });
});

test.each([
  ['flush_timeout: 1s', 1000, true],
  ['flush_timeout: 1s, idle_timeout: 9s', 1000, true],
  ['idle_timeout: 1s', 1000, false],
  ['flush_timeout: 0s', 400_000, false],
])('what a client does not take of a complete answer: %s', (timeouts, ms, isGivenUp) => {
  const routes = `- { match: { prefix: / }, route: { cluster: c, timeout: 0s, ${timeouts} } }`;
  const { world, client } = open({ routes });
  client.send('SETTINGS window=2', `HEADERS 1 end ${get}`);
  world.accept().receive(response(200, 'more than it takes'));
  world.advance(0);
  client.heard();
  world.advance(ms);
  expect(client.heard().some((frame) => frame.startsWith('RST_STREAM 1'))).toBe(isGivenUp);
});
