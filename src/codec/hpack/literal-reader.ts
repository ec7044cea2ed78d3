import { latin1, noBytes } from '../../core/bytes.ts';
import { fieldNames, findFieldName } from '../h1/field-names.ts';
import { isCleanName, isCleanValue, isPadded } from './field/characters.ts';
import { isRepeating, isSecret } from './field/habits.ts';
import { decodeHuffman, huffmanRoom } from './huffman/decode.ts';
import { knownNames, staticNames } from './field/static-table.ts';
import { TextCache } from './text-cache.ts';

/** Of one name or value, as it is on the wire. Envoy's. */
export const stringBytesDefault = 64 * 1024;

/** What is known of a name, or of an entry with that name: bits. */
export const Trait = {
  CleanName: 1,
  /** Of an entry: name and value. */
  Clean: 2,
  /** Its values come again and are no secret: they are worth remembering. */
  Repeats: 4,
} as const;

/** By index of the static table. */
export const staticTraits: Uint8Array = Uint8Array.from(staticNames, (name) => traitsOf(name, true));

/** Longest literals that are remembered, as they are on the wire: paths and user agents; the usual names. */
const valueBytesMax = 128;
const nameBytesMax = 48;

// Shared by all connections of the thread.
const values = new TextCache(1024, valueBytesMax);
const names = new TextCache(256, nameBytesMax);
const scratch = new Uint8Array(16384);

/** The most bytes that follow an integer's prefix: 28 bits, far above what a block may hold. */
const integerShiftMax = 21;

/** Reads the primitives of RFC 7541 section 5, from `block[at, end)` on. */
export class LiteralReader {
  block: Uint8Array;
  at: number;
  end: number;
  /** Of one name or value, as it is on the wire. */
  readonly stringBytesMax: number;
  /** `Trait`s of the name that was read last. */
  traits: number;
  /** Of the value that was read last. */
  isCleanValue: boolean;
  /** Octets of the last string that was decoded. */
  private octets: Uint8Array;
  private octetsStart: number;
  private octetsEnd: number;
  /** An octet came out of Huffman's code that may be in no value. */
  private isBad: boolean;

  constructor(stringBytesMax: number = stringBytesDefault) {
    this.block = noBytes;
    this.at = 0;
    this.end = 0;
    this.stringBytesMax = stringBytesMax;
    this.traits = 0;
    this.isCleanValue = false;
    this.octets = noBytes;
    this.octetsStart = 0;
    this.octetsEnd = 0;
    this.isBad = false;
  }

  /** Turns to a block. */
  open(block: Uint8Array, start: number, end: number): void {
    this.block = block;
    this.at = start;
    this.end = end;
  }

  /** Holds on to no bytes: they are their owner's again. */
  close(): void {
    this.block = noBytes;
    this.octets = noBytes;
  }

  /** An integer whose prefix is `mask`'s bits of the byte at `at`; -1: cut off or too large. */
  integer(mask: number): number {
    const value = this.block[this.at++] & mask;
    return value < mask ? value : this.longInteger(mask);
  }

  /** A field name, and `traits`; null: no valid string. */
  name(): string | null {
    const { block } = this;
    if (this.at >= this.end) return null;
    const isHuffman = block[this.at] >= 0x80;
    const length = this.integer(0x7f);
    const start = this.at;
    const end = start + length;
    if (length < 0 || end > this.end) return null;
    this.at = end;
    const isKept = length <= names.textBytesMax && length > 0;
    if (isKept) {
      const place = names.find(block, start, end, isHuffman);
      if (place >= 0) {
        this.traits = names.traits[place];
        return names.texts[place];
      }
    }
    if (!this.look(start, end, isHuffman)) return null;
    const { octets, octetsStart, octetsEnd } = this;
    const isClean = isCleanName(octets, octetsStart, octetsEnd);
    const text = nameText(octets, octetsStart, octetsEnd, isClean);
    this.traits = traitsOf(text, isClean);
    if (isKept) names.offer(block, start, end, isHuffman, text, this.traits);
    return text;
  }

  /** A field value, and `isCleanValue`; null: no valid string. `isKept`: remember it if it comes again. */
  value(isKept: boolean): string | null {
    const { block } = this;
    if (this.at >= this.end) return null;
    const isHuffman = block[this.at] >= 0x80;
    const length = this.integer(0x7f);
    const start = this.at;
    const end = start + length;
    if (length < 0 || end > this.end) return null;
    this.at = end;
    isKept = isKept && length <= values.textBytesMax && length > 0;
    if (isKept) {
      const place = values.find(block, start, end, isHuffman);
      if (place >= 0) {
        this.isCleanValue = values.traits[place] !== 0;
        return values.texts[place];
      }
    }
    if (!this.look(start, end, isHuffman)) return null;
    const { octets, octetsStart, octetsEnd } = this;
    this.isCleanValue = isHuffman
      ? !this.isBad && !isPadded(octets, octetsStart, octetsEnd)
      : isCleanValue(octets, octetsStart, octetsEnd);
    const text = textOf(octets, octetsStart, octetsEnd);
    if (isKept) values.offer(block, start, end, isHuffman, text, this.isCleanValue ? 1 : 0);
    return text;
  }

  /** Points `octets` at what the string `block[start, end)` is. */
  private look(start: number, end: number, isHuffman: boolean): boolean {
    if (end - start > this.stringBytesMax) return false;
    if (!isHuffman) {
      this.octets = this.block;
      this.octetsStart = start;
      this.octetsEnd = end;
      return true;
    }
    const room = huffmanRoom(end - start);
    this.octets = room <= scratch.length ? scratch : new Uint8Array(room);
    this.octetsStart = 0;
    const decoded = decodeHuffman(this.block, start, end, this.octets);
    this.octetsEnd = decoded >> 1;
    this.isBad = (decoded & 1) !== 0;
    return decoded >= 0;
  }

  private longInteger(prefix: number): number {
    let value = prefix;
    for (let shift = 0; shift <= integerShiftMax && this.at < this.end; shift += 7) {
      const byte = this.block[this.at++];
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1;
  }
}

function traitsOf(name: string, isClean: boolean): number {
  return (isClean ? Trait.CleanName : 0) | (isRepeating(name) && !isSecret(name) ? Trait.Repeats : 0);
}

/** Well-known names are the codec's own strings. `findFieldName` is exact only for clean names. */
function nameText(bytes: Uint8Array, start: number, end: number, isClean: boolean): string {
  const known = isClean ? findFieldName(bytes, start, end) : -1;
  if (known >= 0) return fieldNames[known];
  const text = textOf(bytes, start, end);
  return knownNames.get(text) ?? text;
}

const from = String.fromCharCode;

/** Short strings come quicker from their character codes than through a call into Node. */
function textOf(b: Uint8Array, i: number, end: number): string {
  // hot: bench/hpack.ts
  switch (end - i) {
    case 0:
      return '';
    case 1:
      return from(b[i]);
    case 2:
      return from(b[i], b[i + 1]);
    case 3:
      return from(b[i], b[i + 1], b[i + 2]);
    case 4:
      return from(b[i], b[i + 1], b[i + 2], b[i + 3]);
    case 5:
      return from(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4]);
    case 6:
      return from(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5]);
    case 7:
      return from(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6]);
    case 8:
      return from(b[i], b[i + 1], b[i + 2], b[i + 3], b[i + 4], b[i + 5], b[i + 6], b[i + 7]);
    default:
      return latin1(b, i, end);
  }
}
