import { gunzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { compressorBuilder } from '../../../../src/filter/compressor/build.ts';
import { compressorDecoder, compressorPerRouteDecoder } from '../../../../src/filter/compressor/decode.ts';
import { parseAcceptEncoding } from '../../../../src/filter/compressor/accept-encoding.ts';
import { Verdict, type HttpFilter } from '../../../../src/filter/filter.ts';
import { GzipSchema } from '../../../../src/proto/envoy/extensions/compression/gzip/compressor/v3/gzip_pb.js';
import {
  CompressorPerRouteSchema,
  CompressorSchema,
} from '../../../../src/proto/envoy/extensions/filters/http/compressor/v3/compressor_pb.js';
import { filterContext, lines, request, response, TestStream } from '../filter-fixture.ts';

const nothing = { open: () => null };
const library = { name: 'z', typedConfig: anyPack(GzipSchema, create(GzipSchema)) } as never;

type Settings = Parameters<typeof create<typeof CompressorSchema>>[1];

function decoded(settings: Settings, reasons = new Reasons()): unknown {
  const message = create(CompressorSchema, { compressorLibrary: library, ...settings });
  return compressorDecoder.decode(toBinary(CompressorSchema, message), reasons, nothing);
}

class CompressedStream extends TestStream {
  readonly sent: Uint8Array[] = [];

  override injectRequestData(filter: HttpFilter, chunk: Uint8Array, end: boolean): void {
    this.injectResponseData(filter, chunk, end);
  }

  override injectResponseData(_filter: HttpFilter, chunk: Uint8Array, end: boolean): void {
    this.sent.push(chunk);
    if (end) this.events.push('end');
  }
}

function world(settings: Settings = {}, headers: [string, string][] = [['accept-encoding', 'gzip']]) {
  const context = filterContext();
  const stream = new CompressedStream(context, request(headers));
  return { context, stream, filter: compressorBuilder.build(decoded(settings), context).create() };
}

const bytes = (text: string) => new TextEncoder().encode(text);

test('a response is compressed piece by piece', () => {
  const { context, stream, filter } = world();
  filter.onRequestHead!(stream, stream.requestHead, true);
  const head = response([['content-length', '60']]);
  expect(filter.onResponseHead!(stream, head, false)).toBe(Verdict.Continue);
  expect(lines(head.headers)).toEqual(['content-encoding: gzip', 'vary: Accept-Encoding']);
  expect(filter.onResponseData!(stream, bytes('hello '), false)).toBe(Verdict.Take);
  // What has been sent so far can be read already.
  expect(gunzipSync(Buffer.concat(stream.sent), { finishFlush: 2 }).toString()).toBe('hello ');
  expect(filter.onResponseData!(stream, bytes('world'), true)).toBe(Verdict.Take);
  filter.onComplete!(stream);
  expect(gunzipSync(Buffer.concat(stream.sent)).toString()).toBe('hello world');
  expect(stream.events).toEqual(['end']);
  const sent = Buffer.concat(stream.sent).length;
  expect(context.stats.used).toEqual({
    'compressor.z.gzip.compressed': 1,
    'compressor.z.gzip.header_compressor_used': 1,
    'compressor.z.gzip.request.not_compressed': 1,
    'compressor.z.gzip.total_compressed_bytes': sent,
    'compressor.z.gzip.total_uncompressed_bytes': 11,
  });
});

test('trailers come behind the last bytes; a stream that breaks off leaves the engine to others', () => {
  const { stream, filter } = world({ requestDirectionConfig: {} });
  stream.requestHead.headers.add('content-length', '100');
  filter.onRequestHead!(stream, stream.requestHead, false);
  expect(lines(stream.requestHead.headers)).toEqual(['accept-encoding: gzip', 'content-encoding: gzip']);
  filter.onRequestData!(stream, bytes('hello'), false);
  expect(filter.onRequestTrailers!(stream, stream.requestHead.headers)).toBe(Verdict.Continue);
  expect(gunzipSync(Buffer.concat(stream.sent)).toString()).toBe('hello');
  filter.onComplete!(stream);
  filter.onComplete!(stream);
});

test('a route switches it off', () => {
  const message = create(CompressorPerRouteSchema, { override: { case: 'disabled', value: true } });
  const data = compressorPerRouteDecoder.decode(toBinary(CompressorPerRouteSchema, message), new Reasons(), nothing);
  const { stream, filter } = world();
  stream.configs = [compressorBuilder.buildPerRoute!(data, filterContext())];
  filter.onRequestHead!(stream, stream.requestHead, true);
  const head = response();
  filter.onResponseHead!(stream, head, false);
  expect(lines(head.headers)).toEqual([]);
  expect(filter.onResponseData!(stream, bytes('x'), true)).toBe(Verdict.Continue);
});

test('filters of one stream choose together', () => {
  const context = filterContext();
  const stream = new CompressedStream(context, request([['accept-encoding', 'gzip']]));
  const filters = [0, 1].map(() => compressorBuilder.build(decoded({}), context).create());
  for (const filter of filters) filter.onRequestHead!(stream, stream.requestHead, true);
  const head = response();
  for (const filter of filters.toReversed()) filter.onResponseHead!(stream, head, false);
  expect(filters.map((filter) => filter.onResponseData!(stream, bytes('x'), true))).toEqual([
    Verdict.Continue,
    Verdict.Take,
  ]);
});

test('tunnels stay as they are', () => {
  const { stream, filter } = world({ requestDirectionConfig: {} }, [
    ['accept-encoding', 'gzip'],
    ['upgrade', 'websocket'],
  ]);
  filter.onRequestHead!(stream, stream.requestHead, false);
  const head = response([['upgrade', 'websocket']]);
  head.status = 101;
  filter.onResponseHead!(stream, head, false);
  expect(filter.onRequestData!(stream, bytes('a'), false)).toBe(Verdict.Continue);
  expect(filter.onResponseData!(stream, bytes('a'), false)).toBe(Verdict.Continue);
  expect(lines(head.headers)).toEqual(['upgrade: websocket']);
});

describe('accept-encoding', () => {
  test.each([
    ['gzip', [['gzip', 1]]],
    [
      ' br ;q=0.5, *;q=0',
      [
        ['br', 0.5],
        ['*', 0],
      ],
    ],
    ['gzip;q=', []],
    ['gzip;level=1', [['gzip', 1]]],
    ['', []],
  ])('%j', (value, expected) => {
    expect(parseAcceptEncoding(value).map(({ name, quality }) => [name, quality])).toEqual(expected);
  });
});

test('what is no library of ours is refused by name', () => {
  const reasons = new Reasons();
  const typedConfig = { typeUrl: 'type.googleapis.com/some.Other', value: new Uint8Array(0) };
  expect(decoded({ compressorLibrary: { name: 'o', typedConfig } as never }, reasons)).toBeNull();
  expect(reasons.list).toEqual([
    {
      path: 'compressor_library.typed_config',
      message: "field 'typed_config' compressor library 'o' of type 'some.Other' is not supported by sekisho",
    },
  ]);
});
