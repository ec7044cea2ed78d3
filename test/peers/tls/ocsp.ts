import { createHash, X509Certificate } from 'node:crypto';
import { element } from '../../certificates.ts';

const dayMs = 86_400_000;

/** RFC 6960 section 4.2.1: that a certificate is good, for so many days from yesterday on. Nobody here checks who signed it. */
export function ocspResponse(certificate: Uint8Array, days: number): Buffer {
  const { serialNumber } = new X509Certificate(Buffer.from(certificate));
  const from = Date.now() - dayMs * (days > 0 ? 1 : 20);
  const hash = element(0x04, createHash('sha1').update('issuer').digest());
  const certificateId = sequence(algorithm(sha1), hash, hash, element(0x02, serialBytes(serialNumber)));
  const single = sequence(
    certificateId,
    element(0x80, Buffer.alloc(0)),
    time(from),
    element(0xa0, time(from + dayMs * Math.abs(days))),
  );
  const data = sequence(element(0xa2, hash), time(from), sequence(single));
  const signature = element(0x03, Buffer.alloc(64));
  const basic = sequence(data, algorithm(ecdsaSha256), signature);
  const bytes = sequence(element(0x06, basicResponse), element(0x04, basic));
  return Buffer.from(sequence(element(0x0a, Buffer.of(0)), element(0xa0, bytes)));
}

const sha1 = Buffer.from('2b0e03021a', 'hex');
const ecdsaSha256 = Buffer.from('2a8648ce3d040302', 'hex');
const basicResponse = Buffer.from('2b0601050507300101', 'hex');

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return element(0x30, Buffer.concat(parts));
}

function algorithm(oid: Uint8Array): Uint8Array {
  return sequence(element(0x06, oid), element(0x05, Buffer.alloc(0)));
}

function serialBytes(hex: string): Buffer {
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return bytes[0] < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]);
}

function time(epochMs: number): Uint8Array {
  const text = new Date(epochMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return element(0x18, Buffer.from(text));
}
