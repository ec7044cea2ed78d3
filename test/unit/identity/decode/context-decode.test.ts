import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { downstream, inline, pair, rsa, server, trustedCa, upstream } from './contexts.ts';

const exact = (value: string) => ({ matchPattern: { case: 'exact' as const, value } });

test('a server has Envoy’s defaults', () => {
  const { data } = downstream({});
  expect({ ...data, certificates: [] }).toEqual({
    minVersion: 'TLSv1_2',
    maxVersion: 'TLSv1_3',
    cipherSuites: [],
    curves: [],
    signatureAlgorithms: [],
    alpn: [],
    certificates: [],
    validation: null,
    keyLog: null,
    requireClientCertificate: false,
    ticketKeys: null,
    statelessResumption: true,
    statefulResumption: true,
    sessionTimeoutSeconds: 0,
    ocspStaplePolicy: 'LENIENT_STAPLING',
    fullScanCertsOnSniMismatch: false,
    preferClientCiphers: false,
  });
});

test('a client has Envoy’s defaults', () => {
  const { data } = upstream({});
  expect(data).toEqual({
    minVersion: 'TLSv1_2',
    maxVersion: 'TLSv1_2',
    cipherSuites: [],
    curves: [],
    signatureAlgorithms: [],
    alpn: [],
    certificates: [],
    validation: null,
    keyLog: null,
    sni: '',
    autoHostSni: false,
    autoSniSanValidation: false,
    allowRenegotiation: false,
    maxSessionKeys: 1,
    enforceRsaKeyUsage: true,
  });
});

test('FIPS_202205 takes the place of whatever else is said', () => {
  const { data } = downstream({ tlsParams: { compliancePolicies: [0], ecdhCurves: ['X25519'] } });
  expect(data).toMatchObject({
    minVersion: 'TLSv1_2',
    maxVersion: 'TLSv1_3',
    curves: ['P-256', 'P-384'],
    isFips: true,
  });
  expect(data!.cipherSuites.every((name) => name.includes('AES'))).toBe(true);
});

test('every field of a server arrives', () => {
  const key = Buffer.alloc(80, 'k');
  const { data, reasons } = downstream(
    {
      tlsParams: {
        tlsMinimumProtocolVersion: 1,
        tlsMaximumProtocolVersion: 4,
        cipherSuites: ['AES128-SHA'],
        ecdhCurves: ['X25519:P-256', ''],
        signatureAlgorithms: ['RSA+SHA256', 'ed25519'],
      },
      alpnProtocols: ['h2,http/1.1', '', 'x'],
      keyLog: {
        path: join(tmpdir(), 'keys.log'),
        localAddressRange: [{ addressPrefix: '10.0.0.0', prefixLen: 99 }],
        remoteAddressRange: [{ addressPrefix: '::1' }],
      },
      validationContextType: { case: 'validationContext', value: { trustedCa } },
    },
    {
      requireClientCertificate: true,
      sessionTicketKeysType: {
        case: 'sessionTicketKeys',
        value: { keys: [{ specifier: { case: 'inlineBytes', value: key } }] },
      },
      disableStatefulSessionResumption: true,
      sessionTimeout: { seconds: 90n, nanos: 5e8 },
      ocspStaplePolicy: 1,
      fullScanCertsOnSniMismatch: true,
      preferClientCiphers: true,
    },
  );
  expect(reasons).toEqual([]);
  expect(data).toMatchObject({
    minVersion: 'TLSv1_0',
    maxVersion: 'TLSv1_3',
    cipherSuites: ['AES128-SHA'],
    curves: ['X25519', 'P-256'],
    signatureAlgorithms: ['rsa_pkcs1_sha256', 'ed25519'],
    alpn: ['h2', 'http/1.1', 'x'],
    keyLog: {
      path: join(tmpdir(), 'keys.log'),
      localRanges: [{ address: '10.0.0.0', length: 32 }],
      remoteRanges: [{ address: '::1', length: 0 }],
    },
    requireClientCertificate: true,
    ticketKeys: { inline: { kind: 'ticket-keys', keys: [new Uint8Array(key)] } },
    statelessResumption: true,
    statefulResumption: false,
    sessionTimeoutSeconds: 90,
    ocspStaplePolicy: 'STRICT_STAPLING',
    fullScanCertsOnSniMismatch: true,
    preferClientCiphers: true,
  });
  const stateless = { case: 'disableStatelessSessionResumption', value: true } as const;
  expect(downstream({}, { sessionTicketKeysType: stateless }).data?.statelessResumption).toBe(false);
});

