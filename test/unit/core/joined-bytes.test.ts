import { describe, expect, it } from 'vitest';
import { joined, keepIn } from '../../../src/core/joined-bytes.ts';

describe('chunks that are kept', () => {
  it('are joined while they are small, and say the same', () => {
    const list: Uint8Array[] = [];
    const sent: number[] = [];
    for (let i = 0; i < 10_000; i++) {
      const read = new Uint8Array(8192);
      read[100] = i & 0xff;
      sent.push(i & 0xff);
      keepIn(list, read.subarray(100, 101));
    }
    expect(Buffer.concat(list)).toEqual(Buffer.from(sent));
    const memory = new Set(list.map((chunk) => chunk.buffer));
    let held = 0;
    for (const buffer of memory) held += buffer.byteLength;
    expect(held).toBeLessThan(17 * 8192 + 2 * sent.length);
  });

  it('leave large ones as they are, and a few small ones', () => {
    const large = new Uint8Array(2000);
    const list: Uint8Array[] = Array.from({ length: 17 }, (_, index) => Uint8Array.of(index));
    expect(list.length).toBe(17);
    for (const chunk of [large, Uint8Array.of(1), large, Uint8Array.of(2), Uint8Array.of(3)]) keepIn(list, chunk);
    expect(list.slice(17).map((chunk) => chunk.length)).toEqual([2000, 1, 2000, 2]);
    expect(list[17]).toBe(large);
  });

  it('do not change what was handed out before', () => {
    const first = joined(Uint8Array.of(1), Uint8Array.of(2))!;
    const second = joined(first, Uint8Array.of(3))!;
    expect([...first]).toEqual([1, 2]);
    expect([...second]).toEqual([1, 2, 3]);
    expect(joined(second, new Uint8Array(1025))).toBeNull();
  });
});
