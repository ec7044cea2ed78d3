import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HpackDecoder } from '../../src/codec/hpack/decoder.ts';
import { HpackEncoder } from '../../src/codec/hpack/encoder.ts';
import { type Pair, encode, encoderTableOf, fieldsOf, tableOf } from '../unit/codec/hpack/hex.ts';

// Connections as fourteen other encoders write them: `test/fixtures/hpack/README.md`.

interface Encoded {
  readonly encoder: string;
  readonly tableBytesMax: Readonly<Record<string, number>>;
  readonly blocks: readonly string[];
}

const folder = join(import.meta.dirname, '../fixtures/hpack');
const stories = readdirSync(folder)
  .filter((name) => name.endsWith('.jsonl'))
  .map((name) => {
    const [lists, ...encoded] = readFileSync(join(folder, name), 'utf8').trim().split('\n');
    return {
      name,
      lists: (JSON.parse(lists) as { lists: Pair[][] }).lists,
      encoded: encoded.map((line) => JSON.parse(line) as Encoded),
    };
  });

test('the corpus is there', () => {
  expect(new Set(stories.flatMap(({ encoded }) => encoded.map(({ encoder }) => encoder))).size).toBe(14);
});

describe.for(stories)('$name', ({ lists, encoded }) => {
  test.for(encoded)('of $encoder', ({ blocks, tableBytesMax }) => {
    const decoder = new HpackDecoder({ tableBytesMax: 4096 });
    expect(blocks.length).toBe(lists.length);
    blocks.forEach((block, i) => {
      if (tableBytesMax[i] !== undefined) decoder.setTableBytesMax(tableBytesMax[i]);
      expect(fieldsOf(decoder, Buffer.from(block, 'base64'))).toEqual(lists[i]);
    });
  });

  test('of our own', () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder({ tableBytesMax: 4096 });
    for (const list of lists) {
      expect(fieldsOf(decoder, encode(encoder, list))).toEqual(list);
      expect(encoderTableOf(encoder)).toEqual(tableOf(decoder));
    }
  });
});
