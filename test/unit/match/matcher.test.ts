import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/document.ts';
import { parseMessage } from '../../../src/config/parse.ts';
import { Reasons } from '../../../src/core/rejection.ts';
import { decodeMatcher } from '../../../src/match/decode.ts';
import type { MatcherData, PredicateData } from '../../../src/match/matcher-data.ts';
import { buildMatcher, type Matcher } from '../../../src/match/matcher.ts';
import { MatcherSchema } from '../../../src/proto/xds/type/matcher/v3/matcher_pb.js';

type Subject = Readonly<Record<string, string>>;

/** An input's name is the subject's key, a string test is a word, and an action is its name. */
function decode(yaml: string): { matcher: Matcher<Subject, string>; reasons: string[] } {
  const { message } = parseMessage(readConfig({ text: yaml }), MatcherSchema);
  const reasons = new Reasons();
  const data = decodeMatcher(message, reasons, {
    decodeInput: (name) => name,
    decodeString: ({ matchPattern }) => matchPattern.value,
    decodeAction: (name) => name,
  });
  const isRefused = !reasons.isEmpty;
  const matcher = buildMatcher<Subject, string>(isRefused ? { tree: { kind: 'none' }, onNoMatch: null } : data, {
    input: (name) => (subject) => subject[name as string] ?? null,
    string: (word) => ({ matches: (text) => text === word }),
    action: (name) => name as string,
  });
  return { matcher, reasons: reasons.list.map(({ path, message: text }) => `${path}: ${text}`) };
}

const any = `typed_config: { '@type': type.googleapis.com/google.protobuf.Empty }`;
const action = (name: string): string => `{ action: { name: ${name}, ${any} } }`;
const input = (name: string): string => `{ name: ${name}, ${any} }`;
const ip = (matchers: string): string =>
  `matcher_tree: { input: ${input('ip')}, custom_match: { name: ip, typed_config: { '@type': type.googleapis.com/xds.type.matcher.v3.IPMatcher, range_matchers: ${matchers} } } }`;

describe('a matcher', () => {
  it('of nothing has what is otherwise', () => {
    expect(decode(`on_no_match: ${action('a')}`).matcher.match({})).toBe('a');
    expect(decode('{}').matcher.match({})).toBeNull();
  });

  it('takes the first of a list whose predicate holds', () => {
    const single = (name: string, word: string): string =>
      `{ single_predicate: { input: ${input(name)}, value_match: { exact: ${word} } } }`;
    const { matcher } = decode(`
matcher_list:
  matchers:
  - { predicate: { and_matcher: { predicate: [${single('x', 'a')}, ${single('second', 'b')}] } }, on_match: ${action('both')} }
  - { predicate: { or_matcher: { predicate: [${single('x', 'a')}, ${single('second', 'b')}] } }, on_match: ${action('one')} }
  - { predicate: { not_matcher: ${single('x', 'c')} }, on_match: ${action('neither')} }
on_no_match: ${action('none')}`);
    expect(matcher.match({ x: 'a', second: 'b' })).toBe('both');
    expect(matcher.match({ x: 'a' })).toBe('one');
    expect(matcher.match({})).toBe('neither');
    expect(matcher.match({ x: 'c' })).toBe('none');
  });

  it('takes the longest prefix, and a shorter one where that leads nowhere', () => {
    const nested = `{ matcher: { matcher_tree: { input: ${input('second')}, exact_match_map: { map: { b: ${action('deep')} } } } } }`;
    const { matcher } = decode(
      `matcher_tree: { input: ${input('x')}, prefix_match_map: { map: { a: ${action('short')}, ab: ${nested} } } }`,
    );
    expect(matcher.match({ x: 'abc', second: 'b' })).toBe('deep');
    expect(matcher.match({ x: 'abc', second: 'c' })).toBe('short');
    expect(matcher.match({ x: 'b' })).toBeNull();
    expect(matcher.match({})).toBeNull();
  });

  it('takes the longest range of addresses', () => {
    const { matcher } = decode(
      ip(`[
        { ranges: [{ address_prefix: 10.0.0.0, prefix_len: 8 }, { address_prefix: '::', prefix_len: 0 }], on_match: ${action('wide')} },
        { ranges: [{ address_prefix: 10.1.0.0, prefix_len: 16 }], on_match: ${action('narrow')} }]`),
    );
    expect(matcher.match({ ip: '10.1.9.9' })).toBe('narrow');
    expect(matcher.match({ ip: '10.2.9.9' })).toBe('wide');
    expect(matcher.match({ ip: '2001::1' })).toBe('wide');
    expect(matcher.match({ ip: '11.0.0.1' })).toBeNull();
    expect(matcher.match({ ip: 'nonsense' })).toBeNull();
  });

  it('tells addresses by ranges in a predicate', () => {
    const custom = `custom_match: { name: ip, typed_config: { '@type': type.googleapis.com/envoy.extensions.matching.input_matchers.ip.v3.Ip, cidr_ranges: [{ address_prefix: 10.0.0.0, prefix_len: 8 }], stat_prefix: x } }`;
    const { matcher } = decode(
      `matcher_list: { matchers: [{ predicate: { single_predicate: { input: ${input('ip')}, ${custom} } }, on_match: ${action('in')} }] }`,
    );
    expect(matcher.match({ ip: '10.9.9.9' })).toBe('in');
    expect(matcher.match({ ip: '::1' })).toBeNull();
  });
});

