import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../../src/codec/hpack/byte-writer.ts';
import { HpackDecoder } from '../../../../src/codec/hpack/decoder.ts';
import { HpackEncoder, type HuffmanUse } from '../../../../src/codec/hpack/encoder.ts';
import { type Pair, decode, encode, encoderTableOf, fieldsOf, hexOf, tableOf } from './hex.ts';

function firstBytes(encoder: HpackEncoder, ...fields: Pair[]): number[] {
  return fields.map((field) => encode(encoder, [field])[0]);
}

/** Encodes and decodes, and holds the tables of both sides against each other. */
class Link {
  readonly encoder: HpackEncoder;
  readonly decoder: HpackDecoder;

  constructor(tableBytesMax = 4096) {
    this.encoder = new HpackEncoder(tableBytesMax);
    this.decoder = new HpackDecoder({ tableBytesMax: 4096, stringBytesMax: 1_000_000 });
  }

  send(...fields: Pair[]): Uint8Array {
    const block = encode(this.encoder, fields);
    expect(fieldsOf(this.decoder, block)).toEqual(fields);
    expect(encoderTableOf(this.encoder)).toEqual(tableOf(this.decoder));
    return block;
  }
}

describe('what is written', () => {
  test.for([
    ['what is in the static table', ':method', 'POST', 0x83],
    ['its last values', ':status', '500', 0x8e],
    ['an empty value of the static table', 'accept', '', 0x80 | 19],
    ['what may repeat, with indexing', 'x-tenant', 'a', 0x40],
    ['the same with a name of the static table', 'user-agent', 'a', 0x40 | 58],
    ['a path without indexing', ':path', '/a', 0x04],
    ['a length without', 'content-length', '17', 0x0f],
    ['an id that no other request has', 'x-request-id', '9736796e', 0x00],
    ['authorization never', 'authorization', 'Basic YTpi', 0x1f],
    ['proxy-authorization never', 'proxy-authorization', 'Basic YTpi', 0x1f],
    ['set-cookie never', 'set-cookie', 'a=b', 0x1f],
    ['a short cookie never', 'cookie', 'a=bbbbbbbbbbbbbbbbb', 0x1f],
    ['a cookie of 20 octets with indexing', 'cookie', 'a=bbbbbbbbbbbbbbbbbb', 0x60],
    ['a giant without', 'x-tenant', 'x'.repeat(3073), 0x00],
    ['what is barely none with', 'x-tenant', 'x'.repeat(3032), 0x40],
  ] as const)('%s', ([, name, value, first]) => {
    expect(firstBytes(new HpackEncoder(), [name, value])).toEqual([first]);
  });

  test('neverIndexed, and again, by index of its name', () => {
    const link = new Link();
    link.send(['x-secret', 'of the table']);
    const out = new ByteWriter(1);
    link.encoder.begin(out);
    link.encoder.neverIndexed(out, 'x-secret', 'of the table');
    link.encoder.neverIndexed(out, 'x-other', 'b');
    link.encoder.neverIndexed(out, ':path', '/');
    const { fields, never } = decode(link.decoder, out.bytes.slice(0, out.length));
    expect(fields).toEqual([
      ['x-secret', 'of the table'],
      ['x-other', 'b'],
      [':path', '/'],
    ]);
    expect(never).toEqual(['x-secret', 'x-other', ':path']);
    expect(hexOf(out.bytes.slice(0, 2))).toBe('1f2f');
    expect(encoderTableOf(link.encoder).entries.length).toBe(1);
  });

  test('what repeats is one byte from the second time on', () => {
    const link = new Link();
    const fields: Pair[] = [
      [':method', 'GET'],
      [':scheme', 'https'],
      [':authority', 'a.example'],
      ['user-agent', 'Mozilla/5.0'],
      ['x-tenant', 'blue'],
    ];
    expect(link.send(...fields).length).toBeGreaterThan(20);
    expect(hexOf(link.send(...fields))).toBe('8287c0bfbe');
    // In another order, too, and with other strings of the same text.
    expect(
      hexOf(link.send(...fields.toReversed().map(([name, value]): Pair => [name, value.split('').join('')]))),
    ).toBe('bebfc08782');
  });

  test('values in Huffman code only where that is shorter', () => {
    expect(hexOf(encode(new HpackEncoder(), [['x-a', '{}{}']]))).toContain(hexOf(Buffer.from('{}{}')));
    expect(hexOf(encode(new HpackEncoder(), [['x-a', 'eeee']]))).not.toContain(hexOf(Buffer.from('eeee')));
  });

  test('or everything, or nothing', () => {
    const plain = (use: HuffmanUse, name: string): boolean =>
      hexOf(encode(new HpackEncoder(4096, use), [[name, 'eeee']])).includes(hexOf(Buffer.from('eeee')));
    // The date goes into the table, a path does not.
    expect([plain('kept', 'date'), plain('kept', ':path')]).toEqual([false, true]);
    expect([plain('all', 'date'), plain('all', ':path')]).toEqual([false, false]);
    expect([plain('none', 'date'), plain('none', ':path')]).toEqual([true, true]);
  });

  test('characters are octets', () => {
    const link = new Link();
    const all = String.fromCharCode(...Array(256).keys());
    link.send(['x-a', all], ['x-a', all], [':path', all], [all, all]);
    link.send(...all.split('').map((c): Pair => ['x-a', c]));
  });

  test('long strings, whatever way they go', () => {
    const link = new Link();
    for (const length of [15, 16, 17, 126, 127, 128, 255, 2000, 20_000, 100_000]) {
      const [path, tenant] = ['/e'.repeat(length), '\xff'.repeat(length)];
      link.send([':path', path], ['x-tenant', tenant], ['x-tenant', 'e'.repeat(length)], ['n'.repeat(length), tenant]);
    }
  });
});

