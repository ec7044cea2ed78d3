import { readCertificate, type Certificate } from './certificate.ts';

/** What stands between two lines of dashes, decoded. */
export interface PemBlock {
  /** `CERTIFICATE`, `X509 CRL`, `PRIVATE KEY` … */
  readonly label: string;
  readonly bytes: Uint8Array;
}

/** More than any bundle has. */
const blocksMax = 10_000;

const begin = '-----BEGIN ';
const dashes = '-----';

/** Whatever stands between the blocks is passed over, as OpenSSL does. What begins and does not end is left out. */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let at = text.indexOf(begin);
  while (at !== -1 && blocks.length < blocksMax) {
    const labelStart = at + begin.length;
    const labelEnd = text.indexOf(dashes, labelStart);
    if (labelEnd === -1) break;
    const label = text.slice(labelStart, labelEnd);
    const bodyStart = labelEnd + dashes.length;
    const bodyEnd = text.indexOf(`-----END ${label}${dashes}`, bodyStart);
    if (bodyEnd === -1) break;
    blocks.push({ label, bytes: Buffer.from(text.slice(bodyStart, bodyEnd), 'base64') });
    at = text.indexOf(begin, bodyEnd);
  }
  return blocks;
}

const certificateLabels: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE']);

/** Every certificate of a PEM text, in order. @throws CertificateError */
export function certificatesOfPem(text: string): Certificate[] {
  return pemBlocks(text)
    .filter(({ label }) => certificateLabels.has(label))
    .map(({ bytes }) => readCertificate(bytes));
}