describe('refused by name', () => {
  it.each([
    [
      ip(`[{ ranges: [{ address_prefix: 10.0.0, prefix_len: 8 }], on_match: ${action('a')} }]`),
      'invalid ip/mask combo',
    ],
    [
      `matcher_tree: { input: ${input('x')}, custom_match: { name: other, ${any} } }`,
      "custom matcher of type 'google.protobuf.Empty' is not supported by sekisho",
    ],
    [
      `matcher_list: { matchers: [{ predicate: { single_predicate: { input: ${input('x')}, custom_match: { name: other, ${any} } } }, on_match: ${action('a')} }] }`,
      "input matcher of type 'google.protobuf.Empty' is not supported by sekisho",
    ],
    [`on_no_match: { action: { name: a, ${any} }, keep_matching: true }`, "field 'keep_matching' is not supported"],
    ['on_no_match: { action: { name: a } }', "extension 'a' has no typed_config"],
  ])('%s', (yaml, reason) => {
    expect(decode(yaml).reasons.join('\n')).toContain(reason);
  });
});

describe('what cannot be told', () => {
  type Known = Readonly<Record<string, string | undefined>>;
  const single = (name: string) => ({ kind: 'string', input: name, string: 'v' }) as const;
  const named = (name: string) => ({ kind: 'action', action: name }) as const;
  const custom = { kind: 'custom', input: 'i', custom: 'odd' } as const;

  function built(data: Parameters<typeof buildMatcher>[0], untold?: string): Matcher<Known, string> {
    return buildMatcher<Known, string>(data, {
      input: (name) => (subject) => subject[name as string],
      string: (word) => ({ matches: (text) => text === word }),
      action: (name) => name as string,
      custom: (input, word) => (subject) => subject[input as string] === word,
      ...(untold === undefined ? {} : { untold }),
    });
  }
  const list = (...predicates: PredicateData[]): MatcherData => ({
    tree: { kind: 'list', matchers: predicates.map((predicate, i) => ({ predicate, onMatch: named(`${i}`) })) },
    onNoMatch: named('else'),
  });

  it('ends the search, and has an action of its own', () => {
    expect(built(list(single('a'), single('b')), 'untold').match({ b: 'v' })).toBe('untold');
    expect(built(list(single('a'), single('b'))).match({ b: 'v' })).toBeNull();
    expect(built(list(single('b'), single('a')), 'untold').match({ b: 'v' })).toBe('0');
  });

  it('counts in a predicate where the others do not decide', () => {
    const match = (predicate: PredicateData, subject: Known) => built(list(predicate), 'untold').match(subject);
    const either: PredicateData = { kind: 'or', predicates: [single('a'), single('b')] };
    expect(match(either, { b: 'v' })).toBe('0');
    expect(match(either, { b: 'w' })).toBe('untold');
    const both: PredicateData = { kind: 'and', predicates: [single('b'), single('a')] };
    expect(match(both, { b: 'w' })).toBe('else');
    expect(match(both, { b: 'v' })).toBe('untold');
    expect(match({ kind: 'not', predicate: single('a') }, {})).toBe('untold');
    expect(match({ kind: 'ip', input: 'a', ranges: [] }, {})).toBe('untold');
  });

  it('ends trees, too', () => {
    for (const kind of ['exact', 'prefix'] as const)
      expect(built({ tree: { kind, input: 'a', entries: [] }, onNoMatch: null }, 'untold').match({})).toBe('untold');
    expect(built({ tree: { kind: 'ip', input: 'a', ranges: [] }, onNoMatch: null }, 'untold').match({})).toBe('untold');
  });

  it('is nothing of tests that only their user knows', () => {
    expect(built(list(custom)).match({ i: 'odd' })).toBe('0');
    expect(built(list(custom)).match({})).toBe('else');
    const words = { input: () => () => null, string: () => ({ matches: () => true }), action: () => '' };
    expect(() => buildMatcher(list(custom), words)).toThrow('without tests of its own');
  });

  it('custom matches are asked of their user', () => {
    const yaml = `matcher_list: { matchers: [{ predicate: { single_predicate: { input: ${input('a')}, custom_match: { name: own, ${any} } } }, on_match: ${action('x')} }] }`;
    const { message } = parseMessage(readConfig({ text: yaml }), MatcherSchema);
    const data = decodeMatcher(message, new Reasons(), {
      decodeInput: (name) => name,
      decodeString: () => '',
      decodeAction: (name) => name,
      decodeCustom: (name) => name,
    });
    expect(data.tree).toMatchObject({ matchers: [{ predicate: { kind: 'custom', input: 'a', custom: 'own' } }] });
    expect(decode(yaml).reasons[0]).toContain('input matcher of type');
  });
});

