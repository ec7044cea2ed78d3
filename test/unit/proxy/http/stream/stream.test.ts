import { describe, expect, test } from 'vitest';
import type { RequestHead, ResponseHead } from '../../../../../src/core/head.ts';
import type { Headers } from '../../../../../src/core/headers.ts';
import { Verdict, type HttpFilter, type LocalReply, type Stream } from '../../../../../src/filter/filter.ts';
import { Witness } from '../witness.ts';
import { bodyOf, fieldOf, HttpWorld, request, response, statusOf } from '../world.ts';

const log = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%';
const chunked = (...chunks: string[]): string => chunks.map((c) => `${c.length}\r\n${c}\r\n`).join('') + '0\r\n\r\n';
const chunkedPost = 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n';
const chunkedAnswer = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';

/** Stops requests (responses) at their head until it is told to go on. */
class Gate implements HttpFilter {
  private stream: Stream | null = null;
  private readonly side: 'request' | 'response';

  constructor(side: 'request' | 'response' = 'request') {
    this.side = side;
  }

  onRequestHead(stream: Stream): Verdict {
    this.stream = stream;
    return this.side === 'request' ? Verdict.Stop : Verdict.Continue;
  }

  onResponseHead(stream: Stream): Verdict {
    this.stream = stream;
    return this.side === 'response' ? Verdict.Stop : Verdict.Continue;
  }

  open(): void {
    if (this.side === 'request') this.stream!.resumeRequest(this);
    else this.stream!.resumeResponse(this);
  }

  refuse(reply: LocalReply): void {
    this.stream!.reply(reply);
  }
}

/** Waits for the whole body before it lets anything pass. */
class RequestBuffer implements HttpFilter {
  bodies: string[] = [];

  onRequestHead(_stream: Stream, _head: RequestHead, end: boolean): Verdict {
    return end ? Verdict.Continue : Verdict.StopAndBuffer;
  }

  onRequestData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    if (!end) return Verdict.StopAndBuffer;
    this.bodies.push(Buffer.concat([...stream.bufferedRequestBody, chunk]).toString());
    return Verdict.Continue;
  }
}

class ResponseBuffer implements HttpFilter {
  onResponseHead(_stream: Stream, _head: ResponseHead, end: boolean): Verdict {
    return end ? Verdict.Continue : Verdict.StopAndBuffer;
  }

  onResponseData(_stream: Stream, _chunk: Uint8Array, end: boolean): Verdict {
    return end ? Verdict.Continue : Verdict.StopAndBuffer;
  }
}

describe('a request that a filter stops', () => {
  test('waits, with everything that comes after it', () => {
    const gate = new Gate();
    const world = new HttpWorld({ filters: { gate } });
    const client = world.send(chunkedPost + '1\r\na\r\n');
    client.receive('2\r\nbc\r\n');
    expect(world.dials).toBe(0);
    gate.open();
    client.receive('1\r\nd\r\n0\r\n\r\n');
    expect(bodyOf(world.accept().take())).toBe(chunked('a', 'bc', 'd'));
  });

  test('pauses its client above the buffer limit', () => {
    const gate = new Gate();
    const world = new HttpWorld({ filters: { gate } });
    const client = world.connect();
    client.bufferLimit = 4;
    client.receive('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\n1234');
    expect(client.pauses).toBe(0);
    client.receive('567');
    expect(client.pauses).toBe(1);
    gate.open();
    world.accept();
    expect(client.pauses).toBe(0);
    client.receive('8');
    expect(bodyOf(world.upstream.take())).toBe('12345678');
  });

  test('and refuses is answered through the filters', () => {
    const gate = new Gate();
    const story: string[] = [];
    const world = new HttpWorld({ log, filters: { a: new Witness('a', story), gate, b: new Witness('b', story) } });
    const client = world.send(request());
    gate.refuse({ status: 429, body: 'slow down', details: 'too many of them', headers: [['x-why', 'because']] });
    expect(statusOf(client.written)).toBe(429);
    expect(fieldOf(client.written, 'x-why')).toBe('because');
    expect(fieldOf(client.written, 'content-type')).toBe('text/plain');
    expect(bodyOf(client.take())).toBe('slow down');
    expect(world.dials).toBe(0);
    expect(world.logged).toEqual(['429 - too_many_of_them']);
    expect(story.filter((line) => line.includes('response 429'))).toEqual(['b response 429', 'a response 429']);
  });

  test('is gone with its client, whatever the filter says then', () => {
    const gate = new Gate();
    const world = new HttpWorld({ log, filters: { gate } });
    world.send(request()).leave();
    expect(world.logged).toEqual(['0 DC downstream_remote_disconnect']);
    gate.open();
    gate.refuse({ status: 403, body: '', details: 'late' });
    expect(world.dials).toBe(0);
    expect(world.logged).toHaveLength(1);
  });
});

