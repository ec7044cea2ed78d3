import { isIPv4 } from 'node:net';
import { expect, test } from 'vitest';
import { firstPublicAddress } from '../../../src/net/local-address.ts';

test('is an address of this machine', () => {
  expect(isIPv4(firstPublicAddress())).toBe(true);
});
