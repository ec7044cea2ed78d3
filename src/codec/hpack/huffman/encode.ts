import { codeLengths, codes } from './code.ts';

/** `code << 5 | length` where that fits 31 bits, which are codes of up to 19 bits: all of printable ASCII. 0: no. */
const packed = new Int32Array(256);
for (let octet = 0; octet < 256; octet++) {
  if (codeLengths[octet] <= 19) packed[octet] = (codes[octet] << 5) | codeLengths[octet];
}

/** Bytes that `octets[0, length)` take when encoded. */
export function huffmanSize(octets: Uint8Array, length: number): number {
  let bits = 0;
  for (let i = 0; i < length; i++) bits += codeLengths[octets[i]];
  return (bits + 7) >>> 3;
}

/** Encodes `octets[0, length)` to `out` from `at` on, and gives where it ends. */
export function encodeHuffman(octets: Uint8Array, length: number, out: Uint8Array, at: number): number {
  // Right-aligned in `held`; fewer than 8 bits between two octets, so that 19 more fit.
  let held = 0;
  let bits = 0;
  for (let i = 0; i < length; i++) {
    const entry = packed[octets[i]];
    if (entry !== 0) {
      held = (held << (entry & 31)) | (entry >> 5);
      bits += entry & 31;
    } else {
      // A long code goes in two parts.
      const code = codes[octets[i]];
      const rest = codeLengths[octets[i]] - 16;
      held = (held << 16) | (code >>> rest);
      bits += 16;
      while (bits >= 8) out[at++] = held >>> (bits -= 8);
      held = (held << rest) | (code & ((1 << rest) - 1));
      bits += rest;
    }
    while (bits >= 8) out[at++] = held >>> (bits -= 8);
  }
  if (bits > 0) out[at++] = (held << (8 - bits)) | (0xff >> bits);
  return at;
}
