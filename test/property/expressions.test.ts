import { beforeAll, expect, test } from 'vitest';

import { Headers } from '../../src/core/headers.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../../src/core/head.ts';
import type { Peer } from '../../src/core/peer.ts';
import { ExpressionError } from '../../src/observe/expression/expression-check.ts';
import type { ExpressionData } from '../../src/observe/expression/expression-data.ts';
import { expressionEngine, loadExpressions } from '../../src/observe/expression/expressions.ts';
import { Outcome } from '../../src/observe/outcome.ts';
import * as fc from './chance.ts';

const node = { id: 'n', cluster: 'c', locality: { region: 'r', zone: 'z', subZone: '' } };
const allOptions = { stringConversion: true, stringConcat: true, stringFunctions: true };

const words = (
  'request response connection source metadata filter_state xds headers path code . [ ] ( ) { } , : ? ! - + * / % == != ' +
  "< >= && || in size has matches duration int string true null 1 2u 1.5 'a' b'a' '[' .all(x,x) timestamp '' " +
  "9223372036854775807 '\\u00e9' .startsWith type dyn"
).split(' ');

beforeAll(() => loadExpressions(node));

const text = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'B', '1', '-', '+', ' ', ',', '[', '(', '%', '\\', '\xa0', '\xc3', '\xa9', '\xff'),
  }),
  fc.constantFrom('9'.repeat(30), '1970-01-01T00:00:00Z', '9999999999999s', '1h', '%d %.99999f', 'true', '(a*)*b'),
);
const json = fc.jsonValue();
const metadata = fc.dictionary(fc.constantFrom('a', 'b', '\u00e9', '__proto__', 'constructor'), json, { maxKeys: 3 });
const ms = fc.constantFrom(NaN, 0, -1, 1.5, 1e15, 8.64e15, 1e19);

const outcome = fc
  .record({
    path: text,
    fields: fc.array(fc.tuple(fc.constantFrom('x-a', 'content-length', 'referer', 'grpc-status'), text), {
      maxLength: 4,
    }),
    address: fc.constantFrom(
      { kind: 'ip' as const, host: '::1', port: 5 },
      { kind: 'pipe' as const, host: '/run/x', port: 0 },
      { kind: 'internal' as const, host: 'in', port: 0 },
    ),
    hasPeer: fc.boolean(),
    hasResponse: fc.boolean(),
    code: fc.constantFrom(0, 200, 503),
    metadata,
    state: json,
    startEpochMs: fc.constantFrom(0, 1.5, 1e12, -1e12, 8.64e15),
    startMs: ms,
    requestEndMs: ms,
    word: text,
  })
  .map((of) => {
    const made = new Outcome();
    made.requestHead = new RequestHead('GET', of.word, of.path, HttpVersion.Http11, Headers.of(...of.fields));
    if (of.hasResponse) made.responseHead = new ResponseHead(200, Headers.of(...of.fields));
    if (of.hasResponse) made.responseTrailers = Headers.of(...of.fields);
    const ends = { remote: of.address, local: of.address, directRemote: of.address, directLocal: of.address };
    if (of.hasPeer) made.peer = { ...ends, serverName: of.word, tls: null } as unknown as Peer;
    made.dynamicMetadata = new Map(Object.entries(of.metadata));
    made.routeMetadata = of.metadata;
    made.filterState = new Map([['a', of.state]]);
    made.virtualHostName = 'v';
    made.upstreamHost = of.word;
    made.upstreamClusterRaw = of.word;
    made.details = of.word;
    made.responseCode = of.code;
    made.startEpochMs = of.startEpochMs;
    made.startMs = of.startMs;
    made.requestEndMs = of.requestEndMs;
    return made;
  });

/** Null: refused, as it may be. */
function parsed(source: string): ExpressionData | null {
  try {
    return structuredClone(expressionEngine().parse(source, allOptions));
  } catch (error) {
    if (!(error instanceof ExpressionError))
      throw new Error(`${JSON.stringify(source)}: ${String(error)}`, { cause: error });
    return null;
  }
}

function evaluated(data: ExpressionData, of: Outcome): void {
  const expression = expressionEngine().build(data, true);
  expect(typeof expression.matches(of)).toBe('boolean');
  const said = expression.text(of);
  expect(said === null || typeof said === 'string').toBe(true);
  const written = expression.json(of);
  if (written !== null) expect(() => JSON.parse(Buffer.from(written, 'latin1').toString()) as unknown).not.toThrow();
}

test('any text is refused or evaluated, and nothing else happens', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 12 }), (parts) => {
      const data = parsed(parts.join(' '));
      if (data !== null) evaluated(data, new Outcome());
    }),
  );
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), (source) => {
      const data = parsed(source);
      if (data !== null) evaluated(data, new Outcome());
    }),
  );
});

