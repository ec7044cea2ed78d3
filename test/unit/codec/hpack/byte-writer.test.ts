import { expect, test } from 'vitest';
import { ByteWriter } from '../../../../src/codec/hpack/byte-writer.ts';

test('grows to at least what is asked for, and keeps what was written', () => {
  const out = new ByteWriter(2);
  out.bytes[out.length++] = 1;
  const before = out.bytes;
  out.ensure(1);
  expect(out.bytes).toBe(before);
  out.ensure(2);
  expect(out.bytes.length).toBe(4);
  out.ensure(100);
  expect(out.bytes.length).toBe(101);
  expect(out.bytes[0]).toBe(1);
  expect(out.length).toBe(1);
});
