import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ControlPlane } from '../../../../src/agent/control-plane.ts';
import { Environment, type Variables } from '../../../../src/agent/environment.ts';
import { Identity, spiffeIdOf } from '../../../../src/agent/identity/identity.ts';
import { Authority } from '../../../certificates.ts';
import { Istiod } from '../../../istiod.ts';
import { KeptLog } from '../../../kept-log.ts';
import { until } from '../../../scenario/wait.ts';

const before = process.cwd();
let folder: string;
let istiod: Istiod;
let identity: Identity | null;

// What identity has stands relative to the working folder.
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'identity-'));
  process.chdir(folder);
  istiod = await Istiod.start();
  identity = null;
});
afterEach(() => {
  identity?.close();
  istiod.stop();
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

async function open(variables: Variables = {}, hasIdentitySocket = false): Promise<Identity> {
  const tls = { roots: istiod.authority.rootPem, serverName: 'istiod.istio-system.svc', certificate: null };
  const controlPlane = {
    authority: { host: '127.0.0.1', port: istiod.port, tls: () => tls },
    authorityMetadata: () => ({}),
  } as unknown as ControlPlane;
  const environment = new Environment({ ECC_SIGNATURE_ALGORITHM: 'ECDSA', ...variables });
  identity = await Identity.open({ environment, controlPlane, hasIdentitySocket, log: new KeptLog() });
  return identity;
}

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

describe('a certificate of the CA', () => {
  test('is written where others of the machine want it', async () => {
    const { secrets } = await open({ OUTPUT_CERTS: './out', SECRET_TTL: '1h' });
    const found = await until('a certificate', () => secrets.secret('default') ?? undefined);
    expect(found).toEqual({
      kind: 'certificate',
      chain: readFileSync('./out/cert-chain.pem', 'utf8'),
      key: readFileSync('./out/key.pem', 'utf8'),
    });
    expect(statSync('./out/key.pem').mode & 0o777).toBe(0o600);
    expect(readFileSync('./out/root-cert.pem', 'utf8')).toBe(istiod.authority.rootPem);
    expect(istiod.asked[0].validitySeconds).toBe(3600);
    expect(identity?.expiresMs).toBeGreaterThan(Date.now());
  });

  test('its files are none of the workload when the agent itself wrote them', async () => {
    const old = await (await Authority.root()).issue();
    put('./etc/certs/cert-chain.pem', old.chainPem);
    put('./etc/certs/key.pem', old.keyPem);
    const { secrets } = await open({ OUTPUT_CERTS: './etc/certs' });
    await until('a certificate', () => secrets.secret('default') ?? undefined);
    expect(istiod.asked).toHaveLength(1);
  });
});

describe('certificates of another', () => {
  test.each(['./etc/certs', './var/run/secrets/workload-spiffe-credentials'])('in %s', async (place) => {
    const authority = await Authority.root();
    const issued = await authority.issue();
    put(`${place}/cert-chain.pem`, issued.chainPem);
    put(`${place}/key.pem`, issued.keyPem);
    put(`${place}/root-cert.pem`, authority.rootPem);
    const { secrets } = await open();
    expect(secrets.secret('default')).toEqual({ kind: 'certificate', chain: issued.chainPem, key: issued.keyPem });
    expect(secrets.secret('ROOTCA')).toMatchObject({ kind: 'roots', roots: authority.rootPem });
    expect(istiod.asked).toEqual([]);
  });

  test('at a socket of its own: the agent has files only, in another place', async () => {
    const { secrets } = await open({}, true);
    expect(() => secrets.secret('default')).toThrow("another serves the workload's");
    expect(existsSync('./var/run/secrets/credential-uds/files-socket')).toBe(true);
    expect(existsSync('./var/run/secrets/workload-spiffe-uds/socket')).toBe(false);
    expect(istiod.asked).toEqual([]);
  });
});

test('what is revoked is named with the roots', async () => {
  put('./var/run/secrets/istio/crl/ca-crl.pem', 'list');
  const { secrets } = await open();
  const roots = await until('roots', () => secrets.secret('ROOTCA') ?? undefined);
  expect(roots).toMatchObject({ revoked: './var/run/secrets/istio/crl/ca-crl.pem' });
});

test('who the workload is', () => {
  const variables = { TRUST_DOMAIN: 'td', POD_NAMESPACE: 'ns', SERVICE_ACCOUNT: 'sa' };
  expect(spiffeIdOf(new Environment(variables))).toBe('spiffe://td/ns/ns/sa/sa');
});
