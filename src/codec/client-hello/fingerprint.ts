import type { ClientHello } from './client-hello.ts';
import type { ByteReader } from './byte-reader.ts';
import { Extension } from './extensions.ts';

/** Values that clients make up so that servers learn to skip what they do not know (RFC 8701). */
function isGrease(value: number): boolean {
  return (value & 0x0f0f) === 0x0a0a && value >> 8 === (value & 0xff);
}

function withoutGrease(values: readonly number[]): number[] {
  return values.filter((value) => !isGrease(value));
}

/** MD5 of `version,suites,extensions,groups,point formats`, lower-case hexadecimal. As Envoy's tls_inspector makes it. */
export function ja3(hello: ClientHello): string {
  const groups = listOf(hello.extension(Extension.SupportedGroups), 2);
  const formats = listOf(hello.extension(Extension.PointFormats), 1);
  const parts = [
    [hello.legacyVersion],
    withoutGrease(hello.cipherSuites),
    withoutGrease(hello.extensions.map(({ type }) => type)),
    groups,
    formats,
  ];
  return process
    .getBuiltinModule('node:crypto')
    .createHash('md5')
    .update(parts.map((part) => part.join('-')).join(','))
    .digest('hex');
}

/** What stands behind a length of `width` bytes, whatever that says: numbers of `width` bytes. */
function listOf(contents: ByteReader | null, width: 1 | 2): number[] {
  if (contents === null) return [];
  const next = (): number => (width === 1 ? contents.u8() : contents.u16());
  next();
  const list: number[] = [];
  while (contents.left > 0 && !contents.hasFailed) {
    const value = next();
    if (!contents.hasFailed) list.push(value);
  }
  return list;
}

const versionNames = new Map([
  [0x0304, '13'],
  [0x0303, '12'],
  [0x0302, '11'],
  [0x0301, '10'],
]);

/** FoxIO's JA4 of a hello over TCP: `t13d1516h2_8daaf6152771_b186095e22b6`. As Envoy's tls_inspector makes it. */
export function ja4(hello: ClientHello): string {
  const suites = withoutGrease(hello.cipherSuites);
  const types = withoutGrease(hello.extensions.map(({ type }) => type));
  const name = hello.extension(Extension.ServerName) === null ? 'i' : 'd';
  const counts = twoDigits(suites.length) + twoDigits(types.length);
  const head = `t${versionName(hello)}${name}${counts}${alpnName(hello)}`;
  const hashed = types.filter((type) => type !== Extension.ServerName && type !== Extension.Alpn);
  const signatures = listOf(hello.extension(Extension.SignatureAlgorithms), 2);
  const suffix = signatures.length === 0 ? '' : `_${hexadecimal(signatures)}`;
  return `${head}_${digest(suites, '')}_${digest(hashed, suffix)}`;
}

function versionName(hello: ClientHello): string {
  const contents = hello.extension(Extension.SupportedVersions);
  let highest = 0;
  if (contents !== null) {
    const list = contents.vector8();
    if (contents.hasFailed) return '00';
    highest = Math.max(0, ...withoutGrease(list.numbers()));
  }
  return versionNames.get(highest === 0 ? hello.legacyVersion : highest) ?? '00';
}

/** First and last character of the first protocol; where one is no letter or digit, both in hexadecimal. */
function alpnName(hello: ClientHello): string {
  const contents = hello.extension(Extension.Alpn);
  if (contents === null) return '00';
  contents.u16();
  const name = contents.vector8();
  if (contents.hasFailed || name.left === 0) return '00';
  const first = name.bytes[name.at];
  const last = name.bytes[name.end - 1];
  if (isAlphanumeric(first) && isAlphanumeric(last)) return String.fromCharCode(first, last);
  return Buffer.of(first, last).toString('hex');
}

function isAlphanumeric(byte: number): boolean {
  return /[0-9A-Za-z]/.test(String.fromCharCode(byte));
}

function twoDigits(count: number): string {
  return String(Math.min(count, 99)).padStart(2, '0');
}

function hexadecimal(values: readonly number[]): string {
  return values.map((value) => value.toString(16).padStart(4, '0')).join(',');
}

const digestCharacters = 12;

function digest(values: readonly number[], suffix: string): string {
  if (values.length === 0) return '0'.repeat(digestCharacters);
  const text = hexadecimal(values.toSorted((a, b) => a - b)) + suffix;
  return process
    .getBuiltinModule('node:crypto')
    .createHash('sha256')
    .update(text)
    .digest('hex')
    .slice(0, digestCharacters);
}
