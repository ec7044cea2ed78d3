import type { SanType } from '../secret-data.ts';
import { asn1Text, latin1 } from './asn1-text.ts';
import { type DerReader, tags } from './der-reader.ts';
import { dottedOid } from './object-identifier.ts';

/** A subject alternative name. */
export interface GeneralName {
  /** Null: a directory name, a registered id or another that nothing can be matched against; its value is empty. */
  readonly type: SanType | null;
  /** Dotted; empty but for OTHER_NAME. */
  readonly oid: string;
  /** As Envoy writes it, a character per byte. */
  readonly value: string;
}

/** Context tags of GeneralName, RFC 5280 section 4.2.1.6. */
const otherName = 0xa0;
const rfc822Name = 0x81;
const dnsName = 0x82;
const uri = 0x86;
const ipAddress = 0x87;

/** @throws DerError */
export function generalNames(names: DerReader): GeneralName[] {
  const found: GeneralName[] = [];
  while (names.next()) {
    const { content } = names;
    switch (names.tag) {
      case dnsName:
        found.push({ type: 'DNS', oid: '', value: latin1(content) });
        break;
      case uri:
        found.push({ type: 'URI', oid: '', value: latin1(content) });
        break;
      case rfc822Name:
        found.push({ type: 'EMAIL', oid: '', value: latin1(content) });
        break;
      case ipAddress:
        found.push({ type: 'IP_ADDRESS', oid: '', value: ipText(content) });
        break;
      case otherName:
        found.push(readOtherName(names.inner));
        break;
      default:
        found.push({ type: null, oid: '', value: '' });
    }
  }
  return found;
}

function readOtherName(parts: DerReader): GeneralName {
  const oid = dottedOid(parts.expect(tags.oid).content);
  const value = parts.expect(otherName).inner;
  return { type: 'OTHER_NAME', oid, value: value.next() ? otherValue(value) : '' };
}

/** Envoy's `generalNameAsString`: text as its bytes, numbers decimal, anything else empty. */
function otherValue(value: DerReader): string {
  const { tag, content } = value;
  switch (tag) {
    case tags.boolean:
      return content.some((byte) => byte !== 0) ? 'true' : 'false';
    case tags.integer:
    case tags.enumerated:
      return signedInteger(content).toString();
    case tags.oid:
      return dottedOid(content);
    case tags.bitString:
      return latin1(content.subarray(1));
    case tags.bmpString:
    case tags.universalString:
      return asn1Text(tag, content)?.split('\0')[0] ?? '';
    case tags.sequence:
    case tags.set:
      return latin1(value.element);
    case tags.octetString:
    case tags.utf8String:
    case tags.printableString:
    case tags.t61String:
    case tags.ia5String:
    case tags.visibleString:
    case tags.generalString:
    case tags.utcTime:
    case tags.generalizedTime:
      return latin1(content);
    default:
      return '';
  }
}

function signedInteger(content: Uint8Array): bigint {
  if (content.length === 0) return 0n;
  return BigInt.asIntN(content.length * 8, BigInt(`0x${Buffer.from(content).toString('hex')}`));
}

/** As inet_ntop prints it; empty: neither four bytes nor sixteen. */
function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return '';
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(bytes[i] * 256 + bytes[i + 1]);
  const gap = longestGap(groups);
  if (gap.start === 0 && groups.slice(0, 5).every((group) => group === 0)) {
    const mapped = bytes.subarray(12).join('.');
    if (gap.length === 6) return `::${mapped}`;
    if (gap.length === 5 && groups[5] === 0xffff) return `::ffff:${mapped}`;
  }
  const text = groups.map((group) => group.toString(16));
  if (gap.length < 2) return text.join(':');
  return `${text.slice(0, gap.start).join(':')}::${text.slice(gap.start + gap.length).join(':')}`;
}

/** The first of the longest runs of zeros. */
function longestGap(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < groups.length; i++) {
    let length = 0;
    while (groups[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
    i += length;
  }
  return best;
}
