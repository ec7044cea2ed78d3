import { tags } from './der-reader.ts';

/** One element: its tag's byte, its length and its content, in parts. */
export function derElement(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([Uint8Array.of(tag, ...lengthBytes(size)), ...parts]);
}

export function derSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return derElement(tags.sequence, ...parts);
}

export function derSet(...parts: readonly Uint8Array[]): Uint8Array {
  return derElement(tags.set, ...parts);
}

/** `1.2.840.10045.4.3.2` */
export function derOid(dotted: string): Uint8Array {
  const [first, second, ...rest] = dotted.split('.').map(Number);
  return derElement(tags.oid, Uint8Array.from([first * 40 + second, ...rest].flatMap(base128)));
}

/** Of the bytes of a number that is not negative, most significant first. */
export function derInteger(bytes: Uint8Array): Uint8Array {
  let at = 0;
  while (at < bytes.length - 1 && bytes[at] === 0) at++;
  const significant = bytes.subarray(at);
  return significant[0] >= 0x80
    ? derElement(tags.integer, Uint8Array.of(0), significant)
    : derElement(tags.integer, significant);
}

/** Without unused bits. */
export function derBitString(bytes: Uint8Array): Uint8Array {
  return derElement(tags.bitString, Uint8Array.of(0), bytes);
}

export const derTrue: Uint8Array = derElement(tags.boolean, Uint8Array.of(0xff));

/** GeneralizedTime, to the second; RFC 5280 wants UTCTime before 2050. */
export function derTime(epochMs: number): Uint8Array {
  const digits = new Date(epochMs).toISOString().replace(/[-:T]|\.\d+/g, '');
  const isShort = Number(digits.slice(0, 4)) < 2050;
  return derElement(
    isShort ? tags.utcTime : tags.generalizedTime,
    Buffer.from(isShort ? digits.slice(2) : digits, 'latin1'),
  );
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}

function lengthBytes(size: number): number[] {
  if (size < 0x80) return [size];
  const bytes: number[] = [];
  for (let rest = size; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}
