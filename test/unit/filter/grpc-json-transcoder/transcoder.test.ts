import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { grpcJsonTranscoderBuilder } from '../../../../src/filter/grpc-json-transcoder/build.ts';
import { wireText } from '../../../../src/route/wire-text.ts';
import { filterContext } from '../filter-fixture.ts';
import { frame, type Exchange } from './exchange.ts';
import { decode, exchange, filterName, grpcHead, library, transcoder, variants } from './library.ts';

const ok = Headers.of(['grpc-status', '0']);
const a = frame('0a0161');
const b = frame('0a0162');

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
}

/** What became of a request. */
function outcome(subject: Exchange): string {
  const { answer, requestHead } = subject;
  if (answer !== null) return `${answer.status} ${answer.body}`;
  return requestHead.headers.has('x-envoy-original-path')
    ? `${requestHead.path} ${subject.request.body.toString('hex')}`
    : 'passes';
}

describe('as observed on Envoy 1.39.3', () => {
  const filters = Object.fromEntries(Object.entries(variants).map(([name, options]) => [name, transcoder(options)]));

  type Call = [variant: string, method: string, path: string, body: string, outcome: string];
  test.each(read('observed-calls.json') as Call[])('%s: %s %s %s', (variant, method, path, body, expected) => {
    const subject = exchange(filters[variant], method, path);
    if (body === '') subject.send();
    else subject.send(body);
    expect(outcome(subject)).toBe(wireText(expected));
  });

  interface Answer {
    readonly type?: string;
    readonly status?: number;
    readonly headers?: Record<string, string>;
    readonly chunks?: readonly string[];
    readonly trailers?: Record<string, string>;
    readonly trailersOnly?: true;
    readonly noTrailers?: true;
  }
  interface Seen {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body: string;
    readonly aborted?: true;
  }
  type Row = [variant: string, name: string, path: string, answer: Answer, seen: Seen];
  test.each(read('observed-answers.json') as Row[])('%s: %s', (variant, _name, path, answer, seen) => {
    const subject = exchange(filters[variant], 'GET', path).send();
    subject.bufferLimit = 1 << 20;
    const bare = answer.trailersOnly === true;
    const type = ['content-type', answer.type ?? 'application/grpc'] as const;
    const head = new ResponseHead(answer.status ?? 200, Headers.of(type, ...Object.entries(answer.headers ?? {})));
    const trailers = Headers.of(...Object.entries(answer.trailers ?? { 'grpc-status': '0' }));
    const chunks = bare ? [] : (answer.chunks ?? []).map((hex) => Buffer.from(hex, 'hex'));
    const isCut = answer.noTrailers === true;
    if (isCut && chunks.length === 0) chunks.push(Buffer.alloc(0));
    subject.receive(head, chunks, bare || isCut ? null : trailers);
    const { response } = subject;
    if (response.head === null) {
      expect({ status: subject.answer!.status, body: subject.answer!.body }).toEqual({
        status: seen.status,
        body: seen.body,
      });
      return;
    }
    expect(response.body.toString('latin1')).toBe(seen.body);
    expect(response.head.status).toBe(seen.status);
    expect(subject.answer !== null).toBe(seen.aborted === true);
    const { names, values } = response.head.headers;
    const headers = Object.fromEntries(names.map((name, i) => [name, values[i]]));
    // Of a body that is not there the codec says the length.
    if (seen.headers['content-length'] === '0') headers['content-length'] ??= '0';
    expect(headers).toEqual(seen.headers);
  });
});

