import { create, toBinary } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, it } from 'vitest';

import { Headers } from '../../../../src/core/headers.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../../../../src/core/head.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { buildAccessLogFilter } from '../../../../src/observe/access-log/filter.ts';
import { checking, decodeExpression, decodeExpressionOptions } from '../../../../src/observe/expression/decode.ts';
import { ExpressionError } from '../../../../src/observe/expression/expression-check.ts';
import { defaultExpressionOptions } from '../../../../src/observe/expression/expression-data.ts';
import { expressionEngine, loadExpressions } from '../../../../src/observe/expression/expressions.ts';
import { decodeExtensionFilter } from '../../../../src/observe/expression/filter-decode.ts';
import { compileFormat, compileJsonFormat, formatProblem } from '../../../../src/observe/format/format.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';
import { ExtensionFilterSchema } from '../../../../src/proto/envoy/config/accesslog/v3/accesslog_pb.js';
import { CelExpressionConfigSchema } from '../../../../src/proto/envoy/config/core/v3/cel_pb.js';
import { ExpressionFilterSchema } from '../../../../src/proto/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js';

const node = { id: 'me', cluster: 'mine', locality: { region: 'r', zone: 'z', subZone: '' } };

beforeAll(() => loadExpressions(node));

function outcome(): Outcome {
  const made = new Outcome();
  const headers = Headers.of(['x-a', '1'], ['x-a', '2'], ['x-bytes', 'Ã©']);
  made.requestHead = new RequestHead('GET', 'a.test', '/p/q?x=1#f', HttpVersion.Http11, headers);
  made.responseHead = new ResponseHead(503, Headers.of(['content-type', 'text/plain']));
  made.responseCode = 503;
  made.protocol = 'HTTP/1.1';
  made.dynamicMetadata = new Map([['ns', { text: 'é', number: 1, list: [1, 'a'], deep: { k: null } }]]);
  made.filterState = new Map<string, unknown>([
    ['plain', 'value'],
    ['fields', { a: 1 }],
  ]);
  return made;
}

function text(expression: string, of = outcome()): string | null {
  const engine = expressionEngine();
  return engine.build(engine.parse(expression), true).text(of);
}

describe('attributes', () => {
  it.each([
    ['request.path', '/p/q?x=1#f'],
    ['request.url_path', '/p/q'],
    ['request.query', 'x=1'],
    ['request.method + 1', null],
    ["request.headers['X-A']", '1,2'],
    ['request.headers.nope', null],
    ["'x-a' in request.headers", 'true'],
    ['size(request.headers) == 6', 'true'],
    ['has(request.headers.nope)', 'false'],
    ["request.headers['x-bytes'] == 'é'", 'true'],
    ["size(request.headers['x-bytes'])", '1'],
    ['response.code', '503'],
    ["response.headers[':status']", '503'],
    ['response.nope', null],
    ['connection.mtls', 'false'],
    ['metadata.filter_metadata.ns.text', 'Ã©'],
    ["metadata.filter_metadata['ns'].list[1]", 'a'],
    ['metadata.filter_metadata.ns.deep.k', 'NULL'],
    ['metadata.filter_metadata.other', null],
    ['filter_state.plain', 'value'],
    ["filter_state.plain == b'value'", 'true'],
    ['filter_state.fields.a', '1'],
    ['xds.node.id', 'me'],
    ['xds.node.locality.zone', 'z'],
    ['xds.route_name', null],
    ['nope', null],
  ])('%s is %s', (expression, expected) => {
    expect(text(expression)).toBe(expected);
  });

  it('of a connection without a request are missing', () => {
    expect(text('request.path', new Outcome())).toBeNull();
    expect(text("request.headers['x']", new Outcome())).toBeNull();
    expect(text('response.code', new Outcome())).toBeNull();
  });

  it('do not tell policies of the node', () => {
    const engine = expressionEngine();
    expect(engine.build(engine.parse('xds.node.id'), false).text(outcome())).toBeNull();
  });
});

