import type { CertificateFacts } from '../core/tls-facts.ts';
import { DerError, DerReader, tags } from './asn1/der-reader.ts';
import { distinguishedName } from './asn1/distinguished-name.ts';
import { serialText } from './certificate.ts';
import { pemBlocks } from './pem.ts';

/** Serial numbers that are revoked, by who has given them out: names and numbers as certificates say them. */
export type RevokedCertificates = ReadonlyMap<string, ReadonlySet<string>>;

/** A file that is no revocation list. */
export class RevocationListError extends Error {}

/** RFC 5280 section 5, one list in DER or several in PEM. Who has signed them is not asked. @throws RevocationListError */
export function readRevocationLists(file: Uint8Array): RevokedCertificates {
  const text = Buffer.from(file).toString('latin1');
  const isPem = text.includes('-----BEGIN ');
  const lists = isPem ? pemBlocks(text).filter(({ label }) => label === 'X509 CRL') : [{ bytes: file }];
  if (lists.length === 0) throw new RevocationListError('no certificate revocation list in it');
  const revoked = new Map<string, Set<string>>();
  try {
    for (const { bytes } of lists) readList(bytes, revoked);
  } catch (error) {
    if (error instanceof DerError) throw new RevocationListError(`not a certificate revocation list: ${error.message}`);
    throw error;
  }
  return revoked;
}

/** The first of a chain that is revoked; null: none. Whose authority has no list is not revoked. */
export function revokedAmong(
  chain: readonly CertificateFacts[],
  revoked: RevokedCertificates,
): CertificateFacts | null {
  return chain.find(({ issuer, serial }) => revoked.get(issuer)?.has(serial) === true) ?? null;
}

function readList(der: Uint8Array, revoked: Map<string, Set<string>>): void {
  const whole = new DerReader(der);
  const list = whole.expect(tags.sequence).inner;
  if (whole.next()) throw new DerError('more than one element');
  const fields = list.expect(tags.sequence).inner;
  list.expect(tags.sequence);
  list.expect(tags.bitString);
  fields.next();
  if (fields.tag === tags.integer) fields.next();
  if (fields.tag !== tags.sequence) throw new DerError('no algorithm');
  const issuer = distinguishedName(fields.expect(tags.sequence).inner);
  const serials = revoked.get(issuer) ?? new Set();
  revoked.set(issuer, serials);
  // Between them and the name are the times of this update and of the next.
  while (fields.next()) if (fields.tag === tags.sequence) readEntries(fields.inner, serials);
}

function readEntries(entries: DerReader, serials: Set<string>): void {
  while (entries.next()) serials.add(serialText(entries.inner.expect(tags.integer).content));
}
