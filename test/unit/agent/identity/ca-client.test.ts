import { createPrivateKey, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentError } from '../../../../src/agent/agent-error.ts';
import { Environment } from '../../../../src/agent/environment.ts';
import { GrpcChannel, GrpcError } from '../../../../src/agent/grpc/grpc-channel.ts';
import { CaClient } from '../../../../src/agent/identity/ca-client.ts';
import { keyKind } from '../../../../src/agent/identity/key-pair.ts';
import { Authority } from '../../../certificates.ts';
import { Istiod } from '../../../istiod.ts';

const identity = 'spiffe://cluster.local/ns/default/sa/reviews';
let istiod: Istiod;

beforeAll(async () => {
  istiod = await Istiod.start();
});
afterAll(() => istiod.stop());

interface ClientWish {
  readonly roots?: string;
  readonly serverName?: string;
  readonly variables?: Record<string, string>;
}

function clientOf(wish: ClientWish = {}): CaClient {
  const tls = {
    roots: wish.roots ?? istiod.authority.rootPem,
    serverName: wish.serverName ?? 'istiod.istio-system.svc',
    certificate: null,
  };
  return new CaClient({
    channel: new GrpcChannel({ host: '127.0.0.1', port: istiod.port, tls: () => tls }),
    metadata: () => ({ authorization: 'Bearer token', clusterid: 'Kubernetes' }),
    identity,
    key: keyKind(new Environment({ ECC_SIGNATURE_ALGORITHM: 'ECDSA', ...wish.variables })),
    validitySeconds: 3600,
    signer: 'signer.example/mesh',
  });
}

describe('a certificate of the authority', () => {
  test.each([
    ['an RSA key', { ECC_SIGNATURE_ALGORITHM: '' }, '-----BEGIN RSA PRIVATE KEY-----', 'rsa'],
    ['a key of P-256', {}, '-----BEGIN EC PRIVATE KEY-----', 'ec'],
    ['a key of P-384', { ECC_CURVE: 'P384' }, '-----BEGIN EC PRIVATE KEY-----', 'ec'],
    ['a key in PKCS #8', { PKCS8_KEY: 'true' }, '-----BEGIN PRIVATE KEY-----', 'ec'],
  ])('for %s', async (_, variables, label, type) => {
    const client = clientOf({ variables });
    const certified = await client.certify();
    client.close();
    expect(certified.key).toContain(label);
    const key = createPrivateKey(certified.key);
    expect(key.asymmetricKeyType).toBe(type);
    const leaf = new X509Certificate(certified.chain);
    expect(leaf.checkPrivateKey(key)).toBe(true);
    expect(leaf.subjectAltName).toBe(`URI:${identity}`);
    expect(certified.roots).toBe(istiod.authority.rootPem);
    expect(certified.chain.endsWith(istiod.authority.rootPem)).toBe(true);
    expect(certified.expiresMs).toBe(Date.parse(leaf.validTo));
    const asked = istiod.asked.at(-1)!;
    expect(asked).toMatchObject({ uris: [identity], validitySeconds: 3600 });
    expect(asked.signer).toContain('CertSigner');
    expect(asked.signer).toContain('signer.example/mesh');
    expect(asked.metadata).toMatchObject({ authorization: 'Bearer token', clusterid: 'Kubernetes' });
  });

  test('an authority that refuses', async () => {
    const client = clientOf();
    istiod.refusals = 1;
    await expect(client.certify()).rejects.toMatchObject({ code: 14, message: 'not now' });
    await expect(client.certify()).resolves.toMatchObject({ roots: istiod.authority.rootPem });
    client.close();
  });

  test('one that is not whom we trust, or has another name, is told nothing', async () => {
    const stranger = await Authority.root('CN=stranger');
    const before = istiod.asked.length;
    await expect(clientOf({ roots: stranger.rootPem }).certify()).rejects.toThrow(GrpcError);
    await expect(clientOf({ serverName: 'other.svc' }).certify()).rejects.toThrow('altnames');
    expect(istiod.asked).toHaveLength(before);
  });
});

test.each([
  [{ ECC_SIGNATURE_ALGORITHM: 'RSA' }, "ECC_SIGNATURE_ALGORITHM is 'RSA'; allowed: ECDSA"],
  [{ ECC_CURVE: 'P521' }, "ECC_CURVE is 'P521'; allowed: P256, P384"],
  [{ WORKLOAD_RSA_KEY_SIZE: '1024' }, 'WORKLOAD_RSA_KEY_SIZE is 1024; at least 2048'],
])('%j is refused', (variables, reason) => {
  expect(() => keyKind(new Environment(variables))).toThrow(new AgentError(reason));
});
