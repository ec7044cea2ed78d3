import {
  brotliCompressSync,
  brotliDecompressSync,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import { expect, test } from 'vitest';
import { CompressorLibrary } from '../../src/filter/compression/compressor-library.ts';
import { DecompressorLibrary } from '../../src/filter/compression/decompressor-library.ts';
import { GzipHeader } from '../../src/filter/compression/gzip-header.ts';
import type { CompressorLibraryData, DecompressorLibraryData } from '../../src/filter/compression/library-data.ts';
import { chooseEncoding } from '../../src/filter/compressor/encoding-choice.ts';
import { TestStats } from '../unit/filter/filter-fixture.ts';
import * as fc from './chance.ts';

const name = 'l';
const compressors: readonly CompressorLibraryData[] = [
  { name, format: 'gzip', level: -1, strategy: 0, windowBits: 12, memoryLevel: 5 },
  { name, format: 'brotli', quality: 3, mode: 0, windowBits: 18, blockBits: 24, disablesLiteralContexts: false },
  { name, format: 'zstd', level: 3, hasChecksum: true, strategy: 0, dictionary: null },
];
const limits = { name, inflateRatioMax: 1e6, stepBytes: 4096 };
const decompressors: readonly DecompressorLibraryData[] = [
  { ...limits, format: 'gzip', windowBits: 15 },
  { ...limits, format: 'brotli', disablesRingBufferReallocation: false },
  { ...limits, format: 'zstd', dictionary: null },
];
const unpack = [gunzipSync, brotliDecompressSync, zstdDecompressSync];
const pack = [gzipSync, brotliCompressSync, zstdCompressSync];

const format = fc.constantFrom(0, 1, 2);
const pieces = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.record({ byte: fc.nat(255), size: fc.nat(150_000) }).map(({ byte, size }) => new Uint8Array(size).fill(byte)),
  ),
  { maxLength: 6 },
);

test('what was compressed piece by piece can be read, whatever the engine has done before', () => {
  const libraries = compressors.map((data) => new CompressorLibrary(data));
  fc.assert(
    fc.property(format, pieces, fc.boolean(), (which, chunks, isBrokenOff) => {
      const before = libraries[which].open();
      before.flush(new Uint8Array(10));
      if (!isBrokenOff) before.finish(new Uint8Array(0));
      before.close();
      const compressor = libraries[which].open();
      const made = chunks.map((chunk) => compressor.flush(chunk));
      made.push(compressor.finish(new Uint8Array(0)));
      compressor.close();
      expect(Buffer.concat(chunks).equals(unpack[which](Buffer.concat(made)))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('what comes in any pieces is read the same', () => {
  fc.assert(
    fc.property(format, pieces, fc.array(fc.nat(200), { maxLength: 12 }), (which, bodies, cuts) => {
      // gzip and zstd bodies may stand one behind the other.
      const body = which === 1 ? Buffer.concat(bodies) : null;
      const packed = body === null ? Buffer.concat(bodies.map((one) => pack[which](one))) : pack[which](body);
      const stats = new TestStats();
      const decompressor = new DecompressorLibrary(decompressors[which], stats).open();
      const read: Uint8Array[] = [];
      let at = 0;
      for (const cut of [...cuts, packed.length]) {
        read.push(decompressor.decompress(packed.subarray(at, at + cut)));
        at = Math.min(at + cut, packed.length);
      }
      decompressor.close();
      expect(Buffer.concat(read).equals(Buffer.concat(bodies))).toBe(true);
      expect(Object.values(stats.used)).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('no bytes make a decompressor fail otherwise than by counting', () => {
  fc.assert(
    fc.property(format, fc.uint8Array({ maxLength: 200 }), fc.nat(100), (which, noise, at) => {
      const packed = pack[which](Buffer.from('something that is compressed, and then is not'));
      const spoilt = Buffer.concat([packed.subarray(0, at % packed.length), noise]);
      const decompressor = new DecompressorLibrary(decompressors[which], new TestStats()).open();
      expect(decompressor.decompress(spoilt)).toBeInstanceOf(Uint8Array);
      expect(decompressor.decompress(noise)).toBeInstanceOf(Uint8Array);
      decompressor.close();
    }),
  );
});

test('the head of a gzip member ends where it ends, in whatever pieces it comes', () => {
  const text = fc.string({
    unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 20,
  });
  fc.assert(
    fc.property(
      fc.option(fc.uint8Array({ maxLength: 300 })),
      fc.option(text),
      fc.option(text),
      fc.boolean(),
      fc.nat(400),
      (extra, file, comment, hasChecksum, cut) => {
        const flags =
          (hasChecksum ? 2 : 0) | (extra === null ? 0 : 4) | (file === null ? 0 : 8) | (comment === null ? 0 : 16);
        const head = Buffer.concat([
          Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]),
          ...(extra === null ? [] : [Buffer.from([extra.length & 255, extra.length >> 8]), extra]),
          ...(file === null ? [] : [Buffer.from(`${file}\0`, 'latin1')]),
          ...(comment === null ? [] : [Buffer.from(`${comment}\0`, 'latin1')]),
          ...(hasChecksum ? [Buffer.from([1, 2])] : []),
        ]);
        const bytes = Buffer.concat([head, Buffer.from('rest')]);
        const header = new GzipHeader();
        const first = header.read(bytes.subarray(0, cut), 0);
        expect(first + header.read(bytes, first)).toBe(head.length);
        expect(header.isRead).toBe(true);
      },
    ),
  );
});

test('an encoding is chosen only of those that are offered and taken', () => {
  const encoding = fc.constantFrom('gzip', 'br', 'zstd', 'identity', '*', 'x', '');
  const element = fc.tuple(
    encoding,
    fc.constantFrom('', ';q=0', ';q=0.5', '; q = 1', ';q=x', ';a=b'),
    fc.constantFrom('', ' '),
  );
  fc.assert(
    fc.property(fc.array(element), fc.subarray(['gzip', 'br', 'zstd']), (elements, offered) => {
      const header = elements.map(([one, quality, space]) => `${space}${one}${quality}${space}`).join(',');
      const candidates = offered.map((one) => ({ encoding: one, isFirstChoice: false, allowsContentType: () => true }));
      const choice = chooseEncoding(header, candidates, '');
      expect(['', ...offered]).toContain(choice.encoding);
      const refused = elements.some(([one, quality]) => one === choice.encoding && quality === ';q=0');
      if (choice.encoding !== '') expect(refused).toBe(false);
    }),
  );
});
