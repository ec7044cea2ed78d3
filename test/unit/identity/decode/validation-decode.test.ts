import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clientCertificateDemand } from '../../../../src/identity/trust.ts';
import { SPIFFECertValidatorConfigSchema } from '../../../../src/proto/envoy/extensions/transport_sockets/tls/v3/tls_spiffe_validator_config_pb.js';
import { anyPack, create } from '../../../../src/proto/protobuf.js';
import { validationSecret } from '../validation-secret.ts';
import { downstream, file, inline, root, server, trustedCa, validating, type ValidationInit } from './contexts.ts';

const at = 'common_tls_context.validation_context';
const crlPem = await root.revoke([server]);
const exact = (value: string) => ({ matchPattern: { case: 'exact' as const, value } });

function spiffe(
  config: Parameters<typeof create<typeof SPIFFECertValidatorConfigSchema>>[1],
  name = 'envoy.tls.cert_validator.spiffe',
) {
  return {
    customValidatorConfig: {
      name,
      typedConfig: anyPack(SPIFFECertValidatorConfigSchema, create(SPIFFECertValidatorConfigSchema, config)),
    },
  };
}

describe('a validation context', () => {
  test('is read whole', () => {
    const hash = 'AB'.repeat(32);
    const { data, reasons } = validating({
      trustedCa,
      crl: inline(crlPem),
      verifyCertificateHash: [hash, (hash.match(/../g) ?? []).join(':')],
      verifyCertificateSpki: ['A'.repeat(43) + '='],
      matchTypedSubjectAltNames: [
        { sanType: 3, matcher: { matchPattern: { case: 'prefix', value: 'SPIFFE://É' }, ignoreCase: true } },
        { sanType: 5, oid: '1.2.3', matcher: exact('x') },
      ],
      matchSubjectAltNames: [exact('passed over')],
      allowExpiredCertificate: true,
      trustChainVerification: 1,
      onlyVerifyLeafCertCrl: true,
      maxVerifyDepth: 3,
      suppressClientCaList: true,
    });
    expect(reasons).toEqual([]);
    expect(data?.validation).toEqual({
      secret: null,
      base: {
        kind: 'validation',
        trustedCaPem: root.rootPem,
        trustedCaOrigin: '<inline>',
        crlPem,
        crlOrigin: '<inline>',
        sanMatchers: [
          { type: 'URI', oid: '', match: { kind: 'prefix', value: 'spiffe://Ã\x89', ignoreCase: true } },
          { type: 'OTHER_NAME', oid: '1.2.3', match: { kind: 'exact', value: 'x', ignoreCase: false } },
        ],
        certificateHashes: ['ab'.repeat(32), 'ab'.repeat(32)],
        spkiHashes: ['A'.repeat(43) + '='],
        allowExpired: true,
        acceptUntrusted: true,
        onlyVerifyLeafCrl: true,
        maxVerifyDepth: 3,
        requireSignedCertificateTimestamp: false,
        spiffeTrustDomains: null,
        suppressClientCaList: true,
      },
    });
  });

  test('takes revocation lists that stand among the roots', () => {
    const { data } = validating({ trustedCa: inline(root.rootPem + crlPem) });
    expect(data?.validation?.base).toMatchObject({ crlPem, crlOrigin: '<inline>' });
  });

  test('looks for names of the older field in each type', () => {
    const { data } = validating({ trustedCa, matchSubjectAltNames: [exact('a')] });
    expect(data?.validation?.base?.sanMatchers.map(({ type }) => type)).toEqual(['DNS', 'URI', 'EMAIL', 'IP_ADDRESS']);
  });

  const missing = join(tmpdir(), 'sekisho-there-is-no-such-file');

  test.each<[ValidationInit, string]>([
    [{ trustedCa: file(missing) }, `${at}.trusted_ca: Invalid path: ${missing} (ENOENT)`],
    [{ trustedCa: inline('') }, `${at}.trusted_ca: DataSource cannot be empty`],
    [
      { trustedCa: inline('text') },
      `${at}.trusted_ca: Failed to load trusted CA certificates from <inline>: it has no certificate`,
    ],
    [
      { trustedCa, crl: inline('text') },
      `${at}.crl: Failed to load CRL from <inline>: it has no certificate revocation list`,
    ],
    [
      { trustedCa, crl: inline('-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n') },
      `${at}.crl: Failed to load CRL from <inline>`,
    ],
    [{ crl: inline(crlPem) }, `${at}: Failed to load CRL from <inline> without trusted CA`],
    [
      { matchTypedSubjectAltNames: [{ sanType: 2, matcher: exact('x') }] },
      `${at}: SAN-based verification of peer certificates without trusted CA is insecure and not allowed`,
    ],
    [{ allowExpiredCertificate: true }, `${at}: Certificate validity period is always ignored without trusted CA`],
    [
      { trustedCa, matchTypedSubjectAltNames: [{ sanType: 5, oid: 'x', matcher: exact('x') }] },
      `${at}.match_typed_subject_alt_names[0].oid: Failed to create SAN matcher for OTHER_NAME with OID: x`,
    ],
    [
      {
        trustedCa,
        matchTypedSubjectAltNames: [
          { sanType: 2, matcher: { matchPattern: { case: 'safeRegex', value: { regex: '(' } } } },
        ],
      },
      `${at}.match_typed_subject_alt_names[0].matcher.safe_regex.regex: missing closing ): \`(\``,
    ],
    [
      { verifyCertificateHash: ['z'.repeat(64)] },
      `${at}.verify_certificate_hash[0]: Invalid hex-encoded SHA-256 ${'z'.repeat(64)}`,
    ],
    [
      { verifyCertificateSpki: ['x'.repeat(44)] },
      `${at}.verify_certificate_spki[0]: Invalid base64-encoded SHA-256 ${'x'.repeat(44)}`,
    ],
    [
      spiffe({}, 'nope'),
      `${at}.custom_validator_config: Failed to get certificate validator factory for nope; only envoy.tls.cert_validator.spiffe is supported by sekisho`,
    ],
  ])('is refused: %#', (value, reason) => {
    expect(validating(value).reasons).toEqual([reason]);
  });
});