describe('a tree of domains', () => {
  const domains = (matchers: string): string =>
    `matcher_tree: { input: ${input('name')}, custom_match: { name: domain, typed_config: { '@type': type.googleapis.com/xds.type.matcher.v3.ServerNameMatcher, domain_matchers: ${matchers} } } }`;
  const one = (names: string, onMatch: string): string => `{ domains: ${names}, on_match: ${onMatch} }`;

  it('takes the name itself, then the wildcard of most labels', () => {
    const { matcher, reasons } = decode(
      domains(
        `[${one('[a.test, b.test]', action('whole'))}, ${one('["*.a.test"]', action('below'))}, ${one('["*.x.a.test"]', action('deep'))}, ${one('["*"]', action('any'))}]`,
      ),
    );
    expect(reasons).toEqual([]);
    const found = (name: string) => matcher.match({ name });
    expect(['a.test', 'b.test', 'y.a.test', 'z.y.x.a.test', 'x.a.test', 'A.test', 'other', ''].map(found)).toEqual([
      'whole',
      'whole',
      'below',
      'deep',
      'below',
      'any',
      'any',
      'any',
    ]);
    expect(matcher.match({})).toBeNull();
  });

  it('goes on with less where a nested matcher has nothing', () => {
    const empty = '{ matcher: { } }';
    const { matcher } = decode(domains(`[${one('["*.x.test"]', empty)}, ${one('["*.test"]', action('less'))}]`));
    expect(matcher.match({ name: 'a.x.test' })).toBe('less');
    expect(matcher.match({ name: 'other' })).toBeNull();
  });

  it.each(['a.*.test', '*a.test', '*.', '**'])('refuses %s', (name) => {
    expect(decode(domains(`[${one(`["${name}"]`, action('a'))}]`)).reasons[0]).toContain(
      `Invalid wildcard domain format: ${name}. Only '*' and '*.domain' patterns are supported`,
    );
  });

  it('refuses a name that is there twice', () => {
    expect(decode(domains(`[${one('[a, a]', action('a'))}]`)).reasons[0]).toContain(
      'Duplicate domain in ServerNameMatcher: a',
    );
  });
});
