import { describe, expect, test } from 'vitest';
import { HpackDecoder, HpackError } from '../../../../src/codec/hpack/decoder.ts';
import { HpackEncoder } from '../../../../src/codec/hpack/encoder.ts';
import { type Pair, decode, encode, fieldsOf, hexOf, noLimit, tableOf } from './hex.ts';

function decoder(tableBytesMax = 4096): HpackDecoder {
  return new HpackDecoder({ tableBytesMax });
}

/** A string literal in plain octets; its length in one byte. */
function text(value: string): string {
  return value.length.toString(16).padStart(2, '0') + hexOf(Buffer.from(value, 'latin1'));
}

/** With incremental indexing and a name of its own. */
function added(name: string, value: string): string {
  return '40' + text(name) + text(value);
}

describe('refused as COMPRESSION_ERROR', () => {
  test.for([
    ['index 0', '80'],
    ['an index beyond the static table while the dynamic one is empty', 'be'],
    ['an index beyond 32 bits', 'ffffffffff0f'],
    ['an index in more bytes than needed, without end', 'ff8080808080808080'],
    ['an index that is cut off', 'ff'],
    ['an index that is cut off after a byte', 'ff80'],
    ['a name index beyond the tables, with indexing', '7e0161'],
    ['a name index beyond the tables, without', '0f2f0161'],
    ['a name index beyond the tables, never', '1f2f0161'],
    ['a name index that is cut off', '7f'],
    ['a literal without a name', '40'],
    ['a literal without a value', '400161'],
    ['a literal with an indexed name and no value', '41'],
    ['a name that is cut off', '400261'],
    ['a value that is cut off', '40036161610561'],
    ['a length that is cut off', '407f'],
    ['a length beyond the block', '407fffffff7f61'],
    ['a length beyond 28 bits', '407fffffffffff7f61'],
    ['a size update after a field', '8220'],
    ['a size update after a field, larger than allowed', '823fe21f'],
    ['a size update above the limit', '3fe21f'],
    ['a size update that is cut off', '3f'],
    ['EOS in a value', '4184ffffffff'],
    ['EOS in a name', '4084ffffffff0161'],
    ['padding of 8 bits', '41821fff'],
    ['a byte of nothing but padding', '4181ff'],
    ['padding with zeros', '418118'],
  ])('%s', ([, hex]) => {
    expect(decode(decoder(), hex).error).toBe(HpackError.Compression);
  });

  test('a byte of the static part after a dynamic entry is gone', () => {
    const d = decoder();
    fieldsOf(d, added('a', 'b'));
    expect(fieldsOf(d, 'be')).toEqual([['a', 'b']]);
    expect(decode(d, 'bf').error).toBe(HpackError.Compression);
    expect(decode(d, '20be').error).toBe(HpackError.Compression);
  });
});

