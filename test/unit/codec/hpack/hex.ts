import { ByteWriter } from '../../../../src/codec/hpack/byte-writer.ts';
import { type HpackDecoder, HpackError } from '../../../../src/codec/hpack/decoder.ts';
import type { HpackEncoder } from '../../../../src/codec/hpack/encoder.ts';

export type Pair = readonly [name: string, value: string];

/** Bytes as the RFC prints them: in hexadecimal, with any white space. */
export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export interface Decoded {
  readonly error: HpackError;
  readonly fields: Pair[];
  /** Names of the fields that may never be indexed. */
  readonly never: string[];
  /** Names of the fields that are not known to be clean. */
  readonly unclean: string[];
}

export const noLimit = 1_000_000_000;

export function decode(
  decoder: HpackDecoder,
  block: string | Uint8Array,
  listBytesMax = noLimit,
  fieldsMax = noLimit,
): Decoded {
  const bytes = typeof block === 'string' ? bytesOf(block) : block;
  const fields: Pair[] = [];
  const never: string[] = [];
  const unclean: string[] = [];
  const error = decoder.decode(bytes, 0, bytes.length, listBytesMax, fieldsMax, {
    onField(name, value, isNeverIndexed, isClean) {
      fields.push([name, value]);
      if (isNeverIndexed) never.push(name);
      if (!isClean) unclean.push(name);
    },
  });
  return { error, fields, never, unclean };
}

/** The fields of a block that must be valid. */
export function fieldsOf(decoder: HpackDecoder, block: string | Uint8Array): Pair[] {
  const { error, fields } = decode(decoder, block);
  if (error !== HpackError.None) throw new Error(`HpackError ${error} after ${JSON.stringify(fields)}`);
  return fields;
}

export function encode(encoder: HpackEncoder, fields: readonly Pair[]): Uint8Array {
  const out = new ByteWriter(8);
  encoder.begin(out);
  for (const [name, value] of fields) encoder.field(out, name, value);
  return out.bytes.slice(0, out.length);
}

/** The dynamic table, the newest entry first. */
export function tableOf(decoder: HpackDecoder): { bytes: number; entries: Pair[] } {
  const table = decoder['table'];
  const entries = Array.from({ length: table.length }, (_, age): Pair => {
    const slot = table.slotOf(age);
    return [table.names[slot], table.values[slot]];
  });
  return { bytes: table.bytes, entries };
}

/** The dynamic table of the writing side, the newest entry first. */
export function encoderTableOf(encoder: HpackEncoder): { bytes: number; entries: Pair[] } {
  const table = encoder['table'];
  const entries: Pair[] = [];
  for (let number = table.newest; number > table.evicted; number--) {
    const slot = number & table['mask'];
    entries.push([table['names'][slot]!.name, table['values'][slot]]);
  }
  return { bytes: table.bytes, entries };
}
