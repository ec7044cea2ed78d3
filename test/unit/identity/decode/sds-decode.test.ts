import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { decodeSecret } from '../../../../src/identity/decode/secret-decode.ts';
import { collectStaticSecrets } from '../../../../src/identity/decode/static-secrets-decode.ts';
import { SecretSources } from '../../../../src/identity/secret-sources.ts';
import { WatchedDirectorySchema } from '../../../../src/proto/envoy/config/core/v3/base_pb.js';
import { ConfigSourceSchema } from '../../../../src/proto/envoy/config/core/v3/config_source_pb.js';
import { SecretSchema } from '../../../../src/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { create, fromBinary } from '../../../../src/proto/protobuf.js';
import { downstream, file, inline, pair, root, server, trustedCa, upstream, type CertificateInit } from './contexts.ts';

type SourceInit = NonNullable<Parameters<typeof create<typeof ConfigSourceSchema>>[1]>;
type SecretInit = NonNullable<Parameters<typeof create<typeof SecretSchema>>[1]>;

const ads: SourceInit = { configSourceSpecifier: { case: 'ads', value: {} } };

function sds(name: string, source?: SourceInit) {
  return { name, ...(source === undefined ? {} : { sdsConfig: create(ConfigSourceSchema, source) }) };
}

function grpc(value: object): SourceInit {
  return { configSourceSpecifier: { case: 'apiConfigSource', value } };
}

const service = { targetSpecifier: { case: 'envoyGrpc' as const, value: { clusterName: 'sds' } } };

function fromSds(source: SourceInit) {
  return upstream({ tlsCertificateSdsSecretConfigs: [sds('own', source)] });
}

