import { describe, expect, it } from 'vitest';
import { proxyProtocolDecoder } from '../../../../src/listener/filters/proxy-protocol/decode.ts';
import {
  ProxyProtocol,
  proxyProtocolKind,
  type ProxyProtocolData,
} from '../../../../src/listener/filters/proxy-protocol/proxy-protocol.ts';
import { RecordingStats } from '../../cluster/recording-stats.ts';
import { Look, socketPeer } from './look.ts';

const usual: ProxyProtocolData = {
  allowsNone: false,
  allowsVersion1: true,
  allowsVersion2: true,
  rules: [],
  passThrough: [],
  statPrefix: '',
};

function look(data: Partial<ProxyProtocolData> = {}): { look: Look; stats: RecordingStats } {
  const stats = new RecordingStats();
  return { look: new Look(new ProxyProtocol({ ...usual, ...data }, stats)), stats };
}

const ends = '\x0a\x01\x02\x03\x0a\x04\x05\x06\x03\xe8\x01\xbb';
const tlv = (type: number, value: string): string => String.fromCharCode(type, 0, value.length) + value;
const version2 = (rest: string): string =>
  `\r\n\r\n\0\r\nQUIT\n\x21\x11${String.fromCharCode(rest.length >> 8, rest.length & 255)}${rest}`;

it('takes the header off, and tells who really speaks', () => {
  const { look: one, stats } = look();
  expect(one.give('PROXY TCP4 10.1.2.3 10.4')).toBe('more');
  expect(one.give('.5.6 1000 443\r\nhello')).toBe('continue');
  expect(one.text).toBe('hello');
  expect(one.peer).toMatchObject({
    remote: { kind: 'ip', host: '10.1.2.3', port: 1000 },
    local: { kind: 'ip', host: '10.4.5.6', port: 443 },
    directRemote: socketPeer.remote,
    directLocal: socketPeer.local,
  });
  expect(stats.read('')).toEqual({ 'proxy_proto.versions.v1.found': 1 });
});

it('leaves the addresses of whoever speaks for itself', () => {
  const { look: one } = look();
  expect(one.give('PROXY UNKNOWN\r\nx')).toBe('continue');
  expect([one.peer.remote, one.text]).toEqual([socketPeer.remote, 'x']);
});

it('closes for anything else, unless none is needed', () => {
  const { look: one, stats } = look();
  expect(one.give('GET / HTTP/1.1\r\n')).toBe('close');
  expect(stats.read('')).toEqual({ downstream_cx_proxy_proto_error: 1, 'proxy_proto.not_found_disallowed': 1 });
  const { look: two, stats: others } = look({ allowsNone: true, statPrefix: 'edge' });
  expect(two.give('GET / HTTP/1.1\r\n')).toBe('continue');
  expect(two.text).toBe('GET / HTTP/1.1\r\n');
  expect(others.read('')).toEqual({ 'proxy_proto.edge.not_found_allowed': 1 });
});

it('closes for a version that is not wanted, which is no error', () => {
  const { look: one, stats } = look({ allowsVersion2: false });
  expect(one.give(version2(ends))).toBe('close');
  expect(stats.read('')).toEqual({ 'proxy_proto.versions.v2.disallowed': 1, 'proxy_proto.versions.v2.found': 1 });
});

describe('TLVs', () => {
  const rules = [
    { type: 2, namespace: 'own', key: 'authority', encoding: 'SANITIZED_UTF8' },
    { type: 3, namespace: 'own', key: 'raw', encoding: 'BASE64' },
  ] as const;

  it('go into dynamic metadata by rules', () => {
    const { look: one } = look({ rules });
    one.give(version2(`${ends}${tlv(2, 'a\xffb\xc3\xa9')}${tlv(2, 'second')}${tlv(3, '\0\xff')}${tlv(4, 'x')}`));
    expect(one.peer.dynamicMetadata!.get('own')).toEqual({ authority: 'a!bé', raw: 'AP8=' });
    expect(one.peer.proxyTlvs).toEqual([]);
  });

  it('are kept for those who pass them on', () => {
    const { look: all } = look({ passThrough: 'ALL' });
    all.give(version2(ends + tlv(2, 'a') + tlv(4, 'b')));
    expect(all.peer.proxyTlvs.map(({ type }) => type)).toEqual([2, 4]);
    const { look: some } = look({ passThrough: [4] });
    some.give(version2(ends + tlv(2, 'a') + tlv(4, 'b')));
    expect(some.peer.proxyTlvs).toEqual([{ type: 4, value: new Uint8Array([98]) }]);
  });
});

it('is decoded from its own message', () => {
  expect(proxyProtocolDecoder.kind).toBe(proxyProtocolKind);
});