describe('read', () => {
  test('nothing', () => {
    expect(decode(decoder(), '')).toEqual({ error: HpackError.None, fields: [], never: [], unclean: [] });
  });

  test('a part of a larger chunk', () => {
    const chunk = Uint8Array.from([0x00, 0x82, 0x84, 0x80]);
    const fields: Pair[] = [];
    const error = decoder().decode(chunk, 1, 3, 1000, 10, { onField: (name, value) => fields.push([name, value]) });
    expect(error).toBe(HpackError.None);
    expect(fields).toEqual([
      [':method', 'GET'],
      [':path', '/'],
    ]);
    const next: Pair[] = [];
    expect(decoder().decode(chunk, 1, 2, 1000, 10, { onField: (name, value) => next.push([name, value]) })).toBe(0);
    expect(next).toEqual([[':method', 'GET']]);
  });

  test('empty names and values', () => {
    expect(fieldsOf(decoder(), '400000')).toEqual([['', '']]);
    expect(fieldsOf(decoder(), '408080')).toEqual([['', '']]);
  });

  test('octets above ASCII, one character each', () => {
    expect(fieldsOf(decoder(), '4104c3a4ff80')).toEqual([[':authority', 'Ã¤ÿ\x80']]);
  });

  test('strings of every length around the limits of the short ones', () => {
    for (const length of [...Array(40).keys(), 126, 127, 128, 254, 255, 300, 20_000]) {
      const value = 'x'.repeat(length);
      const encoder = new HpackEncoder();
      for (const name of [':path', 'x-a', 'authorization', 'x-request-id', 'n'.repeat(length)]) {
        for (let again = 0; again < 3; again++) {
          const d = decoder();
          expect(fieldsOf(d, encode(new HpackEncoder(), [[name, value]]))).toEqual([[name, value]]);
        }
        expect(encode(encoder, [[name, value]]).length).toBeGreaterThan(0);
      }
    }
  });

  test('names in upper case and with control characters are handed out as they are', () => {
    const { fields, unclean } = decode(
      decoder(),
      added('Accept', 'a') + added('accept\r', 'a') + added('user\ragent', 'a'),
    );
    expect(fields.map(([name]) => name)).toEqual(['Accept', 'accept\r', 'user\ragent']);
    expect(unclean).toEqual(['Accept', 'accept\r', 'user\ragent']);
  });

  test('a literal that may never be indexed', () => {
    const d = decoder();
    const { fields, never } = decode(d, '1f08' + text('abc') + '10' + text('x') + text('y') + '82');
    expect(fields).toEqual([
      ['authorization', 'abc'],
      ['x', 'y'],
      [':method', 'GET'],
    ]);
    expect(never).toEqual(['authorization', 'x']);
    expect(tableOf(d).entries).toEqual([]);
  });

  test('literals that come again, plain and coded, with names that are kept apart', () => {
    const d = decoder();
    for (let again = 0; again < 4; again++) {
      expect(fieldsOf(d, '00' + text('x-one') + text('value one'))).toEqual([['x-one', 'value one']]);
      expect(fieldsOf(d, '04' + text('/a/path'))).toEqual([[':path', '/a/path']]);
      expect(fieldsOf(d, '418cf1e3c2e5f23a6ba0ab90f4ff')).toEqual([[':authority', 'www.example.com']]);
    }
  });
});

describe('isClean', () => {
  test.for([
    ['x-a', 'a b', true],
    ['x-a', '', true],
    ['x-a', 'a\tb', true],
    ['x-a', 'ü', true],
    [':path', '/', true],
    [':what', '/', true],
    ['x-a', ' a', false],
    ['x-a', 'a ', false],
    ['x-a', '\ta', false],
    ['x-a', 'a\t', false],
    ['x-a', 'a\rb', false],
    ['x-a', 'a\nb', false],
    ['x-a', 'a\0', false],
    ['x-a', 'a\x1f', false],
    ['x-a', '\x7f', false],
    ['X-a', 'a', false],
    ['x a', 'a', false],
    ['x:a', 'a', false],
    ['::a', 'a', false],
    [':', 'a', false],
    ['', 'a', false],
    ['ä', 'a', false],
    ['a\x7f', 'a', false],
  ] as const)('%j: %j %j', ([name, value, isClean]) => {
    const unclean = isClean ? [] : [name];
    const coded = encode(new HpackEncoder(), [[name, value]]);
    for (const block of ['40', '00', '10'].map((first) => first + text(name) + text(value)).concat(hexOf(coded))) {
      const d = decoder();
      // The second and third time it may be remembered, and then it is an entry.
      for (let again = 0; again < 3; again++) expect(decode(d, block).unclean).toEqual(unclean);
      if (tableOf(d).entries.length > 0) expect(decode(d, 'be').unclean).toEqual(unclean);
    }
  });

  test('a new value does not inherit the faults of the old one', () => {
    const d = decoder();
    decode(d, added('x-a', 'bad\n'));
    expect(decode(d, '7e' + text('good')).unclean).toEqual([]);
    expect(decode(d, 'bebf').unclean).toEqual(['x-a']);
  });
});

