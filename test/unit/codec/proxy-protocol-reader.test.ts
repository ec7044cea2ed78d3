import { expect, it } from 'vitest';
import { proxyProtocolHeader } from '../../../src/codec/proxy-protocol.ts';
import { readProxyProtocolHeader } from '../../../src/codec/proxy-protocol-reader.ts';
import type { Address } from '../../../src/core/peer.ts';

const rules = { allowsNone: false, allowsVersion1: true, allowsVersion2: true };
const address = (host: string, port: number): Address => ({ kind: 'ip', host, port });

it.each([
  [1, '10.1.2.3', '10.4.5.6'],
  [2, '10.1.2.3', '10.4.5.6'],
  [1, '2001:db8::1', '2001:db8::2'],
  [2, '2001:db8::1', '2001:db8::2'],
] as const)('version %i of %s and %s is read as it is written, a byte at a time', (version, source, target) => {
  const [from, to] = [address(source, 1000), address(target, 443)];
  const tlvs = version === 2 ? [{ type: 5, value: Uint8Array.of(1, 2) }] : [];
  const bytes = proxyProtocolHeader(version, from, to, tlvs);
  for (let size = 0; size < bytes.length; size++)
    expect(readProxyProtocolHeader(bytes.subarray(0, size), rules)).toBeNull();
  const header = { result: 'done', version, size: bytes.length, ends: { from, to }, tlvs };
  expect(readProxyProtocolHeader(Buffer.concat([bytes, Buffer.from('more')]), rules)).toEqual(header);
});

it('TLVs are copies', () => {
  const bytes = proxyProtocolHeader(2, address('10.0.0.1', 1), address('10.0.0.2', 2), [
    { type: 5, value: Uint8Array.of(7) },
  ]);
  const buffer = Buffer.from(bytes);
  const { tlvs } = readProxyProtocolHeader(buffer, rules)!;
  buffer.fill(0);
  expect(tlvs[0].value).toEqual(Uint8Array.of(7));
});

it('a line that is too long is refused before it ends', () => {
  const bytes = Buffer.from(`PROXY UNKNOWN ${'x'.repeat(94)}`);
  expect(readProxyProtocolHeader(bytes, rules)).toBeNull();
  expect(readProxyProtocolHeader(Buffer.concat([bytes, Buffer.from('x')]), rules)).toMatchObject({ result: 'error' });
});
