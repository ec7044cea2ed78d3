import { describe, expect, it } from 'vitest';
import { formatHash, hashModulo } from '../../src/core/hash64.ts';
import { xxHash64 } from '../../src/core/xx-hash64.ts';
import * as fc from './chance.ts';

const [prime1, prime2, prime3, prime4, prime5] = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const;

const low64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotated = (value: bigint, by: bigint): bigint => low64((value << by) | (value >> (64n - by)));
const round = (lane: bigint, word: bigint): bigint => low64(rotated(low64(lane + word * prime2), 31n) * prime1);

/** The specification, as it is written, on bigints. */
function specified(bytes: Uint8Array, seed: bigint): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let hash = low64(seed + prime5);
  if (bytes.length >= 32) {
    let lanes = [seed + prime1 + prime2, seed + prime2, seed, seed - prime1].map(low64);
    for (; at + 32 <= bytes.length; at += 32) {
      const from = at;
      lanes = lanes.map((lane, i) => round(lane, view.getBigUint64(from + i * 8, true)));
    }
    hash = low64([1n, 7n, 12n, 18n].reduce((sum, by, i) => sum + rotated(lanes[i], by), 0n));
    for (const lane of lanes) hash = low64((hash ^ round(0n, lane)) * prime1 + prime4);
  }
  hash = low64(hash + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8)
    hash = low64(rotated(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * prime1 + prime4);
  if (at + 4 <= bytes.length) {
    hash = low64(rotated(hash ^ low64(BigInt(view.getUint32(at, true)) * prime1), 23n) * prime2 + prime3);
    at += 4;
  }
  for (; at < bytes.length; at++) hash = low64(rotated(hash ^ low64(BigInt(bytes[at]) * prime5), 11n) * prime1);
  hash = low64((hash ^ (hash >> 33n)) * prime2);
  hash = low64((hash ^ (hash >> 29n)) * prime3);
  return hash ^ (hash >> 32n);
}

describe('xxHash64', () => {
  it('gives what the specification says of any bytes and seed', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), (input, high, low) => {
        const found = formatHash(xxHash64(input, { high, low }));
        const seed = (BigInt(high) << 32n) | BigInt(low);
        expect(found).toBe(specified(input, seed).toString(16).padStart(16, '0'));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('hashModulo', () => {
  it('is the remainder of the whole number', () => {
    const half = fc.nat(0xffff_ffff);
    fc.assert(
      fc.property(half, half, fc.integer({ min: 1, max: 0xffff_ffff }), (high, low, divisor) => {
        const whole = (BigInt(high) << 32n) | BigInt(low);
        expect(hashModulo({ high, low }, divisor)).toBe(Number(whole % BigInt(divisor)));
      }),
      { numRuns: 1000 },
    );
  });
});
