import type { Hash64 } from './hash64.ts';

/*
 * XXH64 (https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md) on halves of 32 bits. What would be the results of its
 * 64-bit operations lie in two registers of this module, so that a hash allocates nothing but itself.
 */

let high = 0;
let low = 0;

/** Each of the four lanes: high, low. */
const lanes = new Uint32Array(8);

const prime1High = 0x9e3779b1;
const prime1Low = 0x85ebca87;
const prime2High = 0xc2b2ae3d;
const prime2Low = 0x27d4eb4f;
const prime3High = 0x165667b1;
const prime3Low = 0x9e3779f9;
const prime4High = 0x85ebca77;
const prime4Low = 0xc2b2ae63;
const prime5High = 0x27d4eb2f;
const prime5Low = 0x165667c5;

const noSeed: Hash64 = { high: 0, low: 0 };

/** Texts up to this many bytes are hashed without allocating room for them. */
const room = new Uint8Array(1024);

/** Of a text with one character per byte, as heads hold it. */
export function xxHash64Text(text: string, seed = noSeed): Hash64 {
  const { length } = text;
  const bytes = length <= room.length ? room : new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = text.charCodeAt(i);
  return xxHash64(bytes, seed, length);
}

/** Of the first `length` bytes. */
export function xxHash64(bytes: Uint8Array, seed = noSeed, length = bytes.length): Hash64 {
  let at = 0;
  if (length >= 32) at = hashStripes(bytes, seed, length);
  else {
    high = prime5High;
    low = prime5Low;
    add(seed.high, seed.low);
  }
  add(0, length);
  for (; at + 8 <= length; at += 8) {
    const lastHigh = high;
    const lastLow = low;
    round(0, 0, word(bytes, at + 4), word(bytes, at));
    high ^= lastHigh;
    low ^= lastLow;
    rotate(27);
    multiply(prime1High, prime1Low);
    add(prime4High, prime4Low);
  }
  if (at + 4 <= length) {
    const lastHigh = high;
    const lastLow = low;
    high = 0;
    low = word(bytes, at);
    multiply(prime1High, prime1Low);
    high ^= lastHigh;
    low ^= lastLow;
    rotate(23);
    multiply(prime2High, prime2Low);
    add(prime3High, prime3Low);
    at += 4;
  }
  for (; at < length; at++) hashByte(bytes[at]);
  avalanche();
  return { high: high >>> 0, low: low >>> 0 };
}

/** All whole stripes of 32 bytes; the answer is where they end. */
function hashStripes(bytes: Uint8Array, seed: Hash64, length: number): number {
  startLane(0, seed, prime1High, prime1Low, prime2High, prime2Low);
  startLane(2, seed, prime2High, prime2Low, 0, 0);
  startLane(4, seed, 0, 0, 0, 0);
  high = seed.high;
  low = seed.low;
  add(~prime1High, -prime1Low);
  lanes[6] = high;
  lanes[7] = low;
  let at = 0;
  for (; at + 32 <= length; at += 32) {
    for (let lane = 0; lane < 8; lane += 2) {
      const from = at + lane * 4;
      round(lanes[lane], lanes[lane + 1], word(bytes, from + 4), word(bytes, from));
      lanes[lane] = high;
      lanes[lane + 1] = low;
    }
  }
  let sumHigh = 0;
  let sumLow = 0;
  for (const [lane, by] of [1, 7, 12, 18].entries()) {
    high = lanes[lane * 2];
    low = lanes[lane * 2 + 1];
    rotate(by);
    add(sumHigh, sumLow);
    sumHigh = high;
    sumLow = low;
  }
  for (let lane = 0; lane < 8; lane += 2) {
    round(0, 0, lanes[lane], lanes[lane + 1]);
    high ^= sumHigh;
    low ^= sumLow;
    multiply(prime1High, prime1Low);
    add(prime4High, prime4Low);
    sumHigh = high;
    sumLow = low;
  }
  return at;
}

function startLane(lane: number, seed: Hash64, h1: number, l1: number, h2: number, l2: number): void {
  high = seed.high;
  low = seed.low;
  add(h1, l1);
  add(h2, l2);
  lanes[lane] = high;
  lanes[lane + 1] = low;
}

/** The lane's new value in the registers. */
function round(laneHigh: number, laneLow: number, wordHigh: number, wordLow: number): void {
  high = wordHigh;
  low = wordLow;
  multiply(prime2High, prime2Low);
  add(laneHigh, laneLow);
  rotate(31);
  multiply(prime1High, prime1Low);
}

function hashByte(byte: number): void {
  const lastHigh = high;
  const lastLow = low;
  high = 0;
  low = byte;
  multiply(prime5High, prime5Low);
  high ^= lastHigh;
  low ^= lastLow;
  rotate(11);
  multiply(prime1High, prime1Low);
}

function avalanche(): void {
  low ^= high >>> 1;
  multiply(prime2High, prime2Low);
  const shiftedLow = (low >>> 29) | (high << 3);
  const shiftedHigh = high >>> 29;
  high ^= shiftedHigh;
  low ^= shiftedLow;
  multiply(prime3High, prime3Low);
  low ^= high;
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function add(byHigh: number, byLow: number): void {
  const sum = (low >>> 0) + (byLow >>> 0);
  high = (high + byHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0;
  low = sum | 0;
}

/** To the left, by 1 to 31. */
function rotate(by: number): void {
  const before = high;
  high = (high << by) | (low >>> (32 - by));
  low = (low << by) | (before >>> (32 - by));
}

function multiply(byHigh: number, byLow: number): void {
  const a0 = low & 0xffff;
  const a1 = low >>> 16;
  const b0 = byLow & 0xffff;
  const b1 = byLow >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const carry = a0 * b1 + (middle & 0xffff);
  const upper = a1 * b1 + (middle >>> 16) + (carry >>> 16);
  high = (upper + Math.imul(high, byLow) + Math.imul(low, byHigh)) | 0;
  low = Math.imul(low, byLow);
}
