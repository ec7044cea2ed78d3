import { writeLatin1 } from '../core/bytes.ts';
import type { Address, ProxyTlv } from '../core/peer.ts';

// The PROXY protocol of HAProxy (proxy-protocol.txt, 2020/03/05), as Envoy writes it.

const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const proxied = 0x21;
const local = 0x20;
const tcpOverIpv4 = 0x11;
const tcpOverIpv6 = 0x21;
const unspecified = 0x00;

/** The length field has 16 bits; TLVs that would go beyond it are left out, as in Envoy. */
const payloadBytesMax = 0xffff;

const noTlvs: readonly ProxyTlv[] = [];

/** Version 2 for a connection that the proxy opened for itself. */
export const proxyProtocolLocalHeader: readonly number[] = [...signature, local, unspecified, 0, 0];

/**
 * The header that tells who speaks (`from`) and whom it called (`to`), in version 1 or 2; ends that are not IP are left out.
 * TLVs are of version 2.
 */
export function proxyProtocolHeader(
  version: 1 | 2,
  from: Address,
  to: Address,
  tlvs: readonly ProxyTlv[] = noTlvs,
): Uint8Array {
  return version === 1 ? textHeader(from, to) : binaryHeader(from, to, tlvs);
}

function textHeader(from: Address, to: Address): Uint8Array {
  const isIp = from.kind === 'ip' && to.kind === 'ip';
  const family = from.host.includes(':') || to.host.includes(':') ? 'TCP6' : 'TCP4';
  const text = isIp ? `PROXY ${family} ${from.host} ${to.host} ${from.port} ${to.port}\r\n` : 'PROXY UNKNOWN\r\n';
  const bytes = new Uint8Array(text.length);
  writeLatin1(bytes, text, 0);
  return bytes;
}

function binaryHeader(from: Address, to: Address, tlvs: readonly ProxyTlv[]): Uint8Array {
  const isIp = from.kind === 'ip' && to.kind === 'ip';
  if (!isIp && tlvs.length === 0) return Uint8Array.from(proxyProtocolLocalHeader);
  const isIpv6 = isIp && (from.host.includes(':') || to.host.includes(':'));
  const ends = isIp ? [...addressBytes(from.host, isIpv6), ...addressBytes(to.host, isIpv6)] : [];
  const ports = isIp ? [from.port >> 8, from.port & 255, to.port >> 8, to.port & 255] : [];
  const payload = [...ends, ...ports];
  for (const { type, value } of tlvs) {
    if (payload.length + 3 + value.length > payloadBytesMax) continue;
    payload.push(type, value.length >> 8, value.length & 255, ...value);
  }
  const family = isIp ? (isIpv6 ? tcpOverIpv6 : tcpOverIpv4) : unspecified;
  return Uint8Array.from([...signature, proxied, family, payload.length >> 8, payload.length & 255, ...payload]);
}

function addressBytes(host: string, isIpv6: boolean): number[] {
  if (!isIpv6) return host.split('.').map(Number);
  const plain = host.includes(':') ? host : `::ffff:${host}`;
  const [head, tail] = plain.split('::');
  const before = groups(head);
  if (tail === undefined) return before;
  const after = groups(tail);
  return [...before, ...Array.from({ length: 16 - before.length - after.length }, () => 0), ...after];
}

/** Bytes of colon-separated groups, of which the last may be an IPv4 address. */
function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const number = Number.parseInt(group, 16);
    return [number >> 8, number & 255];
  });
}