describe('the request', () => {
  test('head', () => {
    const subject = exchange(transcoder(), 'POST', '/every?text=x', [
      ['content-length', '2'],
      ['content-type', 'application/json'],
      ['x-other', 'y'],
      ['te', 'gzip'],
      ['x-envoy-original-path', '/spoofed'],
    ]);
    subject.send('{}');
    expect(subject.requestHead.method).toBe('POST');
    expect(subject.requestHead.path).toBe('/test.library.Library/EchoEvery');
    expect(subject.requestLines).toEqual([
      'content-type: application/grpc',
      'x-other: y',
      'te: trailers',
      'x-envoy-original-path: /every?text=x',
      'x-envoy-original-method: POST',
    ]);
    expect(subject.events).toEqual(['clear route']);
  });

  test('keeps its route where it is told to', () => {
    const subject = exchange(transcoder({ matchIncomingRequestRoute: true }), 'GET', '/every').send();
    expect(subject.events).toEqual([]);
  });

  test.each(['application/grpc', 'application/grpc+proto'])('of %s passes as it is', (type) => {
    const subject = exchange(transcoder(), 'POST', '/every', [['content-type', type]]).send('{}');
    expect(outcome(subject)).toBe('passes');
    expect(subject.request.body.toString()).toBe('{}');
  });

  test('that is not ours passes untouched, in both directions', () => {
    const filter = transcoder();
    const subject = exchange(filter, 'POST', '/nothing').send('a', 'b');
    subject.receive(grpcHead(), [a], ok);
    expect(subject.request.body.toString()).toBe('ab');
    expect(subject.response.body).toEqual(a);
    filter.onComplete!(subject);
  });

  test('may end with trailers', () => {
    const subject = exchange(transcoder(), 'POST', '/every');
    subject.request.passHead(subject.requestHead, false);
    subject.request.passData(Buffer.from('{"text":'), false);
    subject.request.passData(Buffer.from('"a"}'), false);
    subject.request.passTrailers(new Headers());
    expect(subject.request.body).toEqual(a);
    expect(subject.request.trailers).not.toBeNull();
  });

  test('that breaks off in its trailers is refused', () => {
    const subject = exchange(transcoder(), 'POST', '/every');
    subject.request.passHead(subject.requestHead, false);
    subject.request.passData(Buffer.from('{"text":'), false);
    subject.request.passTrailers(new Headers());
    expect(subject.answer!.status).toBe(400);
    expect(subject.request.hasEnded).toBe(false);
  });

  test('streams its messages as they are complete', () => {
    const subject = exchange(transcoder(), 'POST', '/talk');
    subject.request.passHead(subject.requestHead, false);
    for (const [text, size] of [
      ['[{"text":"a"', 0],
      ['}', 1],
      [',{"text":"b"},{"te', 2],
      ['xt":"c"}', 3],
      ['  ', 3],
    ] as const) {
      subject.request.passData(Buffer.from(text), false);
      expect(subject.request.chunks.length).toBe(size);
    }
    subject.request.passData(Buffer.from(']'), true);
    expect(subject.request.hasEnded).toBe(true);
    expect(subject.request.body).toEqual(Buffer.concat([a, b, frame('0a0163')]));
  });

  test('text that is no UTF-8 becomes no field', () => {
    const path = exchange(transcoder(), 'GET', '/v1/any/%FF').send();
    expect(path.answer).toMatchObject({ status: 400, details: expect.stringContaining('early_') as string });
    expect(path.answer!.body).toBe('name: invalid value text that is not UTF-8 for type TYPE_STRING');
    const body = exchange(transcoder(), 'POST', '/every').send(Buffer.from('{"text":"\xff"}', 'latin1'));
    expect(body.answer!.body).toBe('Encountered non UTF-8 code points.\n\xc3\xbf"}\n^');
  });

  test('UTF-8 of the path and the query', () => {
    const subject = exchange(transcoder(), 'GET', '/v1/any/%C3%A9?tags=%F0%9F%98%80').send();
    expect(outcome(subject)).toBe('/test.library.Library/GetBook 000000000a0a02c3a92a04f09f9880');
  });

  test.each([
    ['/every', 'early_grpc_json_transcode_failure{INVALID_ARGUMENT}', 'GET', '?i32=x'],
    ['/every', 'grpc_json_transcode_failure{INVALID_ARGUMENT}', 'POST', ''],
    ['/nothing', 'early_grpc_json_transcode_failure{NOT_FOUND}', 'GET', ''],
    ['/every', 'early_grpc_json_transcode_failure{INVALID_ARGUMENT}', 'GET', '?nope=1'],
  ])('a mistake at %s is on record as %s', (path, details, method, query) => {
    const subject = exchange(transcoder(variants.strict), method, path + query);
    if (method === 'POST') subject.send('{"i32":"x"}');
    else subject.send();
    expect(subject.answer!.details).toBe(details);
  });
});

