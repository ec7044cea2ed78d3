import { describe, expect, test } from 'vitest';
import { readCertificate } from '../../../src/identity/certificate.ts';
import { PeerValidation } from '../../../src/identity/peer-validation.ts';
import { matchesDnsName } from '../../../src/identity/san-matcher.ts';
import type { SanMatcherData, SanType, ValidationSecret } from '../../../src/identity/secret-data.ts';
import { Authority, element, Extension } from '../../certificates.ts';
import { validationSecret } from './validation-secret.ts';

const root = await Authority.root();
const leaf = readCertificate(
  (
    await root.issue({
      subject: 'CN=web',
      serial: '0a',
      dns: ['a.example', '*.b.c'],
      uris: ['spiffe://td/web', 'spiffe://other/x'],
      emails: ['e@x'],
      ips: ['10.0.0.1', '2001:db8::1'],
      otherNames: [{ oid: '1.2.3', value: element(0x0c, Buffer.from('on')) }],
    })
  ).der,
);
const names = 'a.example, *.b.c, spiffe://td/web, spiffe://other/x, e@x, 10.0.0.1, 2001:db8::1, on';

function validation(parts: Partial<ValidationSecret>): PeerValidation {
  return new PeerValidation(validationSecret(parts), (pattern) => new RegExp(`^(?:${pattern})$`));
}

function matcher(type: SanType, kind: SanMatcherData['match']['kind'], value: string, ignoreCase = false, oid = '') {
  return { type, oid, match: { kind, value, ignoreCase } };
}

describe('names', () => {
  test.each([
    matcher('DNS', 'exact', 'A.EXAMPLE'),
    matcher('DNS', 'exact', 'www.b.c'),
    matcher('DNS', 'suffix', '.b.c'),
    matcher('DNS', 'prefix', '*.b'),
    matcher('URI', 'regex', 'spiffe://t.*'),
    matcher('URI', 'contains', 'OTHER', true),
    matcher('EMAIL', 'exact', 'E@X', true),
    matcher('IP_ADDRESS', 'exact', '2001:db8::1'),
    matcher('OTHER_NAME', 'exact', 'on', false, '1.2.3'),
  ])('of %j are found', (sanMatcher) => {
    expect(validation({ sanMatchers: [matcher('DNS', 'exact', 'nope'), sanMatcher] }).check(leaf, [])).toBeNull();
  });

  test.each([
    matcher('DNS', 'exact', 'x.y.b.c'),
    matcher('DNS', 'exact', 'spiffe://td/web'),
    matcher('URI', 'regex', 'td'),
    matcher('URI', 'exact', 'SPIFFE://td/web'),
    matcher('EMAIL', 'exact', 'E@X'),
    matcher('OTHER_NAME', 'exact', 'on', false, '1.2.4'),
  ])('of %j are not', (sanMatcher) => {
    expect(validation({ sanMatchers: [sanMatcher] }).check(leaf, [])).toEqual({
      stat: 'fail_verify_san',
      reason: `verify cert failed: SAN matcher, certificate SANs are [${names}]`,
      advice: `the certificate 'CN=web' (serial number 0a) has none of the names ${sanMatcher.type} ${sanMatcher.match.kind} '${sanMatcher.match.value}'`,
    });
  });

  test('that a certificate does not have cannot match', async () => {
    const nameless = readCertificate((await root.issue()).der);
    const found = validation({ sanMatchers: [matcher('DNS', 'contains', '')] }).check(nameless, []);
    expect(found?.reason).toBe('verify cert failed: SAN matcher, certificate SANs are []');
  });

  test('of unknown types are listed without text', async () => {
    const parts = [
      element(0xa4, element(0x30, Buffer.of())),
      element(0x88, Buffer.of(0x2a)),
      element(0x82, Buffer.from('d')),
    ];
    const extension = new Extension('2.5.29.17', false, element(0x30, Buffer.concat(parts)));
    const odd = readCertificate((await root.issue({ extensions: [extension] })).der);
    const found = validation({ sanMatchers: [matcher('DNS', 'exact', 'x.y')] }).check(odd, []);
    expect(found?.reason).toBe('verify cert failed: SAN matcher, certificate SANs are [, , d]');
  });
});

describe('names that a request asks for', () => {
  const plain = validation({});

  test('may be of any type, and DNS names may have a wildcard', () => {
    expect(plain.check(leaf, ['nope', 'www.b.c'])).toBeNull();
    expect(plain.check(leaf, ['spiffe://other/x'])).toBeNull();
    expect(plain.check(leaf, [])).toBeNull();
  });

  test('are told when they are missing', () => {
    expect(plain.check(leaf, ['nope.test', 'x'])).toMatchObject({
      stat: 'fail_verify_san',
      reason: `verify cert failed: verify SAN list, expected SANs: [nope.test, x], certificate SANs: [${names}]`,
    });
  });

  test('are asked for besides what is configured', () => {
    const both = validation({ sanMatchers: [matcher('URI', 'exact', 'zz')] });
    expect(both.check(leaf, ['www.b.c'])?.reason).toMatch(/SAN matcher/);
  });

  test('of SNI must be DNS names, and stand for what is configured', () => {
    const configured = validation({ sanMatchers: [matcher('URI', 'exact', 'zz')] });
    expect(configured.check(leaf, [], 'www.b.c')).toBeNull();
    expect(configured.check(leaf, [], '10.0.0.1')?.reason).toMatch(/SAN matcher, certificate SANs are/);
  });
});

