import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { RE2JS } from 're2js';
import { expect, test } from 'vitest';
import { Headers } from '../../src/core/headers.ts';
import { HttpVersion, RequestHead } from '../../src/core/head.ts';
import { Reasons } from '../../src/core/rejection.ts';
import { HeaderMatcherSchema } from '../../src/proto/envoy/config/route/v3/route_components_pb.js';
import { decodeHeaderMatcher } from '../../src/route/match/decode.ts';
import { HeaderMatcher } from '../../src/route/match/header-matcher.ts';
import type { StringMatcherData } from '../../src/route/match/matcher-data.ts';
import { Regex, regexProblem } from '../../src/route/regex.ts';
import { wireText } from '../../src/route/wire-text.ts';
import * as fc from './chance.ts';

type Init = MessageInitShape<typeof HeaderMatcherSchema>;

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
const units = [
  'a',
  'A',
  'b',
  '0',
  '1',
  '9',
  '-',
  '+',
  ' ',
  '\t',
  '\v',
  '.',
  '*',
  '\xa0',
  '\xe9',
  '\xc9',
  '\xc3',
  '\xff',
];
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...units), maxLength: 6 }),
  fc.bigInt({ min: int64Min - 2n, max: int64Max + 2n }).map(String),
  fc.constantFrom(String(int64Min), String(int64Min - 1n), String(int64Max), String(int64Max + 1n), '0'.repeat(30), ''),
);
/** As configurations have it: any character there is. */
const written = fc.oneof(text, fc.string({ unit: 'binary', maxLength: 3 }));
const pattern = fc.string({
  unit: fc.constantFrom(
    'a',
    '0',
    '.',
    '*',
    '+',
    '?',
    '(',
    ')',
    '|',
    '[',
    ']',
    '^',
    '\\',
    'd',
    'Q',
    '{2}',
    '(?i)',
    '\u00e9',
  ),
  maxLength: 8,
});
const name = fc.constantFrom('x', 'X', 'y', ':path', ':method', ':authority', 'host', 'Host', 'x\u00e9');

const stringTest = fc.oneof(
  fc.record({ case: fc.constantFrom('exact', 'prefix', 'suffix', 'contains'), value: written }),
  pattern.map((regex) => ({ case: 'safeRegex' as const, value: { regex } })),
);
const specifier = fc.oneof(
  fc.record({ case: fc.constantFrom('exactMatch', 'prefixMatch', 'suffixMatch', 'containsMatch'), value: written }),
  pattern.map((regex) => ({ case: 'safeRegexMatch', value: { regex } })),
  fc.record({ matchPattern: stringTest, ignoreCase: fc.boolean() }).map((value) => ({ case: 'stringMatch', value })),
  fc
    .record({ start: fc.bigInt({ min: int64Min, max: int64Max }), end: fc.bigInt({ min: int64Min, max: int64Max }) })
    .map((value) => ({ case: 'rangeMatch', value })),
  fc.boolean().map((value) => ({ case: 'presentMatch', value })),
  fc.constant({ case: undefined }),
);
const matcher = fc.record({
  name,
  headerMatchSpecifier: specifier,
  invertMatch: fc.boolean(),
  treatMissingHeaderAsEmpty: fc.boolean(),
}) as fc.Arbitrary<Init>;
const field = fc.tuple(fc.constantFrom('x', 'x', 'y', 'x\xc3\xa9'), text);
const head = fc
  .record({ method: fc.constantFrom('GET', 'a'), host: text, path: text, fields: fc.array(field, { maxLength: 4 }) })
  .map(
    ({ method, host, path, fields }) => new RequestHead(method, host, path, HttpVersion.Http11, Headers.of(...fields)),
  );

const folded = (bytes: string): string => bytes.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

/** What a string test says, word by word. */
function passes({ kind, value, ignoreCase }: StringMatcherData, subject: string): boolean {
  const [one, other] = ignoreCase ? [folded(subject), folded(value)] : [subject, value];
  switch (kind) {
    case 'exact':
      return one === other;
    case 'prefix':
      return one.slice(0, other.length) === other;
    case 'suffix':
      return other === '' || one.slice(-other.length) === other;
    case 'contains':
      return one.split(other).length > 1 || other === '';
    default:
      return RE2JS.compile(value).testExact(subject);
  }
}

function isWithin(subject: string, start: bigint, end: bigint): boolean {
  const digits = subject.replaceAll(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
  if (!/^[+-]?[0-9]+$/.test(digits)) return false;
  const number = BigInt(digits.replace('+', ''));
  return BigInt.asIntN(64, number) === number && start <= number && number < end;
}

test('any matcher is refused with reasons, or decides what its words say of any head', () => {
  let decided = 0;
  fc.assert(
    fc.property(matcher, fc.array(head, { minLength: 3, maxLength: 3 }), (init, heads) => {
      const reasons = new Reasons();
      const data = decodeHeaderMatcher(create(HeaderMatcherSchema, init), reasons);
      if (!reasons.isEmpty) return;
      const built = new HeaderMatcher(structuredClone(data));
      for (const one of heads) {
        decided++;
        const isPseudo = data.name.startsWith(':') || data.name === 'host';
        const own = isPseudo ? one.get(data.name) : undefined;
        const fields = one.headers.names.flatMap((known, i) => (known === data.name ? [one.headers.values[i]] : []));
        const values = isPseudo ? (own === undefined ? [] : [own]) : fields;
        if (values.length === 0 && data.treatMissingAsEmpty) values.push('');
        const { test: asked } = data;
        const wanted =
          asked.kind === 'present'
            ? (values.length > 0 === asked.present) !== data.invert
            : values.length > 0 &&
              values.some((value) =>
                asked.kind === 'range' ? isWithin(value, asked.start, asked.end) : passes(asked.string, value),
              ) !== data.invert;
        expect(built.matches(one)).toBe(wanted);
      }
    }),
    { numRuns: 3000 },
  );
  expect(decided).toBeGreaterThan(3000);
});

test('any text is refused as a pattern, or matches what RE2 matches', () => {
  // Without \C, which RE2 knows and re2js does not.
  const chars = fc.constantFrom(
    ...Array.from('ab0/-.*+?()[]{}|^$\\,:<>=!PpdDwWsSbBAzZQEUi123&~\n\u00e9\u20ac\u{1f600}'),
  );
  const sources = fc.oneof(fc.string({ unit: chars, maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 8 }));
  let compared = 0;
  fc.assert(
    fc.property(sources, fc.array(text, { minLength: 3, maxLength: 3 }), (source, subjects) => {
      const bytes = wireText(source);
      const problem = regexProblem(bytes);
      if (problem !== null) {
        expect(problem).not.toBe('');
        return;
      }
      const regex = new Regex(bytes);
      const reference = RE2JS.compile(bytes);
      for (const subject of [...subjects, bytes, '', '\n']) {
        compared++;
        expect([source, subject, regex.matches(subject)]).toEqual([source, subject, reference.testExact(subject)]);
      }
    }),
    { numRuns: 5000 },
  );
  expect(compared).toBeGreaterThan(1000);
});
