import { expect, test } from 'vitest';
import { formatHash } from '../../../src/core/hash64.ts';
import { xxHash64, xxHash64Text } from '../../../src/core/xx-hash64.ts';

/** The short ones are what Envoy 1.39.3 shows as `version`, the long one is of xxHash's own command line. */
const known: readonly (readonly [text: string, hash: bigint])[] = [
  ['', 17241709254077376921n],
  ['x1', 2416334511021154543n],
  ['v9', 7832730476746051721n],
  ['v57', 16458197645112615029n],
  ['Call me Ishmael. Some years ago--never mind how long precisely-', 0x02a2e85470d6fd96n],
];

test.each(known)('of %j', (text, hash) => {
  const hex = hash.toString(16).padStart(16, '0');
  expect(formatHash(xxHash64(Buffer.from(text)))).toBe(hex);
  expect(formatHash(xxHash64Text(text))).toBe(hex);
});

test('a text has one byte per character, however long it is', () => {
  const text = 'caf\u00e9 '.repeat(1000);
  expect(xxHash64Text(text)).toEqual(xxHash64(Buffer.from(text, 'latin1')));
});
