import { asn1Text } from './asn1-text.ts';
import { type DerReader, tags } from './der-reader.ts';
import { dottedOid } from './object-identifier.ts';

/** What BoringSSL calls the attributes that certificates have. */
const shortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'street',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.13': 'description',
  '2.5.4.15': 'businessCategory',
  '2.5.4.16': 'postalAddress',
  '2.5.4.17': 'postalCode',
  '2.5.4.18': 'postOfficeBox',
  '2.5.4.20': 'telephoneNumber',
  '2.5.4.41': 'name',
  '2.5.4.42': 'GN',
  '2.5.4.43': 'initials',
  '2.5.4.44': 'generationQualifier',
  '2.5.4.45': 'x500UniqueIdentifier',
  '2.5.4.46': 'dnQualifier',
  '2.5.4.65': 'pseudonym',
  '2.5.4.72': 'role',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.3': 'mail',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
  '1.2.840.113549.1.9.2': 'unstructuredName',
  '1.2.840.113549.1.9.7': 'challengePassword',
  '1.2.840.113549.1.9.8': 'unstructuredAddress',
};

interface NameEntry {
  /** Which RelativeDistinguishedName it is part of. */
  readonly set: number;
  readonly oid: string;
  readonly tag: number;
  readonly content: Uint8Array;
  readonly element: Uint8Array;
}

/**
 * A Name as RFC 2253 writes it and BoringSSL prints it with XN_FLAG_RFC2253, which is what Envoy's operators say:
 * the last part first, `+` within a part of several values, bytes beyond ASCII as `\C3`.
 * @throws DerError
 */
export function distinguishedName(name: DerReader): string {
  const entries: NameEntry[] = [];
  for (let set = 0; name.next(); set++) {
    for (const parts = name.inner; parts.next();) {
      const pair = parts.inner;
      const oid = dottedOid(pair.expect(tags.oid).content);
      pair.next();
      entries.push({ set, oid, tag: pair.tag, content: pair.content, element: pair.element });
    }
  }
  let text = '';
  let set = -1;
  for (const entry of entries.toReversed()) {
    if (set !== -1) text += set === entry.set ? '+' : ',';
    set = entry.set;
    text += printEntry(entry);
  }
  return text;
}

/** The text of every CN of a Name, in order. @throws DerError */
export function commonNames(name: DerReader): string[] {
  const found: string[] = [];
  while (name.next()) {
    for (const parts = name.inner; parts.next();) {
      const pair = parts.inner;
      if (dottedOid(pair.expect(tags.oid).content) !== '2.5.4.3' || !pair.next()) continue;
      found.push(asn1Text(pair.tag, pair.content) ?? '');
    }
  }
  return found;
}

function printEntry({ oid, tag, content, element }: NameEntry): string {
  const known = shortNames[oid];
  const text = known === undefined ? null : asn1Text(tag, content);
  // A value whose type says nothing of its text is written as its DER.
  const value = text === null ? `#${hex(element)}` : escapeValue(text);
  return `${known ?? oid}=${value}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').toUpperCase();
}

const plain = /^[^\0-\x1f\x7f-\xff,+"\\<>; #]*$/; // oxlint-disable-line no-control-regex
const special = ',+"\\<>;';

/** RFC 2253 section 2.4. `text` has a character per byte. */
function escapeValue(text: string): string {
  if (plain.test(text)) return text;
  let escaped = '';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const letter = text[i];
    if (code < 0x20 || code >= 0x7f) escaped += `\\${code.toString(16).toUpperCase().padStart(2, '0')}`;
    else if (special.includes(letter) || isEscapedAtEdge(letter, i, text.length)) escaped += `\\${letter}`;
    else escaped += letter;
  }
  return escaped;
}

function isEscapedAtEdge(letter: string, i: number, length: number): boolean {
  return (i === 0 && (letter === ' ' || letter === '#')) || (i === length - 1 && letter === ' ');
}
