import { describe, expect, it } from 'vitest';
import { formatHash } from '../../../../src/core/hash64.ts';
import type { RequestHead } from '../../../../src/core/head.ts';
import { xxHash64Text } from '../../../../src/core/xx-hash64.ts';
import { HashPolicy } from '../../../../src/route/hash/hash-policy.ts';
import type { HashPolicyData } from '../../../../src/route/hash/hash-policy-data.ts';
import { anyHost, decodeYaml, forwardOf, outcomeOf, request, tableFrom } from '../fixture.ts';

function policyOf(yaml: string): HashPolicy {
  const table = tableFrom(anyHost(`{ match: { prefix: / }, route: { cluster: c, hash_policy: ${yaml} } }`));
  const { hashPolicy } = forwardOf(table.match(request('/'), { random: 0 }));
  if (hashPolicy === null) throw new Error('no hash policy');
  return hashPolicy;
}

function hashOf(yaml: string, head: RequestHead, cookies: string[] = []): string | null {
  const hash = policyOf(yaml).hash(head, outcomeOf(head), { addCookie: (cookie) => cookies.push(cookie) });
  return hash === null ? null : formatHash(hash);
}

const hex = (text: string): string => formatHash(xxHash64Text(text));

describe('a header', () => {
  const yaml = '[{ header: { header_name: X-Key } }]';

  it('hashes its value', () => {
    expect(hashOf(yaml, request('/', 'x-key: a'))).toBe(hex('a'));
  });

  it('that is missing gives no hash', () => {
    expect(hashOf(yaml, request('/'))).toBeNull();
  });

  it('that is repeated hashes all values, in whatever order', () => {
    expect(hashOf(yaml, request('/', 'x-key: b', 'x-key: a'))).toBe(formatHash(xxHash64Text('b', xxHash64Text('a'))));
  });

  it('may be a pseudo-header', () => {
    expect(hashOf("[{ header: { header_name: ':path' } }]", request('/some'))).toBe(hex('/some'));
  });

  it('is rewritten first', () => {
    const rewrite = String.raw`[{ header: { header_name: ':path', regex_rewrite: { pattern: { regex: '^/(\w+).*$' }, substitution: '\1' } } }]`;
    expect(hashOf(rewrite, request('/one/two'))).toBe(hex('one'));
  });
});

describe('a cookie', () => {
  it('hashes its value without quotes', () => {
    expect(hashOf('[{ cookie: { name: s } }]', request('/', 'cookie: t=1; s="x"'))).toBe(hex('x'));
  });

  it('that is missing gives no hash', () => {
    expect(hashOf('[{ cookie: { name: s } }]', request('/'))).toBeNull();
  });

  it('that is missing is made, where it has a time to live', () => {
    const cookies: string[] = [];
    const yaml =
      '[{ cookie: { name: s, ttl: 60s, path: /p, attributes: [{ name: SameSite, value: Strict }, { name: Secure }] } }]';
    const hash = hashOf(yaml, request('/'), cookies);
    const value = hex('');
    expect(hash).toBe(hex(value));
    expect(cookies).toEqual([`s="${value}"; Max-Age=60; Path=/p; SameSite=Strict; Secure; HttpOnly`]);
  });

  it('that lasts as long as the session says no age', () => {
    const cookies: string[] = [];
    hashOf('[{ cookie: { name: s, ttl: 0s } }]', request('/'), cookies);
    expect(cookies).toEqual([`s="${hex('')}"; HttpOnly`]);
  });
});

describe('a query parameter', () => {
  const yaml = '[{ query_parameter: { name: q } }]';

  it('hashes the first of its name as it was sent', () => {
    expect(hashOf(yaml, request('/?r=1&q=a%20b&q=c'))).toBe(hex('a%20b'));
  });

  it('may be empty, but not missing', () => {
    expect(hashOf(yaml, request('/?q'))).toBe(hex(''));
    expect(hashOf(yaml, request('/?qq=1'))).toBeNull();
  });
});

describe('addresses and filter state', () => {
  const withOutcome = (data: HashPolicyData, change: object): string | null => {
    const head = request('/');
    const hash = new HashPolicy([data]).hash(head, Object.assign(outcomeOf(head), change), null);
    return hash === null ? null : formatHash(hash);
  };

  it('hashes the client without its port', () => {
    const remoteAddress = { kind: 'ip', host: '::1', port: 0 };
    expect(withOutcome({ kind: 'sourceIp', terminal: false }, { remoteAddress })).toBe(hex('::1'));
    const pipe = { kind: 'pipe', host: '/p', port: 0 };
    expect(withOutcome({ kind: 'sourceIp', terminal: false }, { remoteAddress: pipe })).toBeNull();
  });

  it('hashes a text of the filter state', () => {
    const filterState = new Map<string, unknown>([
      ['k', 'v'],
      ['n', 1],
    ]);
    expect(withOutcome({ kind: 'filterState', key: 'k', terminal: false }, { filterState })).toBe(hex('v'));
    expect(withOutcome({ kind: 'filterState', key: 'n', terminal: false }, { filterState })).toBeNull();
  });
});

describe('several policies', () => {
  it('are combined by turning what was there by one bit', () => {
    const found = hashOf(
      '[{ header: { header_name: a } }, { header: { header_name: b } }]',
      request('/', 'a: 1', 'b: 1'),
    );
    const one = BigInt(`0x${hex('1')}`);
    const turned = BigInt.asUintN(64, (one << 1n) | (one >> 63n));
    expect(found).toBe((turned ^ one).toString(16).padStart(16, '0'));
  });

  it('end at a terminal one that has found something', () => {
    const yaml = '[{ header: { header_name: a }, terminal: true }, { header: { header_name: b } }]';
    expect(hashOf(yaml, request('/', 'a: 1', 'b: 2'))).toBe(hex('1'));
    expect(hashOf(yaml, request('/', 'b: 2'))).toBe(hex('2'));
  });
});

describe('decoding', () => {
  it('leaves out source_ip: false, which never finds anything', () => {
    expect(hashOf('[{ connection_properties: { source_ip: false } }]', request('/'))).toBeNull();
  });

  it('refuses a regular expression that is none', () => {
    const rewrite = "{ pattern: { regex: '(' }, substitution: '' }";
    const route = `{ match: { prefix: / }, route: { cluster: c, hash_policy: [{ header: { header_name: a, regex_rewrite: ${rewrite} } }] } }`;
    const { data, reasons } = decodeYaml(anyHost(route));
    expect(data).toBeNull();
    expect(reasons).toHaveLength(1);
  });
});

describe('weighted clusters by hash', () => {
  it('send what belongs together to one cluster', () => {
    const route =
      '{ match: { prefix: / }, route: { hash_policy: [{ header: { header_name: k } }], weighted_clusters: { use_hash_policy: true, clusters: [{ name: a, weight: 50 }, { name: b, weight: 50 }] } } }';
    const table = tableFrom(anyHost(route));
    const chosen = (key: string, random: number): string => {
      const head = request('/', `k: ${key}`);
      return forwardOf(table.match(head, { random })).cluster(head, random, outcomeOf(head)).name;
    };
    const names = Array.from({ length: 40 }, (_, i) => chosen(String(i), 0));
    expect(Array.from({ length: 40 }, (_, i) => chosen(String(i), 0.99))).toEqual(names);
    expect(new Set(names)).toEqual(new Set(['a', 'b']));
  });
});
