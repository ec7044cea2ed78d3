import { describe, expect, test } from 'vitest';
import { Base64Decoder, Base64Encoder } from '../../../../src/filter/grpc-web/base64.ts';
import * as fc from '../../../property/chance.ts';

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('latin1'));

/** Text cut at `cuts`, each piece so many bytes long. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  for (const size of [...cuts, bytes.length]) {
    found.push(bytes.subarray(at, at + size));
    at += size;
  }
  return found;
}

describe('decoding', () => {
  const decode = (encoded: string) => text(new Base64Decoder().decode(Buffer.from(encoded)));

  test.each([
    ['', ''],
    ['YQ==', 'a'],
    ['YWI=', 'ab'],
    ['YWJj', 'abc'],
    ['+/+/', '\xfb\xff\xbf'],
    ['YQ==YWI=YWJj', 'aababc'],
  ])('%j', (encoded, expected) => {
    expect(decode(encoded)).toBe(expected);
  });

  // Observed on Envoy 1.39.3: padding in the midst, left-over bits and the other alphabet are refused.
  test.each(['AA-_', 'AAA\n', '====', 'A===', 'AA=A', '=AAA', 'AAAAAB==', 'AAAAAAB=', 'AAA\x80'])(
    '%j is none',
    (encoded) => {
      expect(decode(encoded)).toBeNull();
    },
  );

  test('a group that has not ended waits', () => {
    const decoder = new Base64Decoder();
    expect(text(decoder.decode(Buffer.from('YWJjY')))).toBe('abc');
    expect(decoder.isAtEnd).toBe(false);
    expect(text(decoder.decode(Buffer.from('Q=')))).toBe('');
    expect(text(decoder.decode(Buffer.from('=')))).toBe('a');
    expect(decoder.isAtEnd).toBe(true);
  });

  test('as Node encodes, in any pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.array(fc.nat({ max: 9 })), (bytes, cuts) => {
        const decoder = new Base64Decoder();
        const encoded = Buffer.from(Buffer.from(bytes).toString('base64'));
        const decoded = pieces(encoded, cuts).map((piece) => decoder.decode(piece)!);
        expect(Buffer.concat(decoded)).toEqual(Buffer.from(bytes));
        expect(decoder.isAtEnd).toBe(true);
      }),
    );
  });
});

test('encoding, in any pieces, as Node encodes the whole', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.array(fc.nat({ max: 9 })), (bytes, cuts) => {
      const encoder = new Base64Encoder();
      let encoded = '';
      for (const piece of pieces(bytes, cuts)) {
        const room = new Uint8Array(Base64Encoder.room(piece.length, 0));
        encoded += text(room.subarray(0, encoder.write(piece, 0, piece.length, room, 0)));
      }
      const rest = new Uint8Array(4);
      encoded += text(rest.subarray(0, encoder.flush(rest, 0)));
      expect(encoded).toBe(Buffer.from(bytes).toString('base64'));
    }),
  );
});
