import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { encryptedKeyPem, Extension, element, selfSigned, Authority } from '../../../certificates.ts';
import { bytes, downstream, file, inline, other, pair, root, rsa, server, type CertificateInit } from './contexts.ts';

const folder = mkdtempSync(join(tmpdir(), 'sekisho-certificates-'));
afterAll(() => rmSync(folder, { recursive: true }));
const empty = join(folder, 'empty');
writeFileSync(empty, '');
const chainFile = join(folder, 'chain.pem');
writeFileSync(chainFile, server.chainPem);
const missing = join(folder, 'missing');

const at = 'common_tls_context.tls_certificates[0]';

function reasonsOf(...tlsCertificates: CertificateInit[]): readonly string[] {
  return downstream({ tlsCertificates }).reasons;
}

describe('a certificate', () => {
  test('is read with its key', () => {
    const { data, reasons } = downstream({ tlsCertificates: [pair(server)] });
    expect(reasons).toEqual([]);
    expect(data?.certificates).toEqual([
      {
        key: '<inline>',
        inline: {
          kind: 'certificate',
          chainPem: server.chainPem,
          keyPem: server.keyPem,
          pkcs12: null,
          password: '',
          ocspStaple: null,
          origin: '<inline>',
        },
      },
    ]);
  });

  test('may come from a file or an environment variable', () => {
    process.env['SEKISHO_TEST_KEY'] = server.keyPem;
    const privateKey = { specifier: { case: 'environmentVariable' as const, value: 'SEKISHO_TEST_KEY' } };
    const { data } = downstream({ tlsCertificates: [{ certificateChain: file(chainFile), privateKey }] });
    delete process.env['SEKISHO_TEST_KEY'];
    expect(data?.certificates[0].inline).toMatchObject({ origin: chainFile, keyPem: server.keyPem });
  });

  test('may be of several kinds', async () => {
    const kinds = await Promise.all((['p384', 'ed25519'] as const).map((key) => root.issue({ key })));
    expect(reasonsOf(pair(server), pair(rsa), ...kinds.map(pair))).toEqual([]);
  });

  test('may have expired', async () => {
    const expired = await root.issue({ notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') });
    expect(reasonsOf(pair(expired))).toEqual([]);
  });

  test('may have a key under a password', () => {
    const privateKey = inline(encryptedKeyPem(server.key, 'secret'));
    const certificateChain = inline(server.chainPem);
    const ask = (password: string) => reasonsOf({ certificateChain, privateKey, password: inline(password) });
    expect(ask('secret')).toEqual([]);
    expect(ask('wrong')).toEqual([
      `${at}.private_key: Failed to load private key from <inline>, Cause: error:1e000065:Cipher functions:OPENSSL_internal:BAD_DECRYPT (wrong password)`,
    ]);
    expect(reasonsOf({ certificateChain, privateKey })).toEqual([
      `${at}.private_key: Failed to load private key from <inline>, Cause: error:09000068:PEM routines:OPENSSL_internal:BAD_PASSWORD_READ (it is encrypted, and there is no password)`,
    ]);
  });
});

describe('is refused', () => {
  const chain = inline(server.chainPem);
  const key = inline(server.keyPem);

  test.each<[string, CertificateInit, string[]]>([
    [
      'without its file',
      { certificateChain: file(missing), privateKey: key },
      [
        `${at}.certificate_chain: Failed to load incomplete certificate from ${missing}: certificate chain not set: Invalid path: ${missing} (ENOENT)`,
      ],
    ],
    [
      'of an empty file',
      { certificateChain: file(empty), privateKey: key },
      [`${at}.certificate_chain: Failed to load incomplete certificate from ${empty}: certificate chain not set`],
    ],
    [
      'of text',
      { certificateChain: inline('text'), privateKey: key },
      [`${at}.certificate_chain: Failed to load certificate chain from <inline>: it has no certificate`],
    ],
    [
      'without a key',
      { certificateChain: chain },
      [`${at}.private_key: Failed to load incomplete private key from path: `],
    ],
    [
      'with a key of text',
      { certificateChain: chain, privateKey: inline('text') },
      [
        `${at}.private_key: Failed to load private key from <inline>, Cause: error:0900006e:PEM routines:OPENSSL_internal:NO_START_LINE (it has no PEM)`,
      ],
    ],
    [
      'with the key of another',
      { certificateChain: chain, privateKey: inline(other.keyPem) },
      [
        `${at}.private_key: Failed to load private key from <inline>, Cause: error:0b000074:X.509 certificate routines:OPENSSL_internal:KEY_VALUES_MISMATCH (it is not the key of 'CN=test')`,
      ],
    ],
    [
      'with a key of another kind',
      { certificateChain: chain, privateKey: inline(rsa.keyPem) },
      [
        `${at}.private_key: Failed to load private key from <inline>, Cause: error:0b000073:X.509 certificate routines:OPENSSL_internal:KEY_TYPE_MISMATCH (it is not the key of 'CN=test')`,
      ],
    ],
    [
      'beside PKCS#12',
      { pkcs12: inline('x'), privateKey: key },
      [
        `${at}.pkcs12: Certificate configuration can't have both pkcs12 and private_key`,
        `${at}.pkcs12: Failed to load pkcs12 from <inline>: not enough data`,
      ],
    ],
    [
      'with a staple of text',
      { certificateChain: chain, privateKey: key, ocspStaple: bytes(Buffer.from('300102', 'hex')) },
      [`${at}.ocsp_staple: OCSP response cannot be read: ends within an element`],
    ],
    [
      'with a key that another holds',
      { certificateChain: chain, privateKey: key, privateKeyProvider: { providerName: 'x' } },
      [`${at}.private_key_provider: field 'private_key_provider' is not supported by sekisho`],
    ],
  ])('%s', (_, certificate, reasons) => {
    expect(reasonsOf(certificate)).toEqual(reasons);
  });

  test('without any name, by servers', async () => {
    expect(reasonsOf(pair(await selfSigned({ subject: '' })))).toEqual([
      'common_tls_context: Invalid TLS context has neither subject CN nor SAN names',
    ]);
    const [empty] = reasonsOf(pair(await selfSigned({ subject: [{ '2.5.4.3': [{ utf8String: '' }] }], dns: ['a'] })));
    expect(empty).toBe('common_tls_context: Invalid TLS context has an empty subject CN');
  });

  test('without the staple that it promises', async () => {
    const promise = new Extension('1.3.6.1.5.5.7.1.24', false, element(0x30, element(2, Buffer.of(5))));
    expect(reasonsOf(pair(await (await Authority.root()).issue({ extensions: [promise] })))).toEqual([
      'common_tls_context: OCSP response is required for must-staple certificate',
    ]);
    expect(downstream({}, { ocspStaplePolicy: 2 }).reasons).toEqual([
      'common_tls_context: Required OCSP response is missing from TLS context',
    ]);
  });

  test('where a server has none', () => {
    expect(reasonsOf()).toEqual(['common_tls_context: No TLS certificates found for server context']);
    expect(reasonsOf({})).toEqual(['common_tls_context: Server TlsCertificates must have a certificate specified']);
  });
});
