import { expect, it } from 'vitest';
import { parseSocketAddress } from '../../../src/core/socket-address.ts';

it.each([
  ['1.2.3.4:80', { kind: 'ip', host: '1.2.3.4', port: 80 }],
  ['[::1]:443', { kind: 'ip', host: '::1', port: 443 }],
  ['[2001:DB8:0:0:0:0:0:1]:0', { kind: 'ip', host: '2001:db8::1', port: 0 }],
  ['1.2.3.4:080', { kind: 'ip', host: '1.2.3.4', port: 80 }],
  ['[::FFFF:1.2.3.4]:80', { kind: 'ip', host: '::ffff:1.2.3.4', port: 80 }],
  ['[fe80:0::1%eth0]:80', { kind: 'ip', host: 'fe80::1%eth0', port: 80 }],
  ['[fe80::1%]:80', null],
  ['[fe80::1%a%b]:80', null],
  ['01.2.3.4:80', null],
  ['1.2.3.4', null],
  ['1.2.3.4:', null],
  ['1.2.3.4:65536', null],
  ['1.2.3.4:-1', null],
  ['::1:80', null],
  ['[1.2.3.4]:80', null],
  ['[::1]', null],
  [':80', null],
  ['localhost:80', null],
  ['', null],
])('%s', (text, address) => {
  expect(parseSocketAddress(text)).toEqual(address);
});