describe('the table', () => {
  test('evicts by age, exactly as the decoder does', () => {
    const link = new Link(200);
    for (let i = 0; i < 200; i++) link.send([`x-${i % 7}`, 'v'.repeat(i % 90)], ['x-same', 'same'], [':status', '302']);
  });

  test('values that are never used again are left out after a while, and tried again', () => {
    const link = new Link();
    const first = Array.from({ length: 400 }, (_, i) => link.send(['x-nonce', `value ${i}`])[0]);
    expect(first.slice(0, 16).every((byte) => byte >= 0x40)).toBe(true);
    expect(first.slice(16, 200).every((byte) => byte < 0x10)).toBe(true);
    expect(first.slice(200, 380).filter((byte) => byte >= 0x40).length).toBe(4);
    // One that does repeat gets in then.
    for (let i = 0; i < 250; i++) link.send(['x-nonce', 'the same']);
    expect(link.send(['x-nonce', 'the same']).length).toBe(1);
  });

  test('a name with very many values is not searched to the end', () => {
    const link = new Link();
    for (let round = 0; round < 30; round++) {
      link.send(...Array.from({ length: 100 }, (_, i): Pair => ['x-a', String(i)]), ['x-a', '99']);
    }
  });

  test('more names than are remembered', () => {
    const link = new Link();
    link.send(['x-kept', 'of before']);
    const other = new HpackEncoder();
    for (let i = 0; i < 5000; i++) encode(other, [[`x-name-${i}`, 'a']]);
    // It may be written anew, but never mistaken.
    link.send(['x-kept', 'of before'], ['x-kept', 'other']);
    link.send(['x-kept', 'of before'], ['x-kept', 'other']);
  });

  test('entries are numbered anew between blocks when the numbers run out', () => {
    const link = new Link(400);
    const table = link.encoder['table'];
    const fields = Array.from({ length: 5 }, (_, i): Pair => [`x-${i}`, `value ${i}`]);
    link.send(...fields);
    const off = 2 ** 30 - (2 ** 30 % 16);
    // As if that many had come and gone before.
    table.newest += off;
    table.evicted += off;
    for (let i = 0; i < 16; i++) if (table['before'][i] > 0) table['before'][i] += off;
    for (let i = 0; i < 64; i++) if (table['chains'][i] > 0) table['chains'][i] += off;
    link.encoder['lastBlock']['references'].forEach((_, i, all) => (all[i] += off));
    for (let i = 0; i < 30; i++) link.send(...fields, ['x-new', `n ${i}`], [`x-${i}`, 'other']);
    expect(table.newest).toBeLessThan(1000);
  });
});

describe('size updates', () => {
  test('nothing when the peer says what holds already, or more than we use', () => {
    const link = new Link();
    link.encoder.setPeerTableBytesMax(4096);
    link.encoder.setPeerTableBytesMax(65_536);
    expect(hexOf(link.send([':method', 'GET']))).toBe('82');
  });

  test('a smaller table, once', () => {
    const link = new Link();
    link.send(['x-a', 'b'], ['x-c', 'd']);
    link.encoder.setPeerTableBytesMax(40);
    link.decoder.setTableBytesMax(40);
    expect(hexOf(link.send([':method', 'GET']))).toBe('3f0982');
    expect(hexOf(link.send([':method', 'GET'], ['x-c', 'd']))).toBe('82be');
  });

  test('the lowest of several, then the last', () => {
    const link = new Link();
    link.send(['x-a', 'b']);
    for (const bytes of [1000, 0, 3000, 200]) link.encoder.setPeerTableBytesMax(bytes);
    expect(hexOf(link.send([':method', 'GET']))).toBe('203fa90182');
    expect(encoderTableOf(link.encoder)).toEqual({ bytes: 0, entries: [] });
  });

  test('lower and back again', () => {
    const link = new Link();
    link.send(['x-a', 'b']);
    link.encoder.setPeerTableBytesMax(0);
    link.encoder.setPeerTableBytesMax(4096);
    expect(hexOf(link.send([':method', 'GET']))).toBe('203fe11f82');
  });

  test('no table at all', () => {
    const link = new Link(0);
    expect(hexOf(link.send(['x-a', 'b']))).toMatch(/^2000/);
    expect(hexOf(link.send(['x-a', 'b'], [':method', 'GET']))).toMatch(/^00.*82$/);
  });

  test('a larger table, where we use it', () => {
    const encoder = new HpackEncoder(65_536);
    const decoder = new HpackDecoder({ tableBytesMax: 4096 });
    decoder.setTableBytesMax(16_384);
    encoder.setPeerTableBytesMax(16_384);
    const fields = Array.from({ length: 300 }, (_, i): Pair => [`x-${i % 60}`, `value ${i}`]);
    expect(fieldsOf(decoder, encode(encoder, fields))).toEqual(fields);
    expect(encoderTableOf(encoder)).toEqual(tableOf(decoder));
    expect(encoderTableOf(encoder).bytes).toBeGreaterThan(12_000);
    expect(encode(encoder, fields).length).toBeLessThan(700);
  });
});
