import { writeLatin1 } from '../../core/bytes.ts';
import { encodeHuffman, huffmanSize } from './huffman/encode.ts';

/** The most bytes of an integer: no string is longer than 2^30. */
const integerBytesMax = 6;

/** Up to here a loop over the characters is quicker than a call into Node. */
const loopLengthMax = 16;

const scratchBytes = 16384;
const scratch = new Uint8Array(scratchBytes);

/** The most bytes that `writeText` writes for it. */
export function textRoom(text: string): number {
  return text.length + integerBytesMax;
}

/** Writes an integer after the upper bits `flags`, of which `mask` is the rest of the byte; gives where it ends. */
export function writeInteger(bytes: Uint8Array, at: number, flags: number, mask: number, value: number): number {
  if (value < mask) {
    bytes[at] = flags | value;
    return at + 1;
  }
  bytes[at++] = flags | mask;
  for (value -= mask; value >= 0x80; value >>>= 7) bytes[at++] = value | 0x80;
  bytes[at] = value;
  return at + 1;
}

/** Writes a string literal; gives where it ends. `isHuffman`: encoded where that is shorter. */
export function writeText(bytes: Uint8Array, at: number, text: string, isHuffman: boolean): number {
  const { length } = text;
  if (isHuffman && length > 1) {
    const octets = length <= scratchBytes ? scratch : new Uint8Array(length);
    writeLatin1(octets, text, 0);
    const size = huffmanSize(octets, length);
    if (size < length) return encodeHuffman(octets, length, bytes, writeInteger(bytes, at, 0x80, 0x7f, size));
  }
  at = writeInteger(bytes, at, 0, 0x7f, length);
  if (length > loopLengthMax) writeLatin1(bytes, text, at);
  else for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + length;
}
