import { expect, test } from 'vitest';
import { formatIp, parseIp } from '../../../src/core/ip-address.ts';

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
  ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
])('%s is written %s', (text, written) => {
  expect(formatIp(parseIp(text)!)).toBe(written);
});

test.each([
  '',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  '1:2',
  '1::2::3',
  ':::',
  '12345::',
  '1.2.3.4::',
  'fe80::1%lo',
  'a',
])('%s is none', (text) => {
  expect(parseIp(text)).toBeNull();
});
