import { createSecureContext } from 'node:tls';
import { describe, expect, test } from 'vitest';
import {
  canonicalSignatureAlgorithm,
  cipherNames,
  curveNames,
  readCipherSuites,
  signatureAlgorithmNames,
} from '../../../src/identity/cipher-suites.ts';

describe('OpenSSL knows', () => {
  test.each(cipherNames)('the suite %s', (ciphers) => {
    expect(() => createSecureContext({ ciphers, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })).not.toThrow();
  });

  test.each(curveNames)('the curve %s', (ecdhCurve) => {
    expect(() => createSecureContext({ ecdhCurve })).not.toThrow();
  });

  test.each(signatureAlgorithmNames)('the signature algorithm %s', (name) => {
    expect(() => createSecureContext({ sigalgs: canonicalSignatureAlgorithm(name) })).not.toThrow();
  });
});

test('suites are named by either of their names, alone and in groups', () => {
  const configured = [
    '[ECDHE-ECDSA-AES128-GCM-SHA256|TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]:AES128-SHA',
    '',
    'AES256-SHA',
  ];
  expect(readCipherSuites(configured)).toEqual({
    names: ['[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-RSA-AES128-GCM-SHA256]', 'AES128-SHA', 'AES256-SHA'],
    problem: '',
  });
  expect(readCipherSuites([])).toEqual({ names: [], problem: '' });
});

test.each([
  [['ECDHE-RSA-AES128-GCM-SHA256', 'NOPE', '[AES128-SHA|FOO]'], 'NOPE, FOO'],
  [['TLS_AES_128_GCM_SHA256'], 'TLS_AES_128_GCM_SHA256'],
  [['HIGH:!aNULL'], 'aNULL'],
  [['[AES128-SHA'], ''],
  [['[]'], ''],
])('%j is refused in Envoy’s words', (configured, bad) => {
  expect(readCipherSuites(configured)).toEqual({
    names: [],
    problem: `Failed to initialize cipher suites ${configured.join(':')}. The following ciphers were rejected when tried individually: ${bad}`,
  });
});

test.each(['ALL', '-ALL', 'ECDHE+AESGCM', '!AES128-SHA', 'DES-CBC3-SHA', 'PSK-AES128-CBC-SHA', '[AES128-SHA|kRSA]'])(
  '%s is refused by name',
  (entry) => {
    const { names, problem } = readCipherSuites(['AES256-SHA', entry]);
    expect(names).toEqual([]);
    expect(problem).toMatch(/^cipher suites by '.*' are not supported by sekisho; name them one by one: ECDHE-/);
  },
);