describe('limits', () => {
  const rejected = {
    status: 413,
    body: "Request rejected because the transcoder's internal buffer size exceeds the configured limit.",
    details: 'grpc_json_transcode_failure{request_buffer_size_limit_reached}',
  };

  test('of the request hold for a whole message, however it comes', () => {
    const filter = transcoder({ maxRequestBodySize: 100 });
    const long = `{"text":"${'x'.repeat(200)}"}`;
    expect(exchange(filter, 'POST', '/every').send(long).answer).toEqual(rejected);
    expect(exchange(filter, 'POST', '/every').send(long.slice(0, 60), long.slice(60)).answer).toEqual(rejected);
  });

  test('of a stream, for each of its messages', () => {
    const filter = transcoder({ maxRequestBodySize: 100 });
    const element = `{"text":"${'x'.repeat(60)}"}`;
    const chunks = ['[', ...Array.from({ length: 9 }, () => `${element},`), `${element}]`];
    expect(exchange(filter, 'POST', '/gather').send(...chunks).answer).toBeNull();
  });

  test('are the connection’s where none are configured', () => {
    const subject = exchange(transcoder(), 'POST', '/every');
    subject.bufferLimit = 100;
    expect(subject.send(`{"text":"${'x'.repeat(200)}"}`).answer).toEqual(rejected);
  });

  test('of an HttpBody', () => {
    const filter = transcoder({ maxRequestBodySize: 100 });
    expect(exchange(filter, 'POST', '/upload').send('x'.repeat(60), 'x'.repeat(60)).answer).toEqual(rejected);
    expect(exchange(filter, 'POST', '/uploads/n').send('x'.repeat(60), 'x'.repeat(60)).answer).toBeNull();
  });

  test.each(['/every', '/scatter', '/download', '/downloads'])('of the response to %s', (path) => {
    const subject = exchange(transcoder({ maxResponseBodySize: 100 }), 'GET', path).send();
    const big = frame(Buffer.concat([Buffer.from('126e', 'hex'), Buffer.alloc(110)]));
    subject.receive(grpcHead(), [big.subarray(0, 60), big.subarray(60)], ok);
    expect(subject.answer).toMatchObject({
      status: 500,
      details: 'grpc_json_transcode_failure{response_buffer_size_limit_reached}',
    });
  });
});

