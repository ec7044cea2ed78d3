import { describe, expect, it } from 'vitest';

import { maskAddress } from '../../../../src/observe/format/cidr.ts';

describe('maskAddress', () => {
  it.each([
    ['127.0.0.1', 24, '127.0.0.0/24'],
    ['127.0.0.1', 30, '127.0.0.0/30'],
    ['127.0.0.1', 0, '0.0.0.0/0'],
    ['127.0.0.1', 33, '127.0.0.1/32'],
    ['203.0.113.255', 25, '203.0.113.128/25'],
    ['2001:db8:aaaa:bbbb::1', 56, '2001:db8:aaaa:bb00::/56'],
    ['2001:db8::1', 128, '2001:db8::1/128'],
    ['::1', 0, '::/0'],
    ['1:0:0:2:0:0:0:3', 200, '1:0:0:2::3/128'],
    ['::ffff:10.1.2.3', 112, '::ffff:a01:0/112'],
    ['fe80::1', 10, 'fe80::/10'],
  ])('%s/%i', (address, bits, expected) => {
    expect(maskAddress(address, bits)).toBe(expected);
  });
});