describe('a filter that wants the whole request', () => {
  test('has it before the upstream has any of it', () => {
    const buffer = new RequestBuffer();
    const world = new HttpWorld({ filters: { buffer } });
    const client = world.send(chunkedPost + '2\r\nab\r\n');
    client.receive('1\r\nc\r\n');
    expect(world.dials).toBe(0);
    client.receive('0\r\n\r\n');
    expect(buffer.bodies).toEqual(['abc']);
    expect(bodyOf(world.accept().take()).replaceAll(/\d\r\n|\r\n/g, '')).toBe('abc');
  });

  test('gets 413 where it is more than the buffer limit', () => {
    const world = new HttpWorld({ log, filters: { buffer: new RequestBuffer() } });
    const client = world.connect();
    client.bufferLimit = 4;
    client.receive(chunkedPost + '4\r\n1234\r\n');
    expect(client.written).toBe('');
    client.receive('1\r\n5\r\n');
    expect(statusOf(client.written)).toBe(413);
    expect(fieldOf(client.written, 'connection')).toBe('close');
    expect(bodyOf(client.take())).toBe('Payload Too Large');
    expect(world.logged).toEqual(['413 - request_payload_too_large']);
    expect(world.hcmStats.downstream_rq_too_large).toBe(1);
    expect(world.dials).toBe(0);
  });
});

describe('a filter that wants the whole response', () => {
  test('has it before the client has any of it', () => {
    const world = new HttpWorld({ filters: { buffer: new ResponseBuffer() } });
    const client = world.send(request());
    const upstream = world.accept();
    upstream.receive(`${chunkedAnswer}2\r\nab\r\n`);
    expect(client.written).toBe('');
    upstream.receive('1\r\nc\r\n0\r\n\r\n');
    expect(bodyOf(client.take()).replaceAll(/\d\r\n|\r\n/g, '')).toBe('abc');
  });

  test('gets 500 where it is more than the buffer limit', () => {
    const world = new HttpWorld({ log, filters: { buffer: new ResponseBuffer() } });
    const client = world.connect();
    client.bufferLimit = 4;
    client.receive(request());
    const upstream = world.accept();
    upstream.receive(`${chunkedAnswer}5\r\n12345\r\n`);
    expect(statusOf(client.written)).toBe(500);
    expect(bodyOf(client.take())).toBe('Internal Server Error');
    expect(world.logged).toEqual(['500 - response_payload_too_large']);
    expect(world.hcmStats.rs_too_large).toBe(1);
    expect(upstream.isOpen).toBe(false);
  });
});

