import { expect, test } from 'vitest';
import { noCounters } from '../../src/codec/h2/counters.ts';
import { HeaderBlocks } from '../../src/codec/h2/message/header-blocks.ts';
import { RequestFields } from '../../src/codec/h2/message/request-fields.ts';
import { ResponseFields } from '../../src/codec/h2/message/response-fields.ts';
import { defaultServerOptions, UnderscoreAction } from '../../src/codec/h2/options.ts';
import { HpackDecoder, HpackError } from '../../src/codec/hpack/decoder.ts';
import * as fc from './chance.ts';

const { headersBytesMax, headersCountMax } = defaultServerOptions;

/** Of the static table, names of fields with their values. */
const staticIndex = fc.constantFrom(16, 28, 32, 33, 54);
/** What has been added before, and what has not. */
const dynamicIndex = fc.integer({ min: 62, max: 64 });
const literal = (text: string): number[] => [text.length, ...Buffer.from(text)];
const text = fc.constantFrom('', '0', '7', '/a', 'nginx', 'a b', 'trailers', '\n').map(literal);
const name = fc.constantFrom('cookie', 'x-a', 'x-b', 'x_y', 'X').map(literal);
/** A field as HPACK has it: by index, or as a literal with indexing (0x40), without (0), never (0x10). */
const added = fc.tuple(name, text).map(([key, value]) => [0x40, ...key, ...value]);
const indexed = dynamicIndex.map((index) => [0x80 | index]);
const other = fc.oneof(
  staticIndex.map((index) => [0x80 | index]),
  fc
    .tuple(fc.constantFrom(0, 0x0f), text)
    .map(([flags, value]) => (flags === 0 ? [4, ...value] : [0x0f, 47, ...value])),
  fc.tuple(fc.constantFrom(0, 0x10), name, text).map(([flags, key, value]) => [flags, ...key, ...value]),
);
const sizeUpdate = fc.constantFrom([0x20], [0x3f, 0x20], [0x3f, 0xe1, 0x1f]);
const fields = fc.oneof(
  fc.array(added, { minLength: 1, maxLength: 3 }),
  fc.array(indexed, { minLength: 1, maxLength: 3 }),
  fc.array(other, { maxLength: 3 }),
  fc.tuple(added, indexed),
  fc.array(fc.oneof(added, indexed, other), { maxLength: 4 }),
);
const block = fc.tuple(
  fc.oneof({ weight: 8, arbitrary: fc.constant<number[]>([]) }, { weight: 1, arbitrary: sizeUpdate }),
  fields.map((list) => list.flat()),
);
/** So often in a row that it is remembered, or just once. */
const times = fc.constantFrom(1, 2, 60);

/** Blocks of a connection, of which most have come before; the peer acknowledges another size of the table now and then. */
const conversation = fc.record({
  first: fc.array(added, { minLength: 3, maxLength: 5 }).map((list) => list.flat()),
  blocks: fc.array(block, { minLength: 1, maxLength: 4 }),
  steps: fc.array(
    fc.record({
      which: fc.nat(3),
      times,
      isTrailers: fc.boolean(),
      tableBytes: fc.oneof(
        { weight: 30, arbitrary: fc.constant(-1) },
        { weight: 1, arbitrary: fc.constantFrom(0, 64, 4096) },
      ),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});
type Conversation = typeof conversation extends fc.Arbitrary<infer T> ? T : never;

const requestBegins = [0x82, 0x84, 0x86, 0x01, 1, 97];
const responseBegins = [0x88];

function requests(): RequestFields {
  return new RequestFields(headersBytesMax, UnderscoreAction.Drop, noCounters);
}

function responses(): ResponseFields {
  return new ResponseFields(headersBytesMax, UnderscoreAction.Allow, noCounters);
}

function heard(fields: RequestFields | ResponseFields, isTrailers: boolean): unknown {
  const { contentLength } = fields;
  const said = isTrailers ? fields.end() : fields.take();
  return structuredClone({ said, contentLength, failure: fields.failure?.kind.reason });
}

/** Both read the same; only one remembers. */
function compare<F extends RequestFields | ResponseFields>(
  { first, blocks, steps }: Conversation,
  begins: readonly number[],
  [remembering, reading]: readonly [F, F],
): void {
  const known = new HeaderBlocks(defaultServerOptions);
  const decoder = new HpackDecoder({ tableBytesMax: 4096, stringBytesMax: 1 << 16 });
  const isSame = (bytes: Uint8Array, isTrailers: boolean): boolean => {
    remembering.begin(isTrailers);
    reading.begin(isTrailers);
    const error = known.read(remembering, bytes, 0, bytes.length);
    expect(error).toBe(decoder.decode(bytes, 0, bytes.length, 1 << 20, headersCountMax, reading));
    if (error === HpackError.Compression) return false;
    expect(heard(remembering, isTrailers)).toEqual(heard(reading, isTrailers));
    return true;
  };
  isSame(Uint8Array.from(first), true);
  for (const { which, times: count, isTrailers, tableBytes } of steps) {
    if (tableBytes >= 0) {
      known.setTableBytesMax(tableBytes);
      decoder.setTableBytesMax(tableBytes);
    }
    const [update, list] = blocks[which % blocks.length];
    const bytes = Uint8Array.from([...update, ...(isTrailers ? [] : begins), ...list]);
    for (let i = 0; i < count; i++) if (!isSame(bytes, isTrailers)) return;
  }
}

test('a header block that is remembered says what it would say if it were read', () => {
  fc.assert(
    fc.property(conversation, (said) => {
      compare(said, requestBegins, [requests(), requests()]);
      compare(said, responseBegins, [responses(), responses()]);
    }),
    { numRuns: 150 },
  );
});
