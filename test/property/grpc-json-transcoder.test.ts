import { fromBinary, toBinary, toJsonString } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { doubleText, floatText } from '../../src/filter/grpc-json-transcoder/json/json-number.ts';
import { PathMatcher } from '../../src/filter/grpc-json-transcoder/path/path-matcher.ts';
import { bindPath, type Binding } from '../../src/filter/grpc-json-transcoder/path/bindings.ts';
import { parsePathTemplate } from '../../src/filter/grpc-json-transcoder/path/path-template.ts';
import { JsonRequest } from '../../src/filter/grpc-json-transcoder/request/json-request.ts';
import { MessageWriter } from '../../src/filter/grpc-json-transcoder/request/message-writer.ts';
import { MessagePrinter } from '../../src/filter/grpc-json-transcoder/response/message-printer.ts';
import { frame } from '../unit/filter/grpc-json-transcoder/exchange.ts';
import {
  every,
  everyDesc,
  exchange,
  grpcHead,
  registry,
  schema,
  transcoder,
} from '../unit/filter/grpc-json-transcoder/library.ts';
import { Headers } from '../../src/core/headers.ts';
import * as fc from './chance.ts';

const options = { ignoresEnumCase: false, rejectsCollisions: false };
const printer = new MessagePrinter(schema, {
  addsWhitespace: false,
  printsDefaults: false,
  printsEnumsAsInts: false,
  keepsProtoNames: false,
});

/** `text` cut at the given places. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => (bytes.length === 0 ? 0 : cut % bytes.length)))].toSorted(
    (a, b) => a - b,
  );
  return [...places, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : places[i - 1], end));
}

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const author = fc.record({ name: text, lastName: text, alias: fc.array(text, { maxLength: 3 }) }, { requiredKeys: [] });
const message = fc.record(
  {
    text,
    i32: fc.integer(),
    i64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
    s64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    sf32: fc.integer(),
    single: fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    real: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    flag: fc.boolean(),
    raw: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    kind: fc.constantFrom('NOVEL', 'POEM', 7),
    author,
    manyTexts: fc.array(text, { maxLength: 4 }),
    numbers: fc.array(fc.integer(), { maxLength: 4 }),
    authors: fc.array(author, { maxLength: 3 }),
    labels: fc.dictionary(text, text, { maxKeys: 3 }),
    byNumber: fc.dictionary(fc.integer().map(String), author, { maxKeys: 3 }),
    facts: fc.dictionary(text, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 3 }),
    at: fc
      .date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    lasts: fc.integer({ min: -1e9, max: 1e9 }).map((seconds) => `${seconds}s`),
    wrappedString: text,
    maybe: fc.integer(),
  },
  { requiredKeys: [] },
);

/** -0 in JSON text is 0. */
const normal = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('what is said in JSON means the same to protobuf-es', () => {
  const writer = new MessageWriter(schema, every, options);
  fc.assert(
    fc.property(message, (value) => {
      const request = new JsonRequest(writer, [], null, false);
      request.push(Buffer.from(JSON.stringify(value)));
      request.finish();
      expect(request.error).toBe('');
      const read = fromBinary(everyDesc, Buffer.concat(request.take()).subarray(5));
      const printed = printer.print(every, toBinary(everyDesc, read));
      if ('error' in printed) throw new Error(printed.error);
      const theirs = JSON.parse(toJsonString(everyDesc, read, { registry })) as Record<string, unknown>;
      const ours = JSON.parse(printed.json) as Record<string, unknown>;
      // protobuf-es prints a float as the double that it is.
      if (typeof theirs.single === 'number') expect(Math.fround(ours.single as number)).toBe(theirs.single);
      delete theirs.single;
      delete ours.single;
      expect(ours).toEqual(normal(theirs));
    }),
  );
});

test('a request is the same however it is cut', () => {
  const filter = transcoder();
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), fc.array(fc.nat(4000), { maxLength: 8 }), (values, cuts) => {
      const body = Buffer.from(JSON.stringify(values));
      const whole = exchange(filter, 'POST', '/gather').send(body);
      const cut = exchange(filter, 'POST', '/gather').send(...pieces(body, cuts));
      expect(cut.answer).toEqual(whole.answer);
      expect(cut.request.body).toEqual(whole.request.body);
      for (const subject of [whole, cut]) filter.onComplete!(subject);
    }),
  );
});

