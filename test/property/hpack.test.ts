import { expect, test } from 'vitest';
import { ByteWriter } from '../../src/codec/hpack/byte-writer.ts';
import { HpackDecoder, HpackError } from '../../src/codec/hpack/decoder.ts';
import { HpackEncoder } from '../../src/codec/hpack/encoder.ts';
import { type Pair, decode, encoderTableOf, tableOf } from '../unit/codec/hpack/hex.ts';
import * as fc from './chance.ts';

const octet = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const text = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
  fc.string({ unit: octet, maxLength: 20 }),
  fc.constantFrom('', '/', 'GET', '200', 'no-cache', 'a'.repeat(1000), 'z'.repeat(130)),
);
const name = fc.oneof(
  fc.constantFrom(
    ':path',
    ':status',
    ':method',
    'cookie',
    'authorization',
    'x-request-id',
    'date',
    'x-a',
    'x-b',
    'accept',
  ),
  text,
);
const field = fc.tuple(name, text, fc.boolean());
/** A header block, before which the peer may have announced other table sizes. */
const block = fc.record({
  sizes: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    fc.array(fc.integer({ min: 0, max: 6000 }), { maxLength: 3 }),
  ),
  fields: fc.array(field, { maxLength: 30 }),
});

test('what was encoded is decoded, whatever the sizes of the table, and both tables are the same', () => {
  fc.assert(
    fc.property(fc.constantFrom(0, 100, 500, 4096, 10_000), fc.array(block, { maxLength: 20 }), (own, blocks) => {
      const encoder = new HpackEncoder(own);
      const decoder = new HpackDecoder({ tableBytesMax: 4096 });
      for (const { sizes, fields } of blocks) {
        for (const size of sizes) {
          encoder.setPeerTableBytesMax(size);
          decoder.setTableBytesMax(size);
        }
        const out = new ByteWriter(1);
        encoder.begin(out);
        for (const [key, value, isNever] of fields) {
          if (isNever) encoder.neverIndexed(out, key, value);
          else encoder.field(out, key, value);
        }
        const decoded = decode(decoder, out.bytes.subarray(0, out.length));
        expect(decoded.error).toBe(HpackError.None);
        expect(decoded.fields).toEqual(fields.map(([key, value]) => [key, value]));
        expect(decoded.never).toEqual(
          expect.arrayContaining(fields.filter(([, , isNever]) => isNever).map(([key]) => key)),
        );
        expect(tableOf(decoder)).toEqual(encoderTableOf(encoder));
      }
    }),
    { numRuns: 300 },
  );
});

const tableBytesMax = 4096;

function expectBounds(decoder: HpackDecoder, fields: readonly Pair[], listBytesMax: number, fieldsMax: number): void {
  const listBytes = fields.reduce((sum, [key, value]) => sum + key.length + value.length + 32, 0);
  expect(listBytes).toBeLessThanOrEqual(listBytesMax);
  expect(fields.length).toBeLessThanOrEqual(fieldsMax);
  const { bytes, entries } = tableOf(decoder);
  expect(bytes).toBeLessThanOrEqual(tableBytesMax);
  expect(entries.reduce((sum, [key, value]) => sum + key.length + value.length + 32, 0)).toBe(bytes);
}

/** Bytes that are HPACK more often than any bytes are: representations with small indices and short strings. */
const likely = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0x80, max: 0xff }).map((byte) => [byte]),
      fc
        .tuple(fc.constantFrom(0x40, 0x00, 0x10, 0x41, 0x7e, 0x7f), fc.uint8Array({ maxLength: 12 }))
        .map(([first, rest]) => [first, rest.length, ...rest]),
      fc
        .tuple(fc.constantFrom(0x41, 0x04, 0x7e), fc.uint8Array({ maxLength: 12 }))
        .map(([first, rest]) => [first, 0x80 | rest.length, ...rest]),
      fc.integer({ min: 0x20, max: 0x3f }).map((byte) => [byte]),
    ),
    { maxLength: 60 },
  )
  .map((parts) => Uint8Array.from(parts.flat()));

test('any bytes are read or refused, within the limits', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 300 }), likely), { maxLength: 8 }),
      fc.integer({ min: 0, max: 2000 }),
      fc.integer({ min: 0, max: 20 }),
      (blocks, listBytesMax, fieldsMax) => {
        const decoder = new HpackDecoder({ tableBytesMax });
        for (const bytes of blocks) {
          const { error, fields } = decode(decoder, bytes, listBytesMax, fieldsMax);
          expectBounds(decoder, fields, listBytesMax, fieldsMax);
          if (error === HpackError.Compression) return;
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('limits change what is handed out, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(likely, { maxLength: 8 }), fc.integer({ min: 0, max: 500 }), (blocks, listBytesMax) => {
      const bounded = new HpackDecoder({ tableBytesMax });
      const free = new HpackDecoder({ tableBytesMax });
      for (const bytes of blocks) {
        const some = decode(bounded, bytes, listBytesMax);
        const all = decode(free, bytes);
        expect(some.error === HpackError.Compression).toBe(all.error === HpackError.Compression);
        expect(some.fields).toEqual(all.fields.slice(0, some.fields.length));
        expect(tableOf(bounded)).toEqual(tableOf(free));
      }
    }),
  );
});

test('a block that is cut off is never read beyond its end', () => {
  fc.assert(
    fc.property(likely, fc.nat(), (bytes, at) => {
      const end = bytes.length === 0 ? 0 : at % bytes.length;
      const alone = decode(new HpackDecoder({ tableBytesMax }), bytes.slice(0, end));
      const fields: Pair[] = [];
      const error = new HpackDecoder({ tableBytesMax }).decode(bytes, 0, end, 1e9, 1e9, {
        onField: (key, value) => fields.push([key, value]),
      });
      expect({ error, fields }).toEqual({ error: alone.error, fields: alone.fields });
    }),
    { numRuns: 500 },
  );
});