test('what is nested too deep is refused, however it is', () => {
  const nests: [string, string][] = [
    ['(', ')'],
    ['[', ']'],
    ['{1:', '}'],
    ['!', ''],
    ['-', ''],
    ['size(', ')'],
    ['true ? true : ', ''],
    ['', ' + 1'],
    ['', '.a'],
    ['', '[0]'],
    ['', ' && true'],
  ];
  for (const [open, close] of nests) {
    for (const depth of [300, 5000, 60_000]) {
      const source = `${open.repeat(depth)}request${close.repeat(depth)}`;
      const data = parsed(source);
      if (data !== null) evaluated(data, new Outcome());
    }
  }
});

const leaf = fc.oneof(
  fc.constantFrom(
    ...(
      'request.headers response.headers response.trailers request.path request.size request.time request.duration ' +
      'request.total_size request.query request.url_path response.grpc_status source.address source.port ' +
      'destination.address upstream.port upstream.address connection.id metadata metadata.filter_metadata ' +
      'metadata.filter_metadata.a xds.route_metadata.filter_metadata xds.node filter_state.a response.code_details ' +
      'request response connection xds request.headers.referer 9223372036854775807 -1 0 0.0 2u null true ' +
      "'' 'a' b'a' '%.9999f' '%s%d' '(a*)*b' '[' [] {} [1,'a'] timestamp(0) duration('1h') int string"
    ).split(' '),
  ),
  fc.constantFrom("request.headers['x-a']", "metadata.filter_metadata['\\u00e9']"),
);
const functions = 'size int uint double string bytes type dyn duration timestamp matches contains'.split(' ');
const methods = (
  'matches contains startsWith endsWith size getFullYear getHours getMilliseconds charAt indexOf lastIndexOf lowerAscii ' +
  'upperAscii replace split substring trim join format reverse'
).split(' ');
const operators = '+ - * / % == != < <= > >= && || in'.split(' ');
const { source } = fc.letrec<{ source: string }>((tie) => ({
  source: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.tuple(tie('source'), fc.constantFrom(...operators), tie('source')).map(([a, by, b]) => `(${a} ${by} ${b})`),
    fc.tuple(fc.constantFrom(...functions), tie('source')).map(([name, of]) => `${name}(${of})`),
    fc
      .tuple(tie('source'), fc.constantFrom(...methods), fc.array(tie('source'), { maxLength: 2 }))
      .map(([of, name, args]) => `(${of}).${name}(${args.join(', ')})`),
    fc.tuple(fc.constantFrom('!', '-'), tie('source')).map(([sign, of]) => `${sign}(${of})`),
    fc.tuple(tie('source'), tie('source')).map(([of, key]) => `(${of})[${key}]`),
    fc.tuple(tie('source'), tie('source'), tie('source')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc.tuple(tie('source'), tie('source')).map(([a, b]) => `{${a}: ${b}}`),
    fc.tuple(tie('source'), tie('source')).map(([a, b]) => `[${a}, ${b}]`),
    fc
      .tuple(fc.constantFrom('re.extract', 're.capture', 're.captureN', 'strings.quote'), tie('source'), tie('source'))
      .map(([name, a, b]) => `${name}(${a}, ${b}${name === 're.extract' ? ", '\\\\1'" : ''})`),
  ),
}));

test('whatever is asked of whatever happened, there is an answer or none', () => {
  fc.assert(
    fc.property(source, outcome, (expression, of) => {
      const data = parsed(expression);
      if (data !== null) evaluated(data, of);
    }),
    { numRuns: 3000 },
  );
});

test('what requests may choose costs no more than it is long', () => {
  const long = 'a'.repeat(60_000);
  const of = new Outcome();
  of.requestHead = new RequestHead(
    'GET',
    'h',
    `/${long}`,
    HttpVersion.Http11,
    Headers.of(['x-a', long], ['x-b', '(a*)*b'], ['x-c', 'a{1000}']),
  );
  // As deep as anything gets that is metadata.
  const deep = JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`) as unknown;
  of.dynamicMetadata = new Map([['jwt', { deep }]]);
  for (const expression of [
    "request.headers['x-a'].matches('(a*)*b')",
    "request.headers['x-a'].matches(request.headers['x-b'])",
    "request.headers['x-a'].matches(request.headers['x-c'])",
    "request.headers['x-a'].replace('', request.headers['x-a'])",
    "request.headers['x-a'].replace('a', 'bb').replace('b', 'cc').replace('c', request.headers['x-a'])",
    "request.headers['x-a'].split('').join(request.headers['x-a'])",
    "request.headers['x-a'].reverse() == request.headers['x-a']",
    'metadata.filter_metadata',
    'metadata.filter_metadata.jwt',
    'metadata.filter_metadata.jwt.deep',
    'metadata.filter_metadata.jwt.deep == metadata.filter_metadata.jwt.deep',
    "'%s'.format([metadata.filter_metadata.jwt.deep])",
    'string(metadata.filter_metadata.jwt.deep)',
  ]) {
    const data = parsed(expression);
    expect([expression, data === null]).toEqual([expression, false]);
    evaluated(data!, of);
  }
});
