import { describe, expect, test } from 'vitest';
import { bindPath, bindQuery, type Binding } from '../../../../../src/filter/grpc-json-transcoder/path/bindings.ts';
import { PathMatcher } from '../../../../../src/filter/grpc-json-transcoder/path/path-matcher.ts';
import { parsePathTemplate } from '../../../../../src/filter/grpc-json-transcoder/path/path-template.ts';

describe('templates', () => {
  test('segments, variables and a verb', () => {
    expect(parsePathTemplate('/v1/{name=shelves/*}/{book.id}/x:do')).toEqual({
      segments: ['v1', 'shelves', '*', '*', 'x'],
      verb: 'do',
      variables: [
        { fieldPath: ['name'], start: 1, end: 3 },
        { fieldPath: ['book', 'id'], start: 3, end: 4 },
      ],
    });
    expect(parsePathTemplate('/{a=x/**/y}/z')!.variables).toEqual([{ fieldPath: ['a'], start: 0, end: -2 }]);
    expect(parsePathTemplate('/')).toEqual({ segments: [], verb: '', variables: [] });
  });

  test.each([
    '',
    'v1',
    '//',
    '/a/',
    '/{a',
    '/{}',
    '/{a=}',
    '/{.a}',
    '/{a.}',
    '/{a={b}}',
    '/**/*',
    '/**/**',
    '/{a=**}/{b}',
    '/a:',
    '/a:b/c',
    '/*a',
    '/a}',
  ])('%j is none', (text) => {
    expect(parsePathTemplate(text)).toBeNull();
  });
});

function matcherOf(templates: Readonly<Record<string, string>>, matchesAnyVerb = false): PathMatcher<string> {
  const matcher = new PathMatcher<string>(matchesAnyVerb);
  for (const [name, text] of Object.entries(templates)) {
    const [method, path] = text.split(' ');
    matcher.register(method, parsePathTemplate(path)!, name);
  }
  return matcher;
}

describe('matching', () => {
  const matcher = matcherOf({
    literal: 'GET /a/b',
    one: 'GET /a/*',
    rest: 'GET /a/**',
    tail: 'GET /r/**/end/x',
    any: '* /any',
    verb: 'POST /a/b:go',
    root: 'GET /',
  });

  test.each([
    ['GET', '/a/b', 'literal'],
    ['GET', '/a/b///', 'literal'],
    ['GET', '/a/c', 'one'],
    ['GET', '/a/c/d', 'rest'],
    ['GET', '/a', 'rest'],
    ['GET', '/a//b', 'rest'],
    ['GET', '/r/1/end/2/end/x', 'tail'],
    ['GET', '/r/end/x', null],
    ['BREW', '/any', 'any'],
    ['POST', '/a/b:go', 'verb'],
    ['POST', '/a/b:gone', null],
    ['GET', '/a/b:gone', 'one'],
    ['GET', '/a:b/c', null],
    ['POST', '/a/b', null],
    ['GET', '/', 'root'],
    ['GET', '', 'root'],
    ['get', '/a/b', null],
  ])('%s %s: %s', (method, path, expected) => {
    expect(matcher.match(method, path)?.target.value ?? null).toBe(expected);
  });

  test('a verb that nobody has is a verb, where it is to be', () => {
    const strict = matcherOf({ one: 'GET /a/*' }, true);
    expect(strict.match('GET', '/a/b:x')).toBeNull();
    expect(strict.match('GET', '/a/b')!.target.value).toBe('one');
  });

  test('what is registered twice answers nobody', () => {
    expect(matcherOf({ x: 'GET /a/{b}', y: 'GET /a/{c}' }).match('GET', '/a/1')).toBeNull();
  });
});

describe('bindings', () => {
  const bound = (template: string, path: string, unescape: 'all' | 'all but slash' | 'all but reserved'): string[] => {
    const bindings: Binding[] = [];
    const matched = matcherOf({ x: `GET ${template}` }).match('GET', path)!;
    bindPath(matched.target.variables, matched.segments, unescape, bindings);
    return bindings.map(({ fieldPath, value }) => `${fieldPath.join('.')}=${value}`);
  };

  test('one segment is decoded whole, several as configured', () => {
    expect(bound('/{a.b}/x/{c=**}', '/%2F%41/x/%2F%41/%2b', 'all but reserved')).toEqual(['a.b=/A', 'c=%2FA/%2b']);
    expect(bound('/{a}/x/{c=**}', '/%2F/x/%2F/%2b', 'all but slash')).toEqual(['a=/', 'c=%2F/+']);
    expect(bound('/{c=x/*}', '/x/%2F%zz%4', 'all')).toEqual(['c=x//%zz%4']);
    expect(bound('/{c=x/**}/y', '/x/1/2/y', 'all')).toEqual(['c=x/1/2']);
  });

  test.each([
    ['a=1&b.c=2&a=3', false, ['a=1', 'b.c=2', 'a=3']],
    ['=1&a&b=&&c==', false, ['b=', 'c==']],
    ['a=x+y%2B&key=k', true, ['a=x y+']],
    ['a=x+y', false, ['a=x+y']],
    ['', false, []],
  ] as const)('of the query %j', (query, plusIsSpace, expected) => {
    const bindings: Binding[] = [];
    bindQuery(query, new Set(['key']), plusIsSpace, bindings);
    expect(bindings.map(({ fieldPath, value }) => `${fieldPath.join('.')}=${value}`)).toEqual(expected);
  });
});
