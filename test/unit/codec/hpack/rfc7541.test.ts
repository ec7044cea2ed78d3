import { describe, expect, test } from 'vitest';
import { HpackDecoder } from '../../../../src/codec/hpack/decoder.ts';
import { HpackEncoder } from '../../../../src/codec/hpack/encoder.ts';
import { LiteralReader } from '../../../../src/codec/hpack/literal-reader.ts';
import { writeInteger } from '../../../../src/codec/hpack/string-writer.ts';
import { type Pair, bytesOf, decode, encode, encoderTableOf, fieldsOf, hexOf, tableOf } from './hex.ts';

// The examples of RFC 7541 appendix C.

describe('C.1 integers', () => {
  test.for([
    ['C.1.1', '0a', 0x1f, 10],
    ['C.1.2', '1f9a0a', 0x1f, 1337],
    ['C.1.3', '2a', 0xff, 42],
  ] as const)('%s', ([, hex, mask, value]) => {
    const bytes = bytesOf(hex);
    const reader = new LiteralReader();
    reader.open(bytes, 0, bytes.length);
    expect(reader.integer(mask)).toBe(value);
    expect(reader.at).toBe(bytes.length);
    const out = new Uint8Array(8);
    expect(hexOf(out.subarray(0, writeInteger(out, 0, 0, mask, value)))).toBe(hex);
  });
});

describe('C.2 representations', () => {
  test('C.2.1 with indexing', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4096 });
    const block = '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572';
    expect(fieldsOf(decoder, block)).toEqual([['custom-key', 'custom-header']]);
    expect(tableOf(decoder)).toEqual({ bytes: 55, entries: [['custom-key', 'custom-header']] });
  });

  test('C.2.2 without indexing', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4096 });
    const block = '040c 2f73 616d 706c 652f 7061 7468';
    expect(fieldsOf(decoder, block)).toEqual([[':path', '/sample/path']]);
    expect(tableOf(decoder)).toEqual({ bytes: 0, entries: [] });
    expect(encode(new HpackEncoder(), [[':path', '/sample/path']])).toEqual(bytesOf(block));
  });

  test('C.2.3 never indexed', () => {
    const decoder = new HpackDecoder({ tableBytesMax: 4096 });
    const { fields, never } = decode(decoder, '1008 7061 7373 776f 7264 0673 6563 7265 74');
    expect(fields).toEqual([['password', 'secret']]);
    expect(never).toEqual(['password']);
    expect(tableOf(decoder)).toEqual({ bytes: 0, entries: [] });
  });

  test('C.2.4 indexed', () => {
    expect(fieldsOf(new HpackDecoder({ tableBytesMax: 4096 }), '82')).toEqual([[':method', 'GET']]);
    expect(encode(new HpackEncoder(), [[':method', 'GET']])).toEqual(bytesOf('82'));
  });
});

interface Step {
  /** In plain octets, and in Huffman's code. */
  readonly plain: string;
  readonly huffman: string;
  readonly fields: readonly Pair[];
  readonly table: { bytes: number; entries: Pair[] };
}

const authority: Pair = [':authority', 'www.example.com'];
const noCache: Pair = ['cache-control', 'no-cache'];
const custom: Pair = ['custom-key', 'custom-value'];

const requests: readonly Step[] = [
  {
    plain: '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
    huffman: '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
    fields: [[':method', 'GET'], [':scheme', 'http'], [':path', '/'], authority],
    table: { bytes: 57, entries: [authority] },
  },
  {
    plain: '8286 84be 5808 6e6f 2d63 6163 6865',
    huffman: '8286 84be 5886 a8eb 1064 9cbf',
    fields: [[':method', 'GET'], [':scheme', 'http'], [':path', '/'], authority, noCache],
    table: { bytes: 110, entries: [noCache, authority] },
  },
  {
    plain: '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    huffman: '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    fields: [[':method', 'GET'], [':scheme', 'https'], [':path', '/index.html'], authority, custom],
    table: { bytes: 164, entries: [custom, noCache, authority] },
  },
];

const found: Pair = [':status', '302'];
const temporary: Pair = [':status', '307'];
const isPrivate: Pair = ['cache-control', 'private'];
const first: Pair = ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'];
const second: Pair = ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'];
const location: Pair = ['location', 'https://www.example.com'];
const gzip: Pair = ['content-encoding', 'gzip'];
const cookie: Pair = ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'];

const responses: readonly Step[] = [
  {
    plain: `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120
      474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
    huffman: `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad
      1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
    fields: [found, isPrivate, first, location],
    table: { bytes: 222, entries: [location, first, isPrivate, found] },
  },
  {
    plain: '4803 3330 37c1 c0bf',
    huffman: '4883 640e ffc1 c0bf',
    fields: [temporary, isPrivate, first, location],
    table: { bytes: 222, entries: [temporary, location, first, isPrivate] },
  },
  {
    plain: `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738
      666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630
      303b 2076 6572 7369 6f6e 3d31`,
    huffman: `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2
      e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
    fields: [[':status', '200'], isPrivate, second, location, gzip, cookie],
    table: { bytes: 215, entries: [cookie, gzip, second] },
  },
];

describe.for([
  ['C.3 requests without Huffman coding', 'plain', requests, 4096],
  ['C.4 requests with Huffman coding', 'huffman', requests, 4096],
  ['C.5 responses without Huffman coding', 'plain', responses, 256],
  ['C.6 responses with Huffman coding', 'huffman', responses, 256],
] as const)('%s', ([, kind, steps, tableBytesMax]) => {
  test('decoded', () => {
    const decoder = new HpackDecoder({ tableBytesMax });
    for (const step of steps) {
      expect(fieldsOf(decoder, step[kind])).toEqual(step.fields);
      expect(tableOf(decoder)).toEqual(step.table);
    }
  });
});

test('C.4 encoded', () => {
  const encoder = new HpackEncoder();
  for (const { huffman, fields, table } of requests) {
    expect(encode(encoder, fields)).toEqual(bytesOf(huffman));
    expect(encoderTableOf(encoder)).toEqual(table);
  }
});

test('C.6 encoded, where location and set-cookie are left out of the table', () => {
  const encoder = new HpackEncoder(256);
  const decoder = new HpackDecoder({ tableBytesMax: 256 });
  const blocks = responses.map(({ fields }) => {
    const block = encode(encoder, fields);
    expect(fieldsOf(decoder, block)).toEqual(fields);
    expect(tableOf(decoder)).toEqual(encoderTableOf(encoder));
    return hexOf(block);
  });
  expect(blocks[0]).toBe(
    '3fe101' +
      '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff' +
      '0f1f17' +
      hexOf(Buffer.from(location[1])),
  );
  expect(tableOf(decoder).entries).toEqual([gzip, second, temporary, first]);
});
