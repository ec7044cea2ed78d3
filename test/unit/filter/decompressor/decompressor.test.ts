import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { Headers } from '../../../../src/core/headers.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { decompressorBuilder } from '../../../../src/filter/decompressor/build.ts';
import { decompressorDecoder } from '../../../../src/filter/decompressor/decode.ts';
import { withEncoding } from '../../../../src/filter/decompressor/content-encoding.ts';
import { Verdict, type HttpFilter } from '../../../../src/filter/filter.ts';
import { BrotliSchema } from '../../../../src/proto/envoy/extensions/compression/brotli/decompressor/v3/brotli_pb.js';
import { GzipSchema } from '../../../../src/proto/envoy/extensions/compression/gzip/decompressor/v3/gzip_pb.js';
import { ZstdSchema } from '../../../../src/proto/envoy/extensions/compression/zstd/decompressor/v3/zstd_pb.js';
import { DecompressorSchema } from '../../../../src/proto/envoy/extensions/filters/http/decompressor/v3/decompressor_pb.js';
import { filterContext, lines, request, response, TestStream } from '../filter-fixture.ts';

const libraries = {
  gzip: anyPack(GzipSchema, create(GzipSchema)),
  brotli: anyPack(BrotliSchema, create(BrotliSchema)),
  zstd: anyPack(ZstdSchema, create(ZstdSchema)),
};

class DecompressedStream extends TestStream {
  text = '';

  override injectRequestData(_filter: HttpFilter, chunk: Uint8Array): void {
    this.text += Buffer.from(chunk).toString('latin1');
  }

  override injectResponseData(filter: HttpFilter, chunk: Uint8Array): void {
    this.injectRequestData(filter, chunk);
  }

  injectRequestTrailers(_filter: HttpFilter, trailers: Headers): void {
    this.events.push(...lines(trailers));
  }

  injectResponseTrailers(filter: HttpFilter, trailers: Headers): void {
    this.injectRequestTrailers(filter, trailers);
  }
}

function world(format: keyof typeof libraries, headers: [string, string][] = []) {
  const message = create(DecompressorSchema, { decompressorLibrary: { name: 'Z', typedConfig: libraries[format] } });
  const reasons = new Reasons();
  const data = decompressorDecoder.decode(toBinary(DecompressorSchema, message), reasons, { open: () => null });
  expect(reasons.list).toEqual([]);
  const context = filterContext();
  const stream = new DecompressedStream(context, request(headers));
  return { context, stream, filter: decompressorBuilder.build(data, context).create() };
}

const text = 'again and again and again and again';

test.each([
  ['gzip', 'gzip', gzipSync(text)],
  ['brotli', 'br', brotliCompressSync(text)],
  ['zstd', 'zstd', zstdCompressSync(text)],
] as const)('%s, whose bytes are told in trailers', (format, encoding, packed) => {
  const { context, stream, filter } = world(format);
  filter.onRequestHead!(stream, stream.requestHead, true);
  expect(lines(stream.requestHead.headers)).toEqual([`accept-encoding: ${encoding}`]);
  const head = response([
    ['content-encoding', `x, ${encoding}`],
    ['content-length', '9'],
  ]);
  filter.onResponseHead!(stream, head, false);
  expect(lines(head.headers)).toEqual(['content-encoding: x']);
  expect(filter.onResponseData!(stream, packed.subarray(0, 5), false)).toBe(Verdict.Take);
  expect(filter.onResponseData!(stream, packed.subarray(5), true)).toBe(Verdict.Take);
  filter.onComplete!(stream);
  expect(stream.text).toBe(text);
  expect(stream.events).toEqual([
    `x-envoy-decompressor-z-compressed-bytes: ${packed.length}`,
    `x-envoy-decompressor-z-uncompressed-bytes: ${text.length}`,
  ]);
  expect(context.stats.used).toEqual({
    [`decompressor.Z.${format}.response.decompressed`]: 1,
    [`decompressor.Z.${format}.response.total_compressed_bytes`]: packed.length,
    [`decompressor.Z.${format}.response.total_uncompressed_bytes`]: text.length,
  });
});

test('a request, with trailers of its own', () => {
  const { stream, filter } = world('gzip', [['content-encoding', 'gzip']]);
  filter.onRequestHead!(stream, stream.requestHead, false);
  filter.onRequestData!(stream, gzipSync(text), false);
  const trailers = Headers.of(['x-t', '1']);
  expect(filter.onRequestTrailers!(stream, trailers)).toBe(Verdict.Continue);
  expect(lines(trailers)).toContain(`x-envoy-decompressor-z-uncompressed-bytes: ${text.length}`);
});

test.each([
  ['gzip', gzipSync(Buffer.alloc(1 << 20)), 'zlib_data_error'],
  ['brotli', brotliCompressSync(Buffer.alloc(1 << 20)), 'brotli_output_overflow'],
  ['zstd', zstdCompressSync(Buffer.alloc(1 << 24)), 'zstd_generic_error'],
] as const)('%s that unfolds to too much is broken off', (format, packed, stat) => {
  const { context, stream, filter } = world(format);
  filter.onResponseHead!(stream, response([['content-encoding', format === 'brotli' ? 'br' : format]]), false);
  filter.onResponseData!(stream, packed, true);
  expect(stream.text.length).toBeLessThan(packed.length * 100 + 128 * 1024 + 1);
  expect(context.stats.used[`decompressor.Z.${format}.decompressor_library.${stat}`]).toBe(1);
});

test('an upstream is told of the encoding once, at the end', () => {
  expect(withEncoding(undefined, 'gzip')).toBe('gzip');
  expect(withEncoding('br, gzip;q=0.3 , x', 'gzip')).toBe('br,x,gzip');
});