describe('a response that a filter stops', () => {
  test('waits, and goes on whole', () => {
    const gate = new Gate('response');
    const world = new HttpWorld({ filters: { gate } });
    const client = world.send(request());
    world.accept().receive(response(200, 'all of it'));
    expect(client.written).toBe('');
    gate.open();
    expect(bodyOf(client.take())).toBe('all of it');
  });

  test('pauses its upstream above the buffer limit', () => {
    const gate = new Gate('response');
    const world = new HttpWorld({ filters: { gate } });
    const client = world.connect();
    client.bufferLimit = 4;
    client.receive(request());
    const upstream = world.accept();
    upstream.receive('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n12345');
    expect(upstream.pauses).toBe(1);
    gate.open();
    expect(upstream.pauses).toBe(0);
    upstream.receive('6789');
    expect(bodyOf(client.take())).toBe('123456789');
  });

  // Envoy (`FilterManager::sendLocalReply`): while no response head has left, the client gets the answer itself.
  test('and refuses is answered all the same', () => {
    const gate = new Gate('response');
    const world = new HttpWorld({ log, filters: { gate } });
    const client = world.send(request());
    world.accept().receive(response());
    gate.refuse({ status: 403, body: 'no', details: 'second thoughts' });
    expect(statusOf(client.written)).toBe(403);
    expect(bodyOf(client.take())).toBe('no');
    expect(world.logged).toEqual(['403 - second_thoughts']);
  });

  test('until a timeout is answered by that', () => {
    const world = new HttpWorld({
      log,
      filters: { gate: new Gate('response') },
      routes: '- { match: { prefix: / }, route: { cluster: c, timeout: 0s, idle_timeout: 1s } }',
    });
    const client = world.send(request());
    world.accept().receive(response());
    world.advance(1000);
    expect(statusOf(client.take())).toBe(504);
    expect(world.logged).toEqual(['504 SI stream_idle_timeout']);
  });
});

describe('a filter that takes the response’s data', () => {
  /** Sends everything twice as soon as it comes, or later. */
  class Echo implements HttpFilter {
    private taken: [Uint8Array, boolean][] = [];
    private stream: Stream | null = null;
    private readonly isLater: boolean;

    constructor(isLater: boolean) {
      this.isLater = isLater;
    }

    onResponseHead(stream: Stream, head: ResponseHead): Verdict {
      this.stream = stream;
      head.headers.remove('content-length');
      return Verdict.Continue;
    }

    onResponseData(_stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
      this.taken.push([chunk, end]);
      if (!this.isLater) this.give();
      return Verdict.Take;
    }

    give(): void {
      for (const [chunk, end] of this.taken.splice(0)) {
        this.stream!.injectResponseData(this, chunk.slice(), false);
        this.stream!.injectResponseData(this, chunk, end);
      }
    }
  }

  test('gives on what it likes, through the filters in front of it', () => {
    const story: string[] = [];
    const echo = new Echo(false);
    const world = new HttpWorld({ filters: { a: new Witness('a', story), echo, b: new Witness('b', story) } });
    const client = world.send(request());
    world.accept().receive(response(200, 'ab'));
    expect(bodyOf(client.take())).toBe(chunked('ab', 'ab'));
    expect(story.filter((line) => line.endsWith('response data'))).toEqual([
      'b response data',
      'a response data',
      'a response data',
    ]);
  });

  test('may give it on later, also when the upstream is done', () => {
    const echo = new Echo(true);
    const world = new HttpWorld({ filters: { echo } });
    const client = world.send(request());
    world.accept().receive(response(200, 'ab'));
    expect(bodyOf(client.take())).toBe('');
    echo.give();
    expect(bodyOf(`\r\n\r\n${client.take()}`)).toBe(chunked('ab', 'ab'));
  });
});