describe('an expression', () => {
  it('matches by true alone', () => {
    const engine = expressionEngine();
    const matches = (expression: string) => engine.build(engine.parse(expression), true).matches(outcome());
    expect(matches('response.code == 503')).toBe(true);
    expect(matches('!(request.nope == 1)')).toBe(false);
    expect(matches('request.path')).toBe(false);
    expect(matches('1/0 == 1 || true')).toBe(true);
  });

  it.each([
    ['', 'Not able to parse'],
    ['1 +', 'Not able to parse'],
    ['[1].all(x, x > 0)', 'Comprehension support is disabled'],
    ["string(1) == '1'", 'No overload found in reference resolve step for string'],
    ['foo(1)', 'No overload found in reference resolve step for foo'],
    ['foo.bar.Baz{}', 'messages are not supported by sekisho'],
    ["'a'.lowerAscii()", 'No overload found in reference resolve step for lowerAscii'],
    ["foo.extract('a', 'b', 'c')", 'No overload found in reference resolve step for extract'],
    ['upstream.locality.zone', "attribute 'upstream.locality' is not supported by sekisho"],
    [`${'['.repeat(300)}${']'.repeat(300)}`, 'nested deeper than 250'],
    ['['.repeat(99_000), 'Not able to parse'],
    ['1'.repeat(100_001), 'more than 100000 characters'],
  ])('%s is refused', (expression, reason) => {
    expect(() => expressionEngine().parse(expression)).toThrow(ExpressionError);
    expect(() => expressionEngine().parse(expression)).toThrow(reason);
  });

  it('joins and converts texts where it is told to', () => {
    const message = create(CelExpressionConfigSchema, { enableStringConcat: true, enableStringConversion: true });
    const options = decodeExpressionOptions(message, new Reasons());
    const engine = expressionEngine();
    const build = (expression: string) => engine.build(engine.parse(expression, options), true);
    expect(build("string(response.code) + '!'").text(outcome())).toBe('503!');
    expect(text("'a' + 'b'")).toBeNull();
  });

  it.each([
    ["'éa'.charAt(1)", 'a'],
    ["'aba'.replace('a', 'é')", 'Ã©bÃ©'],
    ["'a,é'.split(',')[1]", 'Ã©'],
    ["['a', 'é'].join('-')", 'a-Ã©'],
    ["'a,b,é'.split(',', 2)[1]", 'b,Ã©'],
    ["'a,b'.split(',', 5)[1]", 'b'],
    ["'éab'.split('', -1)[0]", 'Ã©'],
    ["size('a,b'.split(',', 0))", '0'],
    ["'abé'.reverse()", 'Ã©ba'],
    ["strings.quote('a')", '"a"'],
    ["'%s %d'.format(['é', 1])", 'Ã© 1'],
    [`size('${'a'.repeat(2000)}'.replace('a', '${'b'.repeat(100)}'))`, '200000'],
    [`'${'a'.repeat(2000)}'.replace('a', '${'b'.repeat(1000)}')`, null],
    ["'abc'.replace('', '-')", '-a-b-c-'],
    ["'abc'.replace('', '-', 2)", '-a-bc'],
    ["'aba'.replace('a', 'x', 1)", 'xba'],
    ["'aba'.replace('a', 'x', 0)", 'aba'],
    ["'a'.charAt(7)", null],
    ["'a'.charAt('a')", null],
  ])('%s is %s where it is told to know functions of strings', (expression, expected) => {
    const message = create(CelExpressionConfigSchema, { enableStringFunctions: true });
    const options = decodeExpressionOptions(message, new Reasons());
    const engine = expressionEngine();
    expect(engine.build(engine.parse(expression, options), true).text(outcome())).toBe(expected);
  });

  it.each([
    [String.raw`re.extract('foo=bar', '(\\w+)=(\\w+)', '\\2-\\1\\\\')`, String.raw`bar-foo\``.slice(0, -1)],
    ["re.extract('foo', 'z', 'x')", null],
    [String.raw`re.extract('abc', 'b', '\\9')`, null],
    [String.raw`re.extract('éa', '(.)', '[\\1]')`, '[Ã©]'],
    ["re.capture('abc', 'a(b)c')", 'b'],
    ["re.capture('abc', '(b)')", null],
    ["re.capture('abc', '(z)?abc')", ''],
    ["re.captureN('abc', 'a(?P<n>b)(c)')['n']", 'b'],
    ["re.captureN('abc', 'a(?P<n>b)(c)')['2']", 'c'],
    ["re.captureN('abc', 'abc')", null],
    ["'é'.matches('^.$')", 'true'],
  ])('%s is %s', (expression, expected) => {
    expect(text(expression)).toBe(expected);
  });

  it('matches bytes that are no UTF-8 as they are', () => {
    const odd = outcome();
    odd.requestHead!.headers.add('x-odd', '\xff\xfe');
    expect(text("request.headers['x-odd'].matches('^..$')", odd)).toBe('true');
    expect(text("size(request.headers['x-odd'])", odd)).toBe('2');
  });

  it('may come as messages', () => {
    const source = {
      exprKind: {
        case: 'callExpr',
        value: {
          function: '_==_',
          args: [
            {
              exprKind: {
                case: 'selectExpr',
                value: {
                  operand: { exprKind: { case: 'identExpr', value: { name: 'request' } } },
                  field: 'method',
                  testOnly: false,
                },
              },
            },
            { exprKind: { case: 'constExpr', value: { constantKind: { case: 'stringValue', value: 'GET' } } } },
          ],
        },
      },
    };
    const data = decodeExpression(source, defaultExpressionOptions, new Reasons())!;
    expect(structuredClone(data)).toEqual(data);
    expect(expressionEngine().build(data, false).matches(outcome())).toBe(true);
    const reasons = new Reasons('condition');
    expect(decodeExpression({ exprKind: { case: undefined } }, defaultExpressionOptions, reasons)).toBeNull();
    expect(reasons.list).toHaveLength(1);
  });

  it('lets bugs through', () => {
    const bug = () => {
      throw new TypeError('bug');
    };
    expect(() => checking(bug, new Reasons())).toThrow('bug');
  });

  it('gives up a pattern that is too large', () => {
    expect(text("request.path.matches('(a{100}){100}')")).toBeNull();
    expect(text("request.path.matches('[')")).toBeNull();
    expect(text("request.path.matches('^/p')")).toBe('true');
  });
});

