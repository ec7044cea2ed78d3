import { describe, expect, test } from 'vitest';
import { formatSpiffeId, isTrustDomain, parseSpiffeId, trustDomainOfUri } from '../../../src/identity/spiffe-id.ts';

describe('a SPIFFE ID', () => {
  test.each([
    ['spiffe://cluster.local/ns/default/sa/web', 'cluster.local', '/ns/default/sa/web'],
    ['spiffe://td', 'td', ''],
    ['SPIFFE://Td.Example/A_b-1.c', 'td.example', '/A_b-1.c'],
    [`spiffe://${'a'.repeat(255)}/x`, 'a'.repeat(255), '/x'],
  ])('%s', (text, trustDomain, path) => {
    const id = parseSpiffeId(text);
    expect(id).toEqual({ trustDomain, path });
    expect(id === null ? '' : parseSpiffeId(formatSpiffeId(id))).toEqual(id);
  });

  test.each([
    '',
    'spiffe://',
    'spiffe:///path',
    'https://td/x',
    'spiffe:/td/x',
    'spiffe://td/',
    'spiffe://td//x',
    'spiffe://td/x/',
    'spiffe://td/.',
    'spiffe://td/../x',
    'spiffe://td:80/x',
    'spiffe://user@td/x',
    'spiffe://td/x?q',
    'spiffe://td/x#f',
    'spiffe://td/%41',
    'spiffe://tä/x',
    'spiffe://td/x y',
    `spiffe://${'a'.repeat(256)}/x`,
    `spiffe://td/${'a'.repeat(2048)}`,
  ])('is not %s', (text) => {
    expect(parseSpiffeId(text)).toBeNull();
  });
});

test('a trust domain has lower-case letters, digits, dots, dashes and underscores', () => {
  expect(['td', 'a-b_c.d1'].every(isTrustDomain)).toBe(true);
  expect(['', 'Td', 'a/b', 'a:1'].some(isTrustDomain)).toBe(false);
});

test.each([
  ['spiffe://td/x', 'td'],
  ['spiffe://TD/x', 'TD'],
  ['spiffe://td/', 'td'],
  ['spiffe://td', null],
  ['spiffe:///x', null],
  ['https://td/x', null],
])('Envoy takes %s for one of trust domain %s', (uri, domain) => {
  expect(trustDomainOfUri(uri)).toBe(domain);
});