describe('limits', () => {
  const block = added('a', 'b') + added('c', 'd') + 'be';

  test('of bytes: at the limit is within', () => {
    expect(decode(decoder(), block, 34 * 3)).toMatchObject({ error: HpackError.None, fields: { length: 3 } });
    expect(decode(decoder(), block, 34 * 3 - 1)).toMatchObject({
      error: HpackError.ListTooLarge,
      fields: { length: 2 },
    });
    expect(decode(decoder(), block, 0)).toMatchObject({ error: HpackError.ListTooLarge, fields: { length: 0 } });
  });

  test('of one name or value, as it is on the wire', () => {
    const limited = (): HpackDecoder => new HpackDecoder({ tableBytesMax: 4096, stringBytesMax: 5 });
    expect(decode(limited(), added('abcde', 'fghij')).error).toBe(HpackError.None);
    expect(decode(limited(), added('abcdef', 'g')).error).toBe(HpackError.Compression);
    expect(decode(limited(), added('a', 'bcdefg')).error).toBe(HpackError.Compression);
  });

  test('of fields', () => {
    expect(decode(decoder(), block, 1000, 3)).toMatchObject({ error: HpackError.None, fields: { length: 3 } });
    expect(decode(decoder(), block, 1000, 2)).toMatchObject({ error: HpackError.ListTooLarge, fields: { length: 2 } });
  });

  test('nothing is handed out after the first that is too large', () => {
    const large = added('a', 'b'.repeat(100));
    expect(decode(decoder(), '82' + large + '82', 120).fields).toEqual([[':method', 'GET']]);
  });

  test('the table stays in step, and the next block has all its room', () => {
    const d = decoder();
    expect(decode(d, block, 10).error).toBe(HpackError.ListTooLarge);
    expect(tableOf(d).entries).toEqual([
      ['c', 'd'],
      ['a', 'b'],
    ]);
    expect(decode(d, 'bebf', 68)).toMatchObject({ error: HpackError.None, fields: { length: 2 } });
  });

  test('what is broken after too much is still refused', () => {
    expect(decode(decoder(), block + '80', 10).error).toBe(HpackError.Compression);
  });

  test('HPACK bomb: references to one large entry cost no more than the block', () => {
    const d = decoder();
    const value = 'b'.repeat(4096 - 32 - 1);
    const entry = '40' + text('a') + '7fe01e' + hexOf(Buffer.from(value));
    const bomb = entry + 'be'.repeat(16_000);
    const { error, fields } = decode(d, bomb, 60 * 1024, 100);
    expect(error).toBe(HpackError.ListTooLarge);
    expect(fields.length).toBe(15);
    // All of them are one string, and the table is what it was.
    expect(new Set(fields.map(([, same]) => same))).toEqual(new Set([value]));
    expect(tableOf(d)).toEqual({ bytes: 4096, entries: [['a', value]] });
    expect(fieldsOf(d, 'be')).toEqual([['a', value]]);
  });

  test('HPACK bomb of fields that are empty', () => {
    expect(decode(decoder(), '8f'.repeat(100_000), noLimit, 100).fields.length).toBe(100);
  });

  test('HPACK bomb of additions by a long name: the table keeps its size', () => {
    const d = decoder();
    const name = 'n'.repeat(2000);
    const long = '407fd10e' + hexOf(Buffer.from(name)) + text('');
    expect(decode(d, long + ('7e' + text('v')).repeat(5000), 60 * 1024, 100).error).toBe(HpackError.ListTooLarge);
    expect(tableOf(d)).toEqual({
      bytes: 4066,
      entries: [
        [name, 'v'],
        [name, 'v'],
      ],
    });
  });
});