describe('google.api.HttpBody', () => {
  const json = (hex: string): string => Buffer.from(hex, 'hex').toString('hex');

  test.each([
    ['/upload', ['hello'], '00000000130a0a746578742f706c61696e120568656c6c6f'],
    ['/upload', [], '000000000e0a0a746578742f706c61696e1200'],
    ['/upload', ['he', 'llo'], '00000000130a0a746578742f706c61696e120568656c6c6f'],
    ['/upload?data=x&content_type=y', ['hi'], '00000000100a0a746578742f706c61696e12026869'],
    ['/upload/n', ['hello'], '000000001a32000a016e32130a0a746578742f706c61696e120568656c6c6f'],
    ['/uploads/n', ['he', 'llo'], '000000001732000a016e32100a0a746578742f706c61696e120268650000000007320512036c6c6f'],
    ['/uploads/n', [], '000000001532000a016e320e0a0a746578742f706c61696e1200'],
  ])('of a request to %s %j', (path, chunks, expected) => {
    const subject = exchange(transcoder(), 'POST', path, [['content-type', 'text/plain']]).send(...chunks);
    expect(subject.request.body.toString('hex')).toBe(json(expected));
    expect(subject.request.hasEnded).toBe(true);
  });

  test('a stream goes in pieces of a mebibyte', () => {
    const subject = exchange(transcoder(), 'POST', '/uploads/n').send(Buffer.alloc((1 << 20) + 1));
    const sizes: number[] = [];
    for (let rest = subject.request.body; rest.length > 0; rest = rest.subarray(5 + rest.readUInt32BE(1)))
      sizes.push(rest.readUInt32BE(1));
    expect(sizes).toEqual([(1 << 20) + 13, 5]);
  });

  test('what is unknown in the query goes along', () => {
    const subject = exchange(transcoder(variants.capturing), 'POST', '/upload/n?a=1&a=2&b=%C3%A9').send('hi');
    const text = subject.request.body.toString('latin1');
    expect(text).toContain('type.googleapis.com/envoy.extensions.filters.http.grpc_json_transcoder.v3.UnknownQuery');
    expect(text).toContain('\n\x01a\x12\x06\n\x011\n\x012');
    expect(text).toContain('\n\x01b\x12\x04\n\x02\xc3\xa9');
  });

  test('a wrong field beside it is refused before anything is sent', () => {
    const subject = exchange(transcoder(), 'POST', '/upload/n?every.i32=x').send('hi');
    expect(subject.answer).toMatchObject({
      status: 400,
      body: 'every.i32: invalid value "x" for type TYPE_INT32',
      details: 'grpc_json_transcode_failure{INVALID_ARGUMENT}',
    });
    expect(subject.request.head).toBeNull();
  });

  test('a response that is none is a bad gateway', () => {
    const subject = exchange(transcoder(), 'GET', '/download')
      .send()
      .receive(grpcHead(), [frame('1205')], ok);
    expect(subject.answer).toMatchObject({ status: 502, body: 'unexpected EOF' });
  });

  test('of a unary response the first counts; compressed ones are refused', () => {
    const body = frame('0a03612f6212026869');
    const twice = exchange(transcoder(), 'GET', '/download').send().receive(grpcHead(), [body, body], ok);
    expect(twice.response.body.toString()).toBe('hi');
    const packed = exchange(transcoder(), 'GET', '/download')
      .send()
      .receive(grpcHead(), [frame('12026869', 1)], ok);
    expect(packed.answer).toMatchObject({ status: 502, details: 'grpc_json_transcode_failure{INTERNAL}' });
  });

  test('a stream of them begins with the first', () => {
    const subject = exchange(transcoder(), 'GET', '/downloads').send();
    const body = frame('0a03612f6212026869');
    subject.receive(grpcHead(), [], new Headers());
    const live = exchange(transcoder(), 'GET', '/downloads').send();
    const head = grpcHead();
    live.response.passHead(head, false);
    live.response.passData(body.subarray(0, 7), false);
    expect(live.response.head).toBeNull();
    live.response.passData(body.subarray(7), false);
    expect(live.response.head!.headers.get('content-type')).toBe('a/b');
    expect(live.response.body.toString()).toBe('hi');
    live.response.passData(frame('0a03632f6412026a6b'), true);
    expect(live.response.body.toString()).toBe('hijk');
    expect(live.response.hasEnded).toBe(true);
  });
});