describe('hashes', () => {
  const other = '00'.repeat(32);

  test('of the certificate or of its public key are enough', () => {
    expect(validation({ certificateHashes: [other, leaf.sha256] }).check(leaf, [])).toBeNull();
    expect(validation({ certificateHashes: [other], spkiHashes: [leaf.spkiSha256] }).check(leaf, [])).toBeNull();
  });

  test('of others are not', () => {
    const found = validation({ certificateHashes: [other], spkiHashes: ['x'] }).check(leaf, []);
    expect(found).toMatchObject({ stat: 'fail_verify_cert_hash', reason: 'verify cert failed: cert hash and spki' });
    expect(found?.advice).toContain(leaf.sha256);
  });

  test('and names pin a certificate', () => {
    expect(validation({}).pins).toBe(false);
    expect(validation({ certificateHashes: [other] }).pins).toBe(true);
    expect(validation({ spkiHashes: ['x'] }).pins).toBe(true);
    expect(validation({ sanMatchers: [matcher('DNS', 'exact', 'a')] }).pins).toBe(true);
  });
});

describe('SPIFFE', () => {
  const spiffe = validation({ spiffeTrustDomains: { td: 'PEM' } });

  test('takes the trust domain of the first URI name', () => {
    expect(spiffe.trustDomainOf(leaf)).toBe('td');
  });

  test.each([
    [['spiffe://nope/web'], "has the first URI name 'spiffe://nope/web', which is of no configured trust domain (td)"],
    [['spiffe://td'], "has the first URI name 'spiffe://td', which is of no configured trust domain (td)"],
    [
      ['https://x/', 'spiffe://td/x'],
      "has the first URI name 'https://x/', which is of no configured trust domain (td)",
    ],
    [[], 'has no URI name'],
  ])('of %j knows no trust domain', async (uris, why) => {
    const { der } = await root.issue({ uris, serial: '0b' });
    expect(spiffe.chooseTrustDomain(readCertificate(der))).toEqual({
      stat: 'fail_verify_error',
      reason: 'verify cert failed: no trust bundle store',
      advice: `the certificate 'CN=test' (serial number 0b) ${why}`,
    });
    expect(spiffe.trustDomainOf(readCertificate(der))).toBeNull();
  });

  test('wants leaves that sign nothing', async () => {
    const uris = ['spiffe://td/web'];
    const signer = await root.issue({ uris, keyUsages: 32 | 1 });
    const constraints = element(0x30, element(0x01, Buffer.from([255])));
    const authority = await root.issue({ uris, extensions: [new Extension('2.5.29.19', true, constraints)] });
    for (const { der } of [signer, authority]) {
      expect(spiffe.chooseTrustDomain(readCertificate(der))).toMatchObject({
        reason: 'verify cert failed: cert precheck',
      });
    }
  });

  test('looks at URI names alone', () => {
    const named = (type: SanType, value: string): PeerValidation =>
      validation({ spiffeTrustDomains: { td: 'PEM' }, sanMatchers: [matcher(type, 'exact', value)] });
    expect(named('URI', 'spiffe://td/web').check(leaf, [])).toBeNull();
    expect(named('URI', 'spiffe://td/nope').check(leaf, [])).toMatchObject({
      stat: 'fail_verify_san',
      reason: 'verify cert failed: SAN match',
    });
    expect(named('DNS', 'nope').check(leaf, ['nope'])).toBeNull();
    expect(validation({ spiffeTrustDomains: {}, certificateHashes: ['00'] }).check(leaf, [])).toBeNull();
  });
});

test.each([
  ['a.example', 'a.example', true],
  ['A.example', 'a.EXAMPLE', true],
  ['www.example.com', '*.example.com', true],
  ['www.example.com', 'w*.example.com', true],
  ['www.example.com', '*w.example.com', true],
  ['www.example.com', 'w*w.example.com', true],
  ['ww.example.com', 'w*w.example.com', true],
  ['w.example.com', 'w*w.example.com', false],
  ['a.www.example.com', '*.example.com', false],
  ['example.com', '*.example.com', false],
  ['www.example.com', '*.*.com', false],
  ['www.example.com', '**.example.com', false],
  ['xn--a.example.com', 'xn--*.example.com', false],
  ['www.example.com', 'www.*.com', false],
  ['localhost', '*', false],
  ['a.b', '*.b', true],
])('host %s and a certificate for %s: %s', (host, pattern, isMatch) => {
  expect(matchesDnsName(host, pattern)).toBe(isMatch);
});