describe('the SPIFFE validator', () => {
  const bundle = inline(root.rootPem);
  const typed = `${at}.custom_validator_config.typed_config`;

  test('has roots for each trust domain, and looks at no others', () => {
    const { data, reasons } = validating({
      ...spiffe({ trustDomains: [{ name: 'td', trustBundle: bundle }] }),
      trustedCa,
    });
    expect(reasons).toEqual([]);
    expect(data?.validation?.base).toMatchObject({ spiffeTrustDomains: { td: root.rootPem }, trustedCaPem: '' });
  });

  test('takes bundles of the standard', () => {
    const x5c = [Buffer.from(root.certificate.der).toString('base64')];
    const keys = [{ use: 'jwt-svid' }, { use: 'x509-svid', x5c }];
    const trustBundles = inline(JSON.stringify({ trust_domains: { td: { keys } } }));
    expect(validating(spiffe({ trustBundles })).data?.validation?.base?.spiffeTrustDomains).toEqual({
      td: root.rootPem,
    });
  });

  test.each([
    ['{', /^Invalid JSON in SPIFFE bundle: /],
    ['{}', /^No trust domains found in SPIFFE bundle$/],
    ['{"trust_domains": {"td": {}}}', /^No keys found in SPIFFE bundle for trust domain 'td'$/],
    ['{"trust_domains": {"td": {"keys": []}}}', /^no certificate in SPIFFE bundle for trust domain 'td'$/],
    ['{"trust_domains": {"td": {"keys": [{"use": "x509-svid"}]}}}', /^a key without x5c in SPIFFE bundle/],
    ['{"trust_domains": {"td": {"keys": [{"use": "x509-svid", "x5c": ["AAAA"]}]}}}', /^not an X.509 certificate/],
  ])('refuses the bundle %s', (text, reason) => {
    const { reasons } = validating(spiffe({ trustBundles: inline(text) }));
    expect(reasons.map((found) => found.replace(`${typed}.trust_bundles: `, ''))).toEqual([
      expect.stringMatching(reason),
    ]);
  });

  test('refuses a domain twice and without certificates, and takes revocation lists', () => {
    const trustDomains = [
      { name: 'a', trustBundle: bundle },
      { name: 'a', trustBundle: bundle },
      { name: 'b', trustBundle: inline('text') },
      { name: 'c', trustBundle: inline(root.rootPem + crlPem) },
    ];
    expect(validating(spiffe({ trustDomains })).reasons).toEqual([
      `${typed}.trust_domains[1].name: Multiple trust bundles are given for one trust domain for a`,
      `${typed}.trust_domains[2].trust_bundle: Failed to load trusted CA certificate for b`,
    ]);
  });
});

describe('require_client_certificate', () => {
  test('wants something to verify by', () => {
    const reason = expect.stringMatching(/^require_client_certificate: there is no trusted_ca/);
    expect(downstream({}, { requireClientCertificate: true }).reasons).toEqual([reason]);
    const value = {};
    const nothing = downstream(
      { validationContextType: { case: 'validationContext', value } },
      { requireClientCertificate: true },
    );
    expect(nothing.reasons).toEqual([reason]);
  });

  const matcher = { type: 'DNS', oid: '', match: { kind: 'exact', value: 'a', ignoreCase: false } } as const;

  test.each([
    [null, true, 'none'],
    [validationSecret(), true, 'none'],
    [validationSecret({ trustedCaPem: 'x' }), true, 'required'],
    [validationSecret({ trustedCaPem: 'x' }), false, 'optional'],
    [validationSecret({ trustedCaPem: 'x', sanMatchers: [matcher] }), false, 'required'],
    [validationSecret({ certificateHashes: ['x'] }), false, 'required'],
    [validationSecret({ certificateHashes: ['x'], acceptUntrusted: true }), true, 'optional'],
    [validationSecret({ acceptUntrusted: true }), true, 'optional'],
    [validationSecret({ spiffeTrustDomains: {} }), false, 'required'],
  ] as const)('and what is there decide whether clients are asked: %#', (secret, isRequired, demand) => {
    expect(clientCertificateDemand(secret, isRequired)).toBe(demand);
  });
});
