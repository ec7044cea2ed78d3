import { expect, test } from 'vitest';
import { proxyProtocolHeader } from '../../../src/codec/proxy-protocol.ts';
import type { Address } from '../../../src/core/peer.ts';

const ip = (host: string, port: number): Address => ({ kind: 'ip', host, port });
const pipe: Address = { kind: 'pipe', host: '/run/a', port: 0 };
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const signature = '0d0a0d0a000d0a515549540a';

test.each([
  [ip('10.0.0.1', 5000), ip('127.0.0.1', 80), 'PROXY TCP4 10.0.0.1 127.0.0.1 5000 80\r\n'],
  [ip('fe80::1', 5000), ip('::1', 80), 'PROXY TCP6 fe80::1 ::1 5000 80\r\n'],
  [pipe, ip('127.0.0.1', 80), 'PROXY UNKNOWN\r\n'],
])('version 1, %j to %j', (from, to, expected) => {
  expect(text(proxyProtocolHeader(1, from, to))).toBe(expected);
});

test.each([
  [ip('10.0.0.1', 5000), ip('127.0.0.1', 80), '2111000c0a0000017f00000113880050'],
  [
    ip('2001:db8::1:2', 5000),
    ip('::1', 80),
    '2121002420010db80000000000000000000100020000000000000000000000000000000113880050',
  ],
  [
    ip('1:2:3:4:5:6:7:8', 1),
    ip('10.0.0.1', 65535),
    '212100240001000200030004000500060007000800000000000000000000ffff0a0000010001ffff',
  ],
  [pipe, ip('127.0.0.1', 80), '20000000'],
])('version 2, %j to %j', (from, to, expected) => {
  expect(hex(proxyProtocolHeader(2, from, to))).toBe(signature + expected);
});

test('version 2 has its TLVs behind the addresses, and leaves out what does not fit', () => {
  const from = ip('10.0.0.1', 5000);
  const to = ip('127.0.0.1', 80);
  const tlvs = [
    { type: 2, value: Buffer.from('ab') },
    { type: 5, value: new Uint8Array(65_530) },
    { type: 0xea, value: Buffer.from('c') },
  ];
  expect(hex(proxyProtocolHeader(2, from, to, tlvs))).toBe(
    `${signature}211100150a0000017f000001138800500200026162ea000163`,
  );
  expect(hex(proxyProtocolHeader(2, pipe, to, [tlvs[0]]))).toBe(`${signature}210000050200026162`);
});