test('every field of a client arrives', () => {
  const { data, reasons } = upstream(
    {
      tlsCertificates: [pair(server)],
      validationContextType: { case: 'validationContext', value: { trustedCa } },
    },
    {
      sni: 'a.test',
      autoHostSni: true,
      autoSniSanValidation: true,
      allowRenegotiation: true,
      maxSessionKeys: 0,
      enforceRsaKeyUsage: false,
    },
  );
  expect(reasons).toEqual([]);
  expect(data).toMatchObject({
    certificates: [{ inline: { keyPem: server.keyPem } }],
    sni: 'a.test',
    autoHostSni: true,
    autoSniSanValidation: true,
    allowRenegotiation: true,
    maxSessionKeys: 0,
    enforceRsaKeyUsage: true,
  });
});

describe('a server is refused', () => {
  const shortKey = { keys: [{ specifier: { case: 'inlineBytes' as const, value: Buffer.alloc(79) } }] };
  const nowhere = join(tmpdir(), 'sekisho-there-is-no-such-folder', 'keys.log');

  test.each([
    [
      downstream({}, { sessionTicketKeysType: { case: 'sessionTicketKeys', value: shortKey } }),
      'session_ticket_keys.keys[0]: Incorrect TLS session ticket key length. Length 79, expected length 80.',
    ],
    [
      downstream({ tlsParams: { ecdhCurves: ['P-224'] } }),
      /^common_tls_context.tls_params.ecdh_curves: Failed to initialize ECDH curves P-224/,
    ],
    [
      downstream({ tlsParams: { signatureAlgorithms: ['RSA+SHA256', 'rsa_pkcs1_sha256'] } }),
      /^common_tls_context.tls_params.signature_algorithms: Failed to initialize TLS signature algorithms RSA\+SHA256:rsa_pkcs1_sha256/,
    ],
    [
      downstream({ tlsParams: { cipherSuites: ['NOPE'] } }),
      'common_tls_context.tls_params.cipher_suites: Failed to initialize cipher suites NOPE. The following ciphers were rejected when tried individually: NOPE',
    ],
    [
      downstream({ alpnProtocols: ['x'.repeat(256)] }),
      /^common_tls_context.alpn_protocols: Invalid ALPN protocol string/,
    ],
    [
      downstream({ keyLog: { path: nowhere } }),
      `common_tls_context.key_log.path: unable to open file '${nowhere}': its folder is not there, or not writable`,
    ],
    [
      downstream({
        keyLog: { path: join(tmpdir(), 'k'), localAddressRange: [{ addressPrefix: 'foo', prefixLen: 32 }] },
      }),
      "common_tls_context.key_log.local_address_range[0]: invalid ip/mask combo 'foo/32' (format is <ip>/<# mask bits>)",
    ],
    [
      downstream({ customHandshaker: { name: 'x' } }),
      "common_tls_context.custom_handshaker: field 'custom_handshaker' is not supported by sekisho",
    ],
    [
      downstream({
        tlsCertificateSdsSecretConfigs: [
          { name: 'x', sdsConfig: { configSourceSpecifier: { case: 'ads', value: {} } } },
        ],
      }),
      'common_tls_context: SDS and non-SDS TLS certificates may not be mixed in server contexts',
    ],
  ])('%#', ({ reasons }, reason) => {
    expect(reasons).toEqual([typeof reason === 'string' ? reason : expect.stringMatching(reason)]);
  });
});

describe('a client is refused', () => {
  test.each([
    [
      upstream({ tlsCertificates: [pair(server), pair(rsa)] }),
      'common_tls_context: Multiple TLS certificates are not supported for client contexts',
    ],
    [upstream({}, { sni: 'a\0b' }), 'sni: SNI names containing NULL-byte are not allowed'],
    [
      upstream({}, { autoSniSanValidation: true }),
      "auto_sni_san_validation: 'auto_sni_san_validation' was configured without a validation context",
    ],
    [
      upstream({ validationContextType: { case: 'validationContext', value: {} } }, { autoSniSanValidation: true }),
      "auto_sni_san_validation: 'auto_sni_san_validation' was configured without configuring a trusted CA",
    ],
    [
      upstream({
        validationContextType: {
          case: 'validationContext',
          value: { matchTypedSubjectAltNames: [{ sanType: 2, matcher: exact('x') }] },
        },
      }),
      'common_tls_context.validation_context: SAN-based verification of peer certificates without trusted CA is insecure and not allowed',
    ],
    [
      upstream({ tlsCertificates: [{ certificateChain: inline(server.chainPem), privateKey: inline(rsa.keyPem) }] }),
      /KEY_TYPE_MISMATCH/,
    ],
  ])('%#', ({ reasons }, reason) => {
    expect(reasons).toEqual([typeof reason === 'string' ? reason : expect.stringMatching(reason)]);
  });
});