describe('the response', () => {
  test('of a stream goes on message by message', () => {
    const subject = exchange(transcoder(), 'GET', '/scatter').send();
    subject.response.passHead(grpcHead(), false);
    expect(subject.response.head).not.toBeNull();
    subject.response.passData(a.subarray(0, 6), false);
    expect(subject.response.body.toString()).toBe('');
    subject.response.passData(Buffer.concat([a.subarray(6), b]), false);
    expect(subject.response.body.toString()).toBe('[{"text":"a"},{"text":"b"}');
    subject.response.passData(new Uint8Array(0), true);
    expect(subject.response.body.toString()).toBe('[{"text":"a"},{"text":"b"}]');
    expect(subject.response.hasEnded).toBe(true);
  });

  test('of both ways at once', () => {
    const subject = exchange(transcoder(variants.lines), 'POST', '/talk');
    subject.request.passHead(subject.requestHead, false);
    subject.request.passData(Buffer.from('[{"text":"a"}'), false);
    expect(subject.request.body).toEqual(a);
    subject.response.passHead(grpcHead(), false);
    subject.response.passData(a, false);
    expect(subject.response.body.toString()).toBe('{"text":"a"}\n');
    subject.request.passData(Buffer.from(',{"text":"b"}]'), true);
    expect(subject.request.body).toEqual(Buffer.concat([a, b]));
    subject.response.passTrailers(ok);
    expect(subject.response.hasEnded).toBe(true);
  });

  test('trailers go on to who can have them', () => {
    const subject = exchange(transcoder(), 'GET', '/every').send().receive(grpcHead(), [a], ok);
    expect(subject.response.trailers).toBe(ok);
    expect(subject.response.head!.headers.get('content-length')).toBe('12');
  });

  test('`trailer` is for HTTP/2 clients', () => {
    const second = exchange(transcoder(), 'GET', '/every');
    second.requestHead.version = 20;
    second.send().receive(grpcHead([['trailer', 'grpc-status']]), [a], ok);
    expect(second.response.head!.headers.has('trailer')).toBe(true);
  });

  test('a map entry without a value has its zero', () => {
    // Envoy 1.39.3 ends with a segmentation fault.
    const subject = exchange(transcoder(), 'GET', '/every').send();
    subject.receive(grpcHead(), [frame('b201030a0161')], ok);
    expect(subject.response.body.toString()).toBe('{"labels":{"a":""}}');
  });

  test('a local reply for a request that became gRPC is left alone', () => {
    const subject = exchange(transcoder(), 'GET', '/every').send();
    const head = new ResponseHead(503, Headers.of(['content-type', 'text/plain'], ['content-length', '2']));
    subject.receive(head, [Buffer.from('no')], null);
    expect(subject.response.body.toString()).toBe('no');
    expect(head.headers.get('content-length')).toBe('2');
  });
});

describe('routes', () => {
  test('may turn it off, or on, or have it otherwise', () => {
    const context = filterContext(filterName);
    const off = grpcJsonTranscoderBuilder.buildPerRoute!(decode({ services: [] }), context);
    const auto = grpcJsonTranscoderBuilder.buildPerRoute!(decode(library({ autoMapping: true })), context);
    const on = transcoder();
    const idle = grpcJsonTranscoderBuilder.build(decode({ services: [] }), context).create();
    const sendWith = (filter: typeof on, config: unknown, path: string): string => {
      const subject = exchange(filter, 'POST', path);
      if (config !== undefined) subject.configs = [config];
      return outcome(subject.send('{}'));
    };
    expect(sendWith(on, off, '/every')).toBe('passes');
    expect(sendWith(on, auto, '/test.library.Library/Unmapped')).toBe('/test.library.Library/Unmapped 0000000000');
    expect(sendWith(on, undefined, '/test.library.Library/Unmapped')).toBe('passes');
    expect(sendWith(idle, undefined, '/every')).toBe('passes');
    expect(sendWith(idle, auto, '/every')).toBe('/test.library.Library/EchoEvery 0000000000');
  });
});

test('gauges say what waits, and nothing when it is over', () => {
  const context = filterContext(filterName);
  const filter = transcoder({}, context);
  const subject = exchange(filter, 'POST', '/every');
  subject.request.passHead(subject.requestHead, false);
  subject.request.passData(Buffer.from('{"text":'), false);
  expect(context.stats.used).toEqual({ transcoder_request_buffer_bytes: 8 });
  subject.request.passData(Buffer.from('"a"}'), true);
  expect(context.stats.used).toEqual({});
  subject.response.passHead(grpcHead(), false);
  subject.response.passData(a.subarray(0, 6), false);
  expect(context.stats.used).toEqual({ transcoder_response_buffer_bytes: 6 });
  filter.onComplete!(subject);
  expect(context.stats.used).toEqual({});
});