describe('a filter that answers', () => {
  const reply: LocalReply = { status: 403, body: 'no', details: 'not you' };
  const answering: readonly [string, HttpFilter, string][] = [
    ['the head', { onRequestHead: (stream) => (stream.reply(reply), Verdict.Stop) }, request('POST /', [], 'x')],
    [
      'the head, though it lets it pass',
      { onRequestHead: (stream) => (stream.reply(reply), Verdict.Continue) },
      request('POST /', [], 'x'),
    ],
    ['the data', { onRequestData: (stream) => (stream.reply(reply), Verdict.Stop) }, request('POST /', [], 'x')],
  ];

  test.each(answering)('%s', (_, filter, text) => {
    const story: string[] = [];
    const world = new HttpWorld({ log, filters: { filter, after: new Witness('after', story) } });
    const client = world.send(text);
    expect(statusOf(client.written)).toBe(403);
    expect(bodyOf(client.take())).toBe('no');
    expect(world.logged).toEqual(['403 - not_you']);
    expect(story.filter((line) => line === 'after complete')).toHaveLength(1);
    expect(story.filter((line) => line === 'after request data')).toHaveLength(0);
    expect(world.stat('cluster.c.upstream_rq_active')).toBe(0);
  });

  test('the trailers', () => {
    const filter: HttpFilter = {
      onRequestTrailers: (stream: Stream, _trailers: Headers) => (stream.reply(reply), Verdict.Stop),
    };
    const world = new HttpWorld({
      log,
      filters: { filter },
      hcm: { httpProtocolOptions: { enableTrailers: true } },
    });
    const client = world.send(`${chunkedPost}1\r\na\r\n0\r\nx-end: 1\r\n\r\n`);
    expect(statusOf(client.take())).toBe(403);
    expect(world.logged).toEqual(['403 - not_you']);
  });

  test('a response that has begun: it breaks off', () => {
    const filter: HttpFilter = { onResponseData: (stream) => (stream.reply(reply), Verdict.Stop) };
    const world = new HttpWorld({ log, filters: { filter } });
    const client = world.send(request());
    const upstream = world.accept();
    upstream.receive('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n');
    client.take();
    upstream.receive('half');
    expect(client.take()).toBe('');
    expect(client.isClosing).toBe(true);
    expect(world.logged).toEqual(['200 - not_you']);
  });

  test.each([
    ['400 ends the connection', false, 400, 'close'],
    ['403 does not', false, 403, undefined],
    ['400 does not, with stream_error_on_invalid_http_message', true, 400, undefined],
  ])('%s', (_, isKept, status, expected) => {
    const filter: HttpFilter = { onRequestHead: (stream) => (stream.reply({ ...reply, status }), Verdict.Stop) };
    const world = new HttpWorld({ filters: { filter }, hcm: { streamErrorOnInvalidHttpMessage: isKept } });
    const client = world.send(request());
    expect(statusOf(client.written)).toBe(status);
    expect(fieldOf(client.take(), 'connection')).toBe(expected);
    expect(client.isClosing).toBe(expected === 'close');
  });

  test('a gRPC request in gRPC’s way', () => {
    const filter: HttpFilter = { onRequestHead: (stream) => (stream.reply(reply), Verdict.Stop) };
    const world = new HttpWorld({ filters: { filter } });
    const client = world.send(request('POST /', ['content-type: application/grpc'], 'x'));
    expect(statusOf(client.written)).toBe(200);
    expect(fieldOf(client.written, 'grpc-status')).toBe('7');
    expect(fieldOf(client.take(), 'grpc-message')).toBe('no');
  });
});

describe('every stream', () => {
  const outcomes: readonly [string, (world: HttpWorld) => void][] = [
    ['is answered', (world) => (world.send(request()), world.accept().receive(response()))],
    ['is refused', (world) => void world.send(request('GET /nowhere'))],
    ['breaks off', (world) => (world.send(request()), world.accept().peerEnded())],
    ['times out', (world) => (world.send(request()), world.accept(), world.advance(15_000))],
    ['is left', (world) => world.send(request()).leave()],
    ['is malformed', (world) => void world.send('GET / HTTP/1.1\r\nbad header\r\n\r\n')],
    ['is malformed in its body', (world) => void world.send(`${chunkedPost}zz\r\n`)],
  ];

  test.each(outcomes)('that %s ends once', (_, happen) => {
    const story: string[] = [];
    const world = new HttpWorld({
      log,
      filters: { a: new Witness('a', story) },
      routes: '- { match: { path: / }, route: { cluster: c } }',
    });
    happen(world);
    world.advance(3_600_000 * 2);
    expect(story.filter((line) => line === 'a complete')).toHaveLength(1);
    expect(world.logged).toHaveLength(1);
    expect(world.stat('http.p.downstream_rq_active')).toBe(0);
    expect(world.stat('cluster.c.upstream_rq_active')).toBe(0);
    expect(world.stat('http.p.downstream_rq_total')).toBe(1);
  });
});

test('an upgrade that nothing configures is refused', () => {
  const world = new HttpWorld({ log });
  const client = world.send(request('GET /', ['connection: upgrade', 'upgrade: websocket']));
  expect(statusOf(client.written)).toBe(403);
  expect(fieldOf(client.take(), 'connection')).toBe('close');
  expect(world.logged).toEqual(['403 - upgrade_failed']);
  expect(world.hcmStats.downstream_rq_ws_on_non_ws_route).toBe(1);
});