describe('the dynamic table', () => {
  test('drops the oldest when there is no room', () => {
    const d = decoder(100);
    fieldsOf(d, added('a', '1') + added('b', '2') + added('c', '3'));
    expect(tableOf(d)).toEqual({
      bytes: 68,
      entries: [
        ['c', '3'],
        ['b', '2'],
      ],
    });
  });

  test('an entry larger than it empties it and is handed out', () => {
    const d = decoder(100);
    const large = 'x'.repeat(68);
    expect(fieldsOf(d, added('a', '1') + added('b', large))).toEqual([
      ['a', '1'],
      ['b', large],
    ]);
    expect(tableOf(d)).toEqual({ bytes: 0, entries: [] });
  });

  test('the name of an entry that its own addition drops', () => {
    const d = decoder(70);
    fieldsOf(d, added('abc', 'd'));
    expect(fieldsOf(d, '7e' + text('e'.repeat(30)))).toEqual([['abc', 'e'.repeat(30)]]);
    expect(tableOf(d).entries).toEqual([['abc', 'e'.repeat(30)]]);
  });

  test('holds as many of the smallest entries as fit, in order', () => {
    const d = decoder(4096);
    fieldsOf(d, '400000'.repeat(5));
    const letters = Array.from({ length: 200 }, (_, i) => String.fromCharCode(0x61 + (i % 26)));
    fieldsOf(d, letters.map((letter) => '4001' + hexOf(Buffer.from(letter)) + '00').join(''));
    const { bytes, entries } = tableOf(d);
    expect(entries.map(([name]) => name)).toEqual(letters.reverse().slice(0, 124));
    expect(bytes).toBe(124 * 33);
  });
});

describe('size updates', () => {
  test('several at the beginning of a block, the last one counts', () => {
    const d = decoder();
    fieldsOf(d, added('a', 'b'));
    expect(fieldsOf(d, '203fe11f82')).toEqual([[':method', 'GET']]);
    expect(tableOf(d).entries).toEqual([]);
    fieldsOf(d, added('a', 'b'));
    expect(tableOf(d).bytes).toBe(34);
  });

  test('alone in a block', () => {
    const d = decoder();
    expect(fieldsOf(d, '20')).toEqual([]);
    fieldsOf(d, added('a', 'b'));
    expect(tableOf(d).entries).toEqual([]);
  });

  test('up to what was allowed later, which is not taken before the peer says so', () => {
    const d = decoder();
    d.setTableBytesMax(8192);
    const block = added('a', 'x'.repeat(100)).repeat(50);
    fieldsOf(d, block);
    expect(tableOf(d).bytes).toBe(30 * 133);
    fieldsOf(d, '3fe13f' + block);
    expect(tableOf(d).bytes).toBe(61 * 133);
    expect(decode(d, '3fe23f').error).toBe(HpackError.Compression);
  });

  test('a limit that sinks is due in the next block', () => {
    const d = decoder();
    fieldsOf(d, added('a', 'b') + added('c', 'd'));
    d.setTableBytesMax(40);
    expect(tableOf(d).entries).toEqual([['c', 'd']]);
    expect(fieldsOf(d, '3f09be')).toEqual([['c', 'd']]);
    expect(fieldsOf(d, 'be')).toEqual([['c', 'd']]);
  });

  test('a block that does not begin with it is refused', () => {
    for (const block of ['', '82', '3f0a', 'be']) {
      const d = decoder();
      fieldsOf(d, added('c', 'd'));
      d.setTableBytesMax(40);
      expect(decode(d, block).error).toBe(HpackError.Compression);
    }
  });

  test('a limit that sinks and rises: the lowest one is due, then the other is allowed', () => {
    const d = decoder();
    fieldsOf(d, added('c', 'd'));
    d.setTableBytesMax(0);
    d.setTableBytesMax(4096);
    expect(tableOf(d).entries).toEqual([]);
    fieldsOf(d, '203fe11f' + added('c', 'd'));
    expect(fieldsOf(d, 'be')).toEqual([['c', 'd']]);
    const e = decoder();
    e.setTableBytesMax(0);
    e.setTableBytesMax(4096);
    expect(decode(e, '3fe11f').error).toBe(HpackError.Compression);
  });

  test('a limit above what the peer uses asks for nothing', () => {
    const d = decoder();
    fieldsOf(d, '20');
    d.setTableBytesMax(100);
    expect(fieldsOf(d, '82')).toEqual([[':method', 'GET']]);
  });
});
