import type { Hash64 } from '../../../core/hash64.ts';

const multiplier = 0xc6a4a7935bd1e995n;
const seed = 0xc70f6907n;

/**
 * 64-bit MurmurHash2 as libstdc++'s `std::hash` has it, seed included: what rings were built with before xxHash. Only
 * rings are, so that bigints are fast enough.
 */
export function murmurHash2(bytes: Uint8Array): Hash64 {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const whole = length & ~7;
  let hash = seed ^ BigInt.asUintN(64, BigInt(length) * multiplier);
  for (let at = 0; at < whole; at += 8) {
    const mixed = BigInt.asUintN(64, shiftMixed(times(view.getBigUint64(at, true))) * multiplier);
    hash = times(hash ^ mixed);
  }
  if (whole < length) {
    let rest = 0n;
    for (let at = length - 1; at >= whole; at--) rest = (rest << 8n) | BigInt(bytes[at]);
    hash = times(hash ^ rest);
  }
  hash = shiftMixed(times(shiftMixed(hash)));
  return { high: Number(hash >> 32n), low: Number(hash & 0xffff_ffffn) };
}

function times(value: bigint): bigint {
  return BigInt.asUintN(64, value * multiplier);
}

function shiftMixed(value: bigint): bigint {
  return value ^ (value >> 47n);
}
