import { expect, test } from 'vitest';
import { codeLengths, codes, eos } from '../../../../src/codec/hpack/huffman/code.ts';
import { decodeHuffman, huffmanRoom } from '../../../../src/codec/hpack/huffman/decode.ts';
import { encodeHuffman, huffmanSize } from '../../../../src/codec/hpack/huffman/encode.ts';
import { bytesOf } from './hex.ts';

function encoded(octets: Uint8Array): Uint8Array {
  const out = new Uint8Array(octets.length * 4 + 8);
  const end = encodeHuffman(octets, octets.length, out, 3);
  expect(end - 3).toBe(huffmanSize(octets, octets.length));
  return out.slice(3, end);
}

function decoded(bytes: Uint8Array): Uint8Array | null {
  const out = new Uint8Array(huffmanRoom(bytes.length));
  const length = decodeHuffman(bytes, 0, bytes.length, out);
  return length < 0 ? null : out.slice(0, length >> 1);
}

test.for([
  ['0', 0x0, 5],
  ['a', 0x3, 5],
  [' ', 0x14, 6],
  ['z', 0x7b, 7],
  ['X', 0xfc, 8],
  ['\\', 0x7fff0, 19],
  ['\x00', 0x1ff8, 13],
  ['\x7f', 0xffffffc, 28],
  ['\xff', 0x3ffffee, 26],
  ['\n', 0x3ffffffc, 30],
] as const)('the code of %j', ([character, code, length]) => {
  expect(codes[character.charCodeAt(0)]).toBe(code);
  expect(codeLengths[character.charCodeAt(0)]).toBe(length);
});

test('EOS is thirty ones', () => {
  expect(codes[eos]).toBe(0x3fffffff);
  expect(codeLengths[eos]).toBe(30);
});

test('every pair of octets', () => {
  const octets = new Uint8Array(2 * 65_536);
  for (let i = 0; i < 65_536; i++) octets.set([i >> 8, i & 255], i * 2);
  expect(decoded(encoded(octets))).toEqual(octets);
  for (let i = 0; i < 65_536; i += 7) {
    const pair = octets.slice(i * 2, i * 2 + 2);
    expect(decoded(encoded(pair))).toEqual(pair);
  }
});

test('says whether an octet may be in no field value', () => {
  const out = new Uint8Array(64);
  for (let octet = 0; octet < 256; octet++) {
    const isBad = (octet < 0x20 && octet !== 9) || octet === 0x7f;
    for (const text of [[octet], [0x61, octet, 0x62], [0x61, 0x7e, octet, octet]]) {
      const bytes = encoded(Uint8Array.from(text));
      expect(decodeHuffman(bytes, 0, bytes.length, out)).toBe((text.length << 1) | (isBad ? 1 : 0));
    }
  }
});

test.for([
  ['nothing', ''],
  ['a letter of 8 bits, without padding', 'fc'],
  ['7 bits of padding', '028a7f'],
])('%s is fine', ([, hex]) => {
  expect(decoded(bytesOf(hex))).not.toBeNull();
});

test.for([
  ['8 bits of padding', 'ff'],
  ['8 bits after a letter', '1fff'],
  ['EOS', 'ffffffff'],
  ['EOS and more', 'fffffffc1f'],
  ['EOS after a letter', '1fffffffff'],
  ['padding with zeros', '18'],
  ['padding that is no prefix of EOS', '1e'],
  ['a long code that is cut off', 'fffe'],
])('%s is refused', ([, hex]) => {
  expect(decoded(bytesOf(hex))).toBeNull();
});
