import { describe, expect, test } from 'vitest';
import { rewriteProblem, templateProblem, TemplateRewrite, UriTemplate } from '../../../src/route/uri-template.ts';

// Verdicts and words of Envoy 1.39.3 throughout.
describe('templateProblem', () => {
  test.each([
    '/a/{x}',
    '/a/{x=*}',
    '/a/{x=**}',
    '/a/**/b',
    '/a/*.txt',
    '/a/{x}.txt',
    '/a/v{x}',
    '/a/{x=foo/*}/b',
    '/*/{x}',
    '/',
    '/a/',
    '/{a}/{b}/{c}/{d}/{e}',
    '/a=b',
    '/a/***',
    '/a/b*',
    '/a/{x=a*}',
    '/**.mpd',
    '/a%20b',
    '/a/{x}.txt/b',
    '/a/v{x}/b',
    '/a/v{x}.txt/b',
    '/a/{x=*/*}/{y}',
    '/a/v{x=*}/**',
  ])('%s is accepted', (template) => {
    expect(templateProblem(template)).toBeNull();
  });

  test.each([
    ['/a/{x}{y}', 'Invalid suffix literal: "{y}"'],
    ['/a/{x}-{y}', 'Invalid suffix literal: "-{y}"'],
    ['/**/**', 'Glob after text glob.'],
    ['/**/*', 'Glob after text glob.'],
    ['/{x}/{x}', 'Repeated variable name: "x"'],
    ['/a/{9x}', 'Invalid variable name: "9x"'],
    ['a', 'Invalid pattern: "a"'],
    ['/a//b', 'Invalid literal: ""'],
    ['/{abcdefghijklmnopq}', 'Invalid variable name length'],
    ['/{a}/{b}/{c}/{d}/{e}/{f}', 'Exceeded variable count limit (5)'],
    ['/a/{x', 'Unmatched variable bracket in mixed pattern: "{x"'],
    ['/a/x}', 'Invalid literal: "x}"'],
    ['/a/{x=}', 'Empty variable match'],
    ['/a/{x=*/}', 'Invalid variable match: "/"'],
    ['/a b', 'Invalid pattern: "/a b"'],
    ['/a/{x=*.y}', 'Invalid variable match: ".y"'],
    ['/é', 'Invalid pattern: "/é"'],
    ['/a/v{x', 'Invalid literal: "v{x"'],
    ['/a/*.txt/b', 'Prefix match not supported.'],
    ['/a/**/v{x}', 'Implicit variable path glob after text glob.'],
    ['/a/{x=***}', 'Invalid variable match: "*"'],
    ['/k/x{a=foo/*}', 'Invalid literal: "x{a=foo"'],
    ['/a/b{x}c{y}d', 'Invalid suffix literal: "c{y}d"'],
  ])('%s is refused: %s', (template, reason) => {
    expect(templateProblem(template)).toContain(reason);
  });
});

describe('UriTemplate', () => {
  test.each([
    ['/a/{x}/z', ['/a/1/z', '/a/1;v=2/z'], ['/a/1/2/z', '/a//z']],
    ['/b/{x=**}', ['/b/1/2', '/b/'], ['/b']],
    ['/c/*', ['/c/1', '/c/a%20b', '/c/a=b', '/c/a*b', "/c/!$&'()*+,;=:@-._~%"], ['/c/1/', '/c/[', '/c/^', '/c/"']],
    ['/d/{x=foo/*}/b', ['/d/foo/1/b'], ['/d/foo/1']],
    ['/e/v{x}.txt', ['/e/v1.txt'], ['/e/v.txt', '/e/v1xtxt']],
    ['/h/{x=**}/y', ['/h/a/b/y', '/h//y'], ['/h/y']],
    ['/a/b*', ['/a/b', '/a/bb'], ['/a/bX', '/a/b*']],
    ['/b/***', [], ['/b/x', '/b/***']],
    ['/l/a.b$(c)+', ['/l/a.b$(c)+'], ['/l/axb$(c)+']],
    ['/n/{x}/', ['/n/a/'], ['/n/a']],
  ])('%s matches %j and not %j', (template, yes, no) => {
    const built = new UriTemplate(template);
    for (const path of yes) expect([path, built.matches(path)]).toEqual([path, true]);
    for (const path of no) expect([path, built.matches(path)]).toEqual([path, false]);
  });

  test.each([
    ['/a/{x}/z', '/n/{x}', '/a/1/z', '/n/1'],
    ['/b/{x=**}', '/n/{x}/q', '/b/', '/n//q'],
    ['/d/{x=foo/*}/b', '/{x}', '/d/foo/1/b', '/foo/1'],
    ['/{a}/{b}', '/{b}-{a}', '/1/2', '/2-1'],
    ['/e/**', '/zz', '/e/x', '/zz'],
  ])('%s → %s makes %s into %s', (template, rewrite, path, expected) => {
    expect(rewriteProblem(rewrite, template)).toBeNull();
    expect(new UriTemplate(template).rewrite(path, new TemplateRewrite(rewrite))).toBe(expected);
  });

  test('a path that does not match is not rewritten', () => {
    expect(new UriTemplate('/a/{x}').rewrite('/b', new TemplateRewrite('/{x}'))).toBeNull();
  });
});

describe('rewriteProblem', () => {
  test.each([
    ['/b/{y}', 'mismatch between variables in path_match_policy /a/{x} and path_rewrite_policy /b/{y}'],
    ['b/{x}', 'path_rewrite_policy.path_template_rewrite b/{x} is invalid'],
    ['/b//{x}', 'path_rewrite_policy.path_template_rewrite /b//{x} is invalid'],
    ['/a{', 'is invalid: Unmatched variable bracket'],
    ['/z/{x}?a=b', 'is invalid'],
    ['/{9}', 'is invalid: Invalid variable name'],
  ])('%s', (rewrite, problem) => {
    expect(rewriteProblem(rewrite, '/a/{x}')).toContain(problem);
  });
});
