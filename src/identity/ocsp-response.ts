import { asn1TimeMs } from './asn1/asn1-time.ts';
import { DerError, DerReader, tags } from './asn1/der-reader.ts';
import type { Certificate } from './certificate.ts';

/** What of an OCSP response (RFC 6960) decides whether it is stapled. */
export interface OcspResponse {
  /** Of the certificate that it is about, hexadecimal as `Certificate.serial`. */
  readonly serial: string;
  readonly thisUpdateEpochMs: number;
  /** Null: it counts as expired. */
  readonly nextUpdateEpochMs: number | null;
}

/** Of id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1. */
const basicResponse = '2b0601050507300101';

/** @returns Envoy's sentence where it cannot be stapled */
export function readOcspResponse(der: Uint8Array): OcspResponse | string {
  try {
    const whole = new DerReader(der);
    if (!whole.next() || whole.tag !== tags.sequence) return 'OCSP Response is not a well-formed ASN.1 SEQUENCE';
    if (whole.at !== der.length) return 'Data contained more than a single OCSP response';
    return readParts(whole.inner);
  } catch (error) {
    if (error instanceof DerError) return `OCSP response cannot be read: ${error.message}`;
    throw error;
  }
}

function readParts(parts: DerReader): OcspResponse | string {
  const status = parts.expect(tags.enumerated).content;
  if (status[0] !== 0) return 'OCSP response was unsuccessful';
  if (!parts.next()) return 'OCSP response has no body';
  const body = parts.inner.expect(tags.sequence).inner;
  const type = Buffer.from(body.expect(tags.oid).content).toString('hex');
  if (type !== basicResponse) return 'Unknown OCSP Response type';
  const basic = body.expect(tags.octetString).inner.expect(tags.sequence).inner;
  const data = basic.expect(tags.sequence).inner;
  // Version, responder and instant are passed over.
  while (data.next() && data.tag !== tags.sequence);
  const responses = data.inner;
  if (!responses.next()) return 'OCSP Response must be for one certificate only';
  const single = readSingle(responses.inner);
  return responses.next() ? 'OCSP Response must be for one certificate only' : single;
}

function readSingle(single: DerReader): OcspResponse {
  const id = single.expect(tags.sequence).inner;
  id.expect(tags.sequence);
  id.expect(tags.octetString);
  id.expect(tags.octetString);
  const serial = Buffer.from(id.expect(tags.integer).content)
    .toString('hex')
    .replace(/^(00)+(?=..)/, '');
  single.next();
  const thisUpdateEpochMs = asn1TimeMs(tags.generalizedTime, single.expect(tags.generalizedTime).content);
  if (!single.next() || single.tag !== 0xa0) return { serial, thisUpdateEpochMs, nextUpdateEpochMs: null };
  const nextUpdate = single.inner.expect(tags.generalizedTime).content;
  return { serial, thisUpdateEpochMs, nextUpdateEpochMs: asn1TimeMs(tags.generalizedTime, nextUpdate) };
}

/** Why a response cannot be stapled to a certificate; empty: it can. */
export function ocspProblem(der: Uint8Array, { serial }: Certificate): string {
  const response = readOcspResponse(der);
  if (typeof response === 'string') return response;
  return response.serial === serial ? '' : 'OCSP response does not match its TLS certificate';
}