describe('values', () => {
  it.each([
    ['0.1', '0.1', '0.1'],
    ['1e20', '1e+20', '100000000000000000000'],
    ['1e-7', '1e-07', '1e-7'],
    ['123456789.123', '1.23457e+08', '123456789.123'],
    ['100000.0', '100000', '100000'],
    ['-0.0', '-0', '0'],
    ['5u', '5', '5'],
    ["b'ab'", 'ab', '"YWI="'],
    ['null', 'NULL', 'null'],
    ['[1, null]', 'CelList value', '[1,null]'],
    ['{"b": 1, "a": "é"}', 'CelMap value', '{"a":"Ã©","b":1}'],
    ['type(1)', 'CelType value', 'null'],
    ["duration('1h1m1.5s')", '1h1m1.5s', '"3661.500s"'],
    ["duration('-0.0015s')", '-1.5ms', '"-0.001500s"'],
    ["duration('0s')", '0', '"0s"'],
    ["timestamp('2020-01-01T00:00:00.123Z')", '2020-01-01T00:00:00.123+00:00', '"2020-01-01T00:00:00.123Z"'],
    ['timestamp(-1)', '1969-12-31T23:59:59+00:00', '"1969-12-31T23:59:59Z"'],
    ['timestamp(-62135596800)', '1-01-01T00:00:00+00:00', '"0001-01-01T00:00:00Z"'],
    ['timestamp(253402300800)', '10000-01-01T00:00:00+00:00', 'null'],
    ['timestamp(-9223372036854775807)', '-292277022657-01-27T08:29:53+00:00', 'null'],
  ])('%s prints as %s and as the JSON %s', (expression, plain, json) => {
    expect(text(expression)).toBe(plain);
    const engine = expressionEngine();
    expect(engine.build(engine.parse(expression), true).json(outcome()) ?? 'null').toBe(json);
  });
});

it.each([
  "timestamp('10000-01-01T00:00:00Z')",
  "timestamp(253402300799) + duration('1s')",
  "duration('9223372037s')",
  'duration(1)',
  "int(duration('5s'))",
  "request.path.replace('', 'x'.replace('x', request.path)).split('').join(request.path) == 1",
])('%s is an error', (expression) => {
  const engine = expressionEngine();
  const options = { ...defaultExpressionOptions, stringFunctions: true };
  const of = outcome();
  of.requestHead = new RequestHead('GET', 'a.test', `/${'a'.repeat(2000)}`, HttpVersion.Http11, Headers.of());
  expect(engine.build(engine.parse(expression, options), true).text(of)).toBeNull();
});

describe('%CEL(…)%', () => {
  it('is an operator, and TYPED_CEL one that keeps its type', () => {
    expect(compileFormat('<%CEL(request.path):2%|%CEL(request.nope)%|%TYPED_CEL(1)%>').format(outcome())).toBe(
      '</p|-|1>',
    );
    const line = compileJsonFormat({ a: '%CEL(response.code)%', b: '%TYPED_CEL(response.code)%', c: '%CEL(nope)%' });
    expect(line.format(outcome())).toBe('{"a":"503","b":503,"c":null}\n');
    expect(formatProblem('%CEL(1 +)%')).toContain('Not able to parse');
  });
});

describe('the access log filter', () => {
  function decode(expression: string) {
    const value = toBinary(ExpressionFilterSchema, create(ExpressionFilterSchema, { expression }));
    const typedConfig = { typeUrl: `type.googleapis.com/${ExpressionFilterSchema.typeName}`, value };
    const reasons = new Reasons();
    const message = create(ExtensionFilterSchema, {
      name: 'cel',
      configType: { case: 'typedConfig', value: { $typeName: 'google.protobuf.Any', ...typedConfig } },
    });
    return { data: decodeExtensionFilter(message, reasons), reasons: reasons.list };
  }

  it('accepts what the expression matches', () => {
    const { data } = decode('response.code >= 500');
    expect(buildAccessLogFilter(data!).accepts(outcome())).toBe(true);
    expect(buildAccessLogFilter(data!).accepts(new Outcome())).toBe(false);
  });

  it('refuses others by name', () => {
    const reasons = new Reasons();
    expect(decodeExtensionFilter(create(ExtensionFilterSchema, { name: 'odd' }), reasons)).toBeNull();
    expect(reasons.list[0]?.message).toContain("access log filter 'odd'");
    expect(decode('1 +').reasons[0]?.path).toContain('expression');
  });
});
