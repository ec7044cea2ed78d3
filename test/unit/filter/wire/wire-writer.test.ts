import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { expect, test } from 'vitest';
import { WireWriter } from '../../../../src/filter/wire/wire-writer.ts';

/** Against protobuf-es's own writer. */
test.each([0, 1, 127, 128, 300, 2 ** 31 - 1, -1, -(2 ** 31)])('32 bits: %i', (value) => {
  const ours = new WireWriter()
    .int32(value)
    .sint32(value)
    .fixed32(value)
    .uint32(value >>> 0);
  const theirs = new BinaryWriter()
    .int32(value)
    .sint32(value)
    .sfixed32(value)
    .uint32(value >>> 0);
  expect(ours.finish()).toEqual(theirs.finish());
});

test.each([0n, 1n, 127n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n - 1n, -1n, -(2n ** 63n)])('64 bits: %i', (value) => {
  const ours = new WireWriter().uint64(value).sint64(value).fixed64(value).uint64(BigInt.asUintN(64, value));
  const theirs = new BinaryWriter().int64(value).sint64(value).sfixed64(value).uint64(BigInt.asUintN(64, value));
  expect(ours.finish()).toEqual(theirs.finish());
});

test.each(['', 'a', 'é', 'x'.repeat(24), 'x'.repeat(25), 'é'.repeat(100), '😀'.repeat(10_000)])('text', (text) => {
  expect(new WireWriter().string(text).finish()).toEqual(new BinaryWriter().string(text).finish());
});

test.each(['', 'a', 'x'.repeat(24), 'x'.repeat(25), 'x'.repeat(10_000)])('ASCII', (text) => {
  const writer = new WireWriter();
  expect(writer.ascii(text)).toBe(true);
  expect(writer.finish()).toEqual(new BinaryWriter().string(text).finish());
});

test.each(['é', 'aé', `${'x'.repeat(30)}é`, `é${'x'.repeat(30)}`, '😀'.repeat(100)])('no ASCII: %s', (text) => {
  const writer = new WireWriter().uint32(1);
  expect(writer.ascii(text)).toBe(false);
  expect(writer.finish()).toEqual(Uint8Array.of(1));
});

test('messages within messages, of any size', () => {
  for (const size of [0, 127, 128, 16_383, 16_384, 70_000]) {
    const filler = new Uint8Array(size);
    const ours = new WireWriter().tag(1, 2).begin().tag(2, 2).begin().raw(filler).end().end().float(1.5).double(2.5);
    const theirs = new BinaryWriter()
      .tag(1, 2)
      .fork()
      .tag(2, 2)
      .fork()
      .raw(filler)
      .join()
      .join()
      .float(1.5)
      .double(2.5);
    expect(ours.finish()).toEqual(theirs.finish());
    expect(ours.finish()).toEqual(new Uint8Array(0));
  }
});
