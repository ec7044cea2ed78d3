import { WireType } from '../../filter/wire/wire-type.ts';
import type { WireWriter } from '../../filter/wire/wire-writer.ts';

const utf8 = new TextDecoder();

/** Text of a byte string: what is no UTF-8 in it becomes U+FFFD. */
export function textOf(bytes: string): string {
  const codes = new Uint8Array(bytes.length);
  let isAscii = true;
  for (let i = 0; i < bytes.length; i++) {
    codes[i] = bytes.charCodeAt(i);
    if (codes[i] > 127) isAscii = false;
  }
  return isAscii ? bytes : utf8.decode(codes);
}

/** A field of type string from a byte string, unless it is empty. */
export function writeText(writer: WireWriter, number: number, bytes: string): void {
  if (bytes === '') return;
  writer.tag(number, WireType.LengthDelimited);
  if (!writer.ascii(bytes)) writer.string(textOf(bytes));
}

/** A field of type uint32, uint64 or an enumeration, unless it is 0. */
export function writeNumber(writer: WireWriter, number: number, value: number): void {
  if (value > 0) writer.tag(number, WireType.Varint).uint64(value);
}

export function writeFlag(writer: WireWriter, number: number, value: boolean): void {
  if (value) writer.tag(number, WireType.Varint).uint32(1);
}

/** Nanoseconds since the Unix epoch of milliseconds. */
export function nanosOf(epochMs: number): bigint {
  return BigInt(Math.round(epochMs * 1000)) * 1000n;
}