function withStatics(secrets: readonly SecretInit[]): { sources: SecretSources; reasons: readonly string[] } {
  const sources = new SecretSources();
  const reasons = new Reasons('static_resources');
  const messages = secrets.map((secret) => create(SecretSchema, secret));
  collectStaticSecrets(messages, reasons, sources);
  return { sources, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

const cert = { name: 'x', type: { case: 'tlsCertificate' as const, value: pair(server) } };
const roots = { name: 'x', type: { case: 'validationContext' as const, value: { trustedCa } } };

describe('a secret by SDS', () => {
  test('comes from where it says', () => {
    const source = grpc({
      apiType: 2,
      transportApiVersion: 2,
      grpcServices: [
        {
          targetSpecifier: {
            case: 'envoyGrpc',
            value: { clusterName: 'sds', authority: 'a', skipEnvoyHeaders: true, maxReceiveMessageLength: 9 },
          },
          timeout: { seconds: 1n, nanos: 5e8 },
          initialMetadata: [{ key: 'k', value: 'v' }],
        },
      ],
      rateLimitSettings: { maxTokens: 5 },
      setNodeOnFirstMessageOnly: true,
    });
    const { data, reasons, sources } = fromSds({
      ...source,
      initialFetchTimeout: { seconds: 0n, nanos: 0 },
    } as SourceInit);
    expect(reasons).toEqual([]);
    const [need] = sources.take();
    expect(data?.certificates).toEqual([{ key: need.key, inline: null }]);
    expect(need).toEqual({
      key: expect.stringMatching(/^sds\/certificate\/own\/[0-9a-f]{32}$/),
      name: 'own',
      kind: 'certificate',
      from: {
        kind: 'sds',
        source: {
          initialFetchTimeoutMs: 0,
          from: {
            kind: 'api',
            protocol: 'GRPC',
            services: [
              {
                cluster: 'sds',
                authority: 'a',
                timeoutMs: 1500,
                initialMetadata: [{ key: 'k', value: 'v' }],
                skipEnvoyHeaders: true,
                maxReceiveMessageLength: 9,
              },
            ],
            rateLimit: { maxTokens: 5, fillPerSecond: 10 },
            nodeOnFirstMessageOnly: true,
          },
        },
      },
    });
    expect(sources.take()).toEqual([]);
  });

  test('may come from a file, or over ADS', () => {
    const watched = { path: tmpdir(), watchedDirectory: { path: '/watched' } };
    const path = fromSds({ configSourceSpecifier: { case: 'pathConfigSource', value: watched } });
    expect(path.sources.take()[0].from).toEqual({
      kind: 'sds',
      source: {
        initialFetchTimeoutMs: 15_000,
        from: { kind: 'path', path: tmpdir(), watchedDirectory: '/watched' },
      },
    });
    expect(fromSds(ads).sources.take()[0].from).toMatchObject({ source: { from: { kind: 'ads' } } });
  });

  test('is one for all who name it, and another of another source or kind', () => {
    const sources = new SecretSources();
    const key = (source: SourceInit): string | undefined =>
      upstream({ tlsCertificateSdsSecretConfigs: [sds('own', source)] }, {}, sources).data?.certificates[0].key;
    expect(key(ads)).toBe(key(ads));
    expect(key(grpc({ apiType: 2, grpcServices: [service] }))).not.toBe(key(ads));
    const validation = { case: 'validationContextSdsSecretConfig', value: sds('own', ads) } as const;
    upstream({ validationContextType: validation }, {}, sources);
    expect(sources.take()).toHaveLength(3);
  });

  const at = 'common_tls_context.tls_certificate_sds_secret_configs[0].sds_config';

  test.each<[SourceInit, string]>([
    [
      { configSourceSpecifier: { case: 'path', value: '/no/such/file' } },
      `${at}.path: paths must refer to an existing path in the system: '/no/such/file' does not exist`,
    ],
    [
      grpc({ apiType: 1, clusterNames: ['x'] }),
      `${at}.api_config_source.cluster_names: field 'cluster_names' is not supported by sekisho`,
    ],
    [
      grpc({ apiType: 5, grpcServices: [service] }),
      `${at}.api_config_source.api_type: AGGREGATED_GRPC is not supported by sekisho here; GRPC and DELTA_GRPC are`,
    ],
    [
      grpc({ apiType: 2, transportApiVersion: 1, grpcServices: [service] }),
      `${at}.api_config_source.transport_api_version: V2 is not supported; only V3 is`,
    ],
    [
      grpc({ apiType: 3, grpcServices: [service, service] }),
      `${at}.api_config_source.grpc_services: GRPC and DELTA_GRPC need exactly one grpc_services; others to fall back to are not supported by sekisho`,
    ],
    [
      grpc({ apiType: 2, grpcServices: [{ targetSpecifier: { case: 'googleGrpc', value: { targetUri: 'xds:x' } } }] }),
      `${at}.api_config_source.grpc_services[0].google_grpc.target_uri: servers of 'xds:' are not supported by sekisho; those of dns, ipv4, ipv6 and unix are`,
    ],
    [
      { configSourceSpecifier: { case: 'self', value: {} } },
      `${at}: Missing config source specifier in envoy::config::core::v3::ConfigSource`,
    ],
  ])('is refused of a source that cannot be: %#', (source, reason) => {
    expect(fromSds(source).reasons).toContain(reason);
  });
});

describe('a static secret', () => {
  const named = { tlsCertificates: [], tlsCertificateSdsSecretConfigs: [sds('x')] };

  test('is known by its name and kind', () => {
    const { sources, reasons } = withStatics([cert, roots]);
    expect(reasons).toEqual([]);
    const validation = { case: 'validationContextSdsSecretConfig', value: sds('x') } as const;
    const { data } = downstream({ ...named, validationContextType: validation }, {}, sources);
    expect(data?.certificates).toMatchObject([{ key: 'x', inline: { keyPem: server.keyPem } }]);
    expect(data?.validation).toMatchObject({ base: null, secret: { inline: { trustedCaPem: root.rootPem } } });
    expect(sources.take()).toEqual([]);
  });

  test('that there is not is refused in Envoy’s words', () => {
    const { sources } = withStatics([roots]);
    expect(downstream(named, {}, sources).reasons).toEqual([
      'common_tls_context.tls_certificate_sds_secret_configs[0].name: Unknown static secret: x',
    ]);
    const validation = { case: 'validationContextSdsSecretConfig', value: sds('y') } as const;
    expect(downstream({ validationContextType: validation }, {}, sources).reasons).toEqual([
      'common_tls_context.validation_context_sds_secret_config.name: Unknown static certificate validation context: y',
    ]);
    const ticketKeys = { case: 'sessionTicketKeysSdsSecretConfig', value: sds('y') } as const;
    expect(downstream({}, { sessionTicketKeysType: ticketKeys }, sources).reasons).toEqual([
      'session_ticket_keys_sds_secret_config.name: Unknown tls session ticket keys: y',
    ]);
  });

  test('of one name and kind is there once, and of some kind', () => {
    expect(withStatics([cert, cert, roots, roots, { name: 'z' }]).reasons).toEqual([
      'static_resources.secrets[1].name: Duplicate static TlsCertificate secret name x',
      'static_resources.secrets[3].name: Duplicate static CertificateValidationContext secret name x',
      'static_resources.secrets[4]: Secret type not implemented',
    ]);
  });

  test('that cannot be used is refused where something names it, and once', () => {
    const broken = { name: 'x', type: { case: 'tlsCertificate' as const, value: { certificateChain: inline('x') } } };
    const { sources, reasons } = withStatics([broken]);
    expect(reasons).toEqual([]);
    expect(downstream(named, {}, sources).data).not.toBeNull();
    expect(sources.findStatic('certificate', 'x')?.reasons.list.map(({ path }) => path)).toEqual([
      'static_resources.secrets[0].tls_certificate.certificate_chain',
      'static_resources.secrets[0].tls_certificate.private_key',
    ]);
    downstream(named, {}, sources);
    expect(sources.findStatic('certificate', 'x')?.reasons.list).toHaveLength(2);
  });
});

describe('combined_validation_context', () => {
  const matchTypedSubjectAltNames = [{ sanType: 2, matcher: { matchPattern: { case: 'exact' as const, value: 'x' } } }];
  const combined = (sources: SecretSources, secret: ReturnType<typeof sds>) =>
    downstream(
      {
        validationContextType: {
          case: 'combinedValidationContext',
          value: {
            defaultValidationContext: { matchTypedSubjectAltNames },
            validationContextSdsSecretConfig: secret,
          },
        },
      },
      { requireClientCertificate: true },
      sources,
    );

  test('has both parts', () => {
    const { data, reasons, sources } = combined(new SecretSources(), sds('roots', ads));
    expect(reasons).toEqual([]);
    expect(data?.validation?.base?.sanMatchers).toHaveLength(1);
    expect(data?.validation?.secret).toEqual({ key: sources.take()[0].key, inline: null });
  });

  test('must be whole together, where both parts are there', () => {
    expect(combined(withStatics([roots]).sources, sds('x')).reasons).toEqual([]);
    const empty = { name: 'x', type: { case: 'validationContext' as const, value: {} } };
    expect(combined(withStatics([empty]).sources, sds('x')).reasons).toEqual([
      'common_tls_context.combined_validation_context: SAN-based verification of peer certificates without trusted CA is insecure and not allowed',
    ]);
  });
});

describe('files in a watched folder', () => {
  const watchedDirectory = create(WatchedDirectorySchema, { path: '/watched' });

  test('make a source of a certificate', () => {
    const { data, sources } = downstream({ tlsCertificates: [{ ...pair(server), watchedDirectory }] });
    const [need] = sources.take();
    expect(data?.certificates).toEqual([{ key: need.key, inline: null }]);
    expect(need).toMatchObject({
      key: expect.stringMatching(/^files\/certificate\/<inline>\/[0-9a-f]{32}$/),
      kind: 'certificate',
      from: { kind: 'files', directories: ['/watched'], initial: { keyPem: server.keyPem } },
    });
    const message = need.from.kind === 'files' ? fromBinary(SecretSchema, need.from.message) : null;
    expect(message?.type.case).toBe('tlsCertificate');
  });

  test('make a source of a validation context, wherever the folder is named', () => {
    const value = { trustedCa: { ...inline(root.rootPem), watchedDirectory } };
    const { data, sources } = downstream({ validationContextType: { case: 'validationContext', value } });
    const [need] = sources.take();
    expect(data?.validation).toEqual({ base: null, secret: { key: need.key, inline: null } });
    expect(need.from).toMatchObject({ kind: 'files', directories: ['/watched'] });
  });

  test('make a source of a static secret', () => {
    const { sources } = withStatics([
      { name: 'x', type: { case: 'tlsCertificate', value: { ...pair(server), watchedDirectory } as CertificateInit } },
    ]);
    downstream({ tlsCertificates: [], tlsCertificateSdsSecretConfigs: [sds('x')] }, {}, sources);
    expect(sources.take()).toMatchObject([{ name: 'x', from: { kind: 'files', directories: ['/watched'] } }]);
  });
});

describe('a Secret', () => {
  const read = (init: SecretInit) => {
    const reasons = new Reasons();
    const data = decodeSecret(create(SecretSchema, init), reasons);
    return { data, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
  };

  test('may be of each kind', () => {
    expect(read(cert).data?.kind).toBe('certificate');
    expect(read(roots).data?.kind).toBe('validation');
    const keys = [{ specifier: { case: 'inlineBytes' as const, value: Buffer.alloc(80) } }];
    expect(read({ type: { case: 'sessionTicketKeys', value: { keys } } }).data?.kind).toBe('ticket-keys');
    const value = { secret: inline('s'), secrets: { a: inline('b') } };
    expect(read({ type: { case: 'genericSecret', value } }).data).toEqual({
      kind: 'generic',
      value: Uint8Array.of(115),
      values: { a: Uint8Array.of(98) },
    });
  });

  test('is refused where it cannot be used', () => {
    expect(read({ name: 'x' })).toEqual({ data: null, reasons: [': Secret type not implemented'] });
    const value = { secret: file('/no/such/file') };
    expect(read({ type: { case: 'genericSecret', value } })).toEqual({
      data: null,
      reasons: ['generic_secret.secret: Failed to load the generic secret: Invalid path: /no/such/file (ENOENT)'],
    });
  });
});
