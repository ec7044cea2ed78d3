import { latin1 } from '../core/bytes.ts';
import { formatIp, parseIp } from '../core/ip-address.ts';
import type { Address, ProxyTlv } from '../core/peer.ts';

// The PROXY protocol of HAProxy (proxy-protocol.txt, 2020/03/05), as Envoy reads it.

const signature1 = 'PROXY';
const signature2 = '\r\n\r\n\0\r\nQUIT\n';
/** Signature, version and command, family and transport, length of the rest. */
const fixedBytes2 = 16;
/** What a line of version 1 has at most, with its end; the specification says 107. */
const lineBytesMax = 108;
/** How far the end of a line is looked for, to tell a line that is too long from what is none. */
const searchedBytesMax = 232;

const Command = { Local: 0, Proxy: 1 } as const;
const Family = { Ipv4: 1, Ipv6: 2 } as const;
const Transport = { Stream: 1, Datagram: 2 } as const;

/** Which headers may come. */
export interface ProxyProtocolRules {
  /** A connection may begin without one. */
  readonly allowsNone: boolean;
  readonly allowsVersion1: boolean;
  readonly allowsVersion2: boolean;
}

/** 0: no header was found. */
export type ProxyProtocolVersion = 0 | 1 | 2;

/** What a connection begins with. */
export interface ProxyProtocolHeader {
  /** `done`: it may go on; `error`: it is no header, or a broken one; `denied`: of a version that is not wanted. */
  readonly result: 'done' | 'error' | 'denied';
  readonly version: ProxyProtocolVersion;
  /** Bytes that are the header's; 0 without one. */
  readonly size: number;
  /** Who speaks and whom it called; null: the header does not say (LOCAL, UNKNOWN), or there is none. */
  readonly ends: { readonly from: Address; readonly to: Address } | null;
  readonly tlvs: readonly ProxyTlv[];
}

const noTlvs: readonly ProxyTlv[] = [];

function ended(result: 'done' | 'error' | 'denied', version: ProxyProtocolVersion): ProxyProtocolHeader {
  return { result, version, size: 0, ends: null, tlvs: noTlvs };
}

/**
 * The header that `bytes` begin with; null: it is not all there yet. Pure, and reads no byte behind the header: all that
 * has arrived is given anew each time.
 */
export function readProxyProtocolHeader(bytes: Uint8Array, rules: ProxyProtocolRules): ProxyProtocolHeader | null {
  if (rules.allowsNone) {
    const mayBe1 = rules.allowsVersion1 && beginsAs(bytes, signature1);
    const mayBe2 = rules.allowsVersion2 && beginsAs(bytes, signature2);
    if (!mayBe1 && !mayBe2) return ended('done', 0);
  }
  if (bytes.length >= fixedBytes2) {
    if (beginsAs(bytes, signature2)) return rules.allowsVersion2 ? readVersion2(bytes) : ended('denied', 2);
    if (!beginsAs(bytes, signature1)) return ended('error', 0);
  }
  return readVersion1(bytes, rules);
}

/** As far as there are bytes of both. */
function beginsAs(bytes: Uint8Array, signature: string): boolean {
  const size = Math.min(bytes.length, signature.length);
  return latin1(bytes, 0, size) === signature.slice(0, size);
}

function readVersion1(bytes: Uint8Array, rules: ProxyProtocolRules): ProxyProtocolHeader | null {
  const text = latin1(bytes, 0, Math.min(bytes.length, searchedBytesMax));
  const end = text.indexOf('\r\n');
  // Version 2 begins with the end of a line.
  if (end === 0) return null;
  if (end < 0) return bytes.length > lineBytesMax ? ended('error', 0) : null;
  const size = end + 2;
  if (size > lineBytesMax) return ended('error', 1);
  if (!rules.allowsVersion1) return ended('denied', 1);
  const words = text.slice(0, end).trimEnd().split(' ');
  if (words.length < 2 || words[0] !== signature1) return ended('error', 1);
  if (words[1] === 'UNKNOWN') return { result: 'done', version: 1, size, ends: null, tlvs: noTlvs };
  const isIpv6 = words[1] === 'TCP6';
  if (words.length !== 6 || (!isIpv6 && words[1] !== 'TCP4')) return ended('error', 1);
  const from = endOf(words[2], words[4], isIpv6);
  const to = endOf(words[3], words[5], isIpv6);
  if (from === null || to === null) return ended('error', 1);
  return { result: 'done', version: 1, size, ends: { from, to }, tlvs: noTlvs };
}

/** Null: it is none that a connection can have. */
function endOf(host: string, port: string, isIpv6: boolean): Address | null {
  const bytes = parseIp(host);
  if (bytes === null || (bytes.length === 16) !== isIpv6 || !isUnicast(bytes)) return null;
  if (!/^\d+$/.test(port) || Number(port) > 65_535) return null;
  return { kind: 'ip', host: formatIp(bytes), port: Number(port) };
}

function isUnicast(bytes: Uint8Array): boolean {
  if (bytes.every((byte) => byte === 0)) return false;
  if (bytes.length === 16) return bytes[0] !== 0xff;
  return bytes[0] >> 4 !== 0xe && !bytes.every((byte) => byte === 0xff);
}

function readVersion2(bytes: Uint8Array): ProxyProtocolHeader | null {
  const version = bytes[12] >> 4;
  const command = bytes[12] & 15;
  const family = bytes[13] >> 4;
  const transport = bytes[13] & 15;
  const size = fixedBytes2 + ((bytes[14] << 8) | bytes[15]);
  if (version !== 2) return ended('error', 2);
  if (command === Command.Local)
    return bytes.length < size ? null : { result: 'done', version: 2, size, ends: null, tlvs: noTlvs };
  if (family !== Family.Ipv4 && family !== Family.Ipv6) return ended('error', 2);
  const addressBytes = family === Family.Ipv4 ? 4 : 16;
  const tlvsAt = fixedBytes2 + 2 * addressBytes + 4;
  if (size < tlvsAt) return ended('error', 2);
  if (bytes.length < tlvsAt) return null;
  if (command !== Command.Proxy || (transport !== Transport.Stream && transport !== Transport.Datagram))
    return ended('error', 2);
  if (bytes.length < size) return null;
  const tlvs = readTlvs(bytes, tlvsAt, size);
  const from = endAt(bytes, fixedBytes2, addressBytes, tlvsAt - 4);
  const to = endAt(bytes, fixedBytes2 + addressBytes, addressBytes, tlvsAt - 2);
  if (tlvs === null || from === null || to === null) return ended('error', 2);
  return { result: 'done', version: 2, size, ends: { from, to }, tlvs };
}

function endAt(bytes: Uint8Array, at: number, size: number, portAt: number): Address | null {
  const address = bytes.subarray(at, at + size);
  if (!isUnicast(address)) return null;
  return { kind: 'ip', host: formatIp(address), port: (bytes[portAt] << 8) | bytes[portAt + 1] };
}

/** Of `bytes[from, to)`; null: they do not end where they should. */
function readTlvs(bytes: Uint8Array, from: number, to: number): readonly ProxyTlv[] | null {
  if (from === to) return noTlvs;
  const tlvs: ProxyTlv[] = [];
  let at = from;
  while (at < to) {
    if (at + 3 > to) return null;
    const end = at + 3 + ((bytes[at + 1] << 8) | bytes[at + 2]);
    if (end > to) return null;
    tlvs.push({ type: bytes[at], value: new Uint8Array(bytes.subarray(at + 3, end)) });
    at = end;
  }
  return tlvs;
}
