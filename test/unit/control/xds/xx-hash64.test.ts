import { expect, test } from 'vitest';
import { xxHash64 } from '../../../../src/control/xds/xx-hash64.ts';

/** The short ones are what Envoy 1.39.3 shows as `version`, the long ones are of xxHash's own command line. */
const known: readonly (readonly [text: string, hash: bigint])[] = [
  ['', 17241709254077376921n],
  ['x1', 2416334511021154543n],
  ['v9', 7832730476746051721n],
  ['v57', 16458197645112615029n],
  ['Call me Ishmael. Some years ago--never mind how long precisely-', 0x02a2e85470d6fd96n],
];

test.each(known)('of %j', (text, hash) => {
  expect(xxHash64(Buffer.from(text))).toBe(hash);
});