test('a broken request never becomes another one, and never throws', () => {
  const writer = new MessageWriter(schema, every, options);
  const broken = fc.tuple(message, fc.nat(), fc.string({ maxLength: 3 }), fc.nat(3)).map(([value, at, put, drop]) => {
    const json = JSON.stringify(value);
    const place = at % (json.length + 1);
    return json.slice(0, place) + put + json.slice(place + drop);
  });
  fc.assert(
    fc.property(broken, fc.array(fc.nat(4000), { maxLength: 4 }), (json, cuts) => {
      const outcome = (chunks: readonly Uint8Array[]): string => {
        const request = new JsonRequest(writer, [], null, false);
        for (const chunk of chunks) request.push(chunk);
        request.finish();
        // Where the text was cut shows in what is quoted of it.
        return request.error === '' ? Buffer.concat(request.take()).toString('hex') : request.error.split('\n')[0];
      };
      const body = Buffer.from(json);
      if (body.length > 0) expect(outcome(pieces(body, cuts))).toBe(outcome([body]));
    }),
  );
});

test('a response is the same however it is cut', () => {
  const filter = transcoder();
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 30 }), { maxLength: 5 }),
      fc.array(fc.nat(400), { maxLength: 8 }),
      (texts, cuts) => {
        const frames = texts.map((value) => {
          const bytes = Buffer.from(value);
          return frame(Buffer.concat([Buffer.from([10, bytes.length]), bytes]));
        });
        const subject = exchange(filter, 'GET', '/scatter').send();
        subject.receive(grpcHead(), pieces(Buffer.concat(frames), cuts), Headers.of(['grpc-status', '0']));
        const body: unknown = JSON.parse(subject.response.body.toString());
        expect(body).toEqual(texts.map((value) => ({ text: value })));
        filter.onComplete!(subject);
      },
    ),
  );
});

test('any bytes are a message or a mistake', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const printed = printer.print(every, bytes);
      if ('json' in printed) JSON.parse(printed.json);
      else expect(printed.error).not.toBe('');
    }),
    { numRuns: 2000 },
  );
});

test('printed numbers are read as what they were', () => {
  const real = { noNaN: true, noDefaultInfinity: true };
  fc.assert(
    fc.property(fc.double(real), (value) => {
      expect(Number(doubleText(value))).toBe(value);
    }),
  );
  fc.assert(
    fc.property(fc.float(real), (value) => {
      expect(Math.fround(Number(floatText(value)))).toBe(value);
    }),
  );
});

const segment = fc.string({ unit: fc.constantFrom('a', 'b', '.', '%2F', '%41', '-'), minLength: 1, maxLength: 4 });

test('a path made from a template matches it, and gives its variables back', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          segment.map((text) => ({ kind: 'literal', text })),
          segment.map((text) => ({ kind: 'one', text })),
        ),
        {
          minLength: 1,
          maxLength: 5,
        },
      ),
      fc.array(segment, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      (parts, rest, hasRest) => {
        const template = parts.map(({ kind, text }, i) => (kind === 'one' ? `{v${i}}` : text));
        const path = parts.map((part) => part.text);
        const parsed = parsePathTemplate(`/${[...template, ...(hasRest ? ['{rest=**}', 'end'] : [])].join('/')}:go`);
        const matcher = new PathMatcher<string>(false);
        matcher.register('GET', parsed!, 'it');
        const match = matcher.match('GET', `/${[...path, ...(hasRest ? [...rest, 'end'] : [])].join('/')}:go`);
        expect(match?.target.value).toBe('it');
        const bindings: Binding[] = [];
        bindPath(match!.target.variables, match!.segments, 'all', bindings);
        const plain = (value: string) => value.replaceAll('%2F', '/').replaceAll('%41', 'A');
        const expected = parts.flatMap(({ kind, text }) => (kind === 'one' ? [plain(text)] : []));
        expect(bindings.map(({ value }) => value)).toEqual([...expected, ...(hasRest ? [plain(rest.join('/'))] : [])]);
      },
    ),
  );
});
