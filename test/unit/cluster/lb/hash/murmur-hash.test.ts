import { expect, test } from 'vitest';
import { formatHash } from '../../../../../src/core/hash64.ts';
import { murmurHash2 } from '../../../../../src/cluster/lb/hash/murmur-hash.ts';

/** Of `std::hash` of libstdc++; longer ones are compared with Envoy's rings, in test/peers. */
const known: readonly (readonly [text: string, hash: bigint])[] = [
  ['', 6142509188972423790n],
  ['a', 4993892634952068459n],
];

test.each(known)('of %j', (text, hash) => {
  expect(formatHash(murmurHash2(Buffer.from(text)))).toBe(hash.toString(16).padStart(16, '0'));
});
