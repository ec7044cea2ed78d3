import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Authority,
  element,
  encryptedKeyPem,
  type CertificateWish,
  type Issued,
  selfSigned,
} from '../../certificates.ts';
import { findProgram, missing } from '../binaries.ts';
import { ocspResponse } from './ocsp.ts';

const dayMs = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * dayMs);

/** Who signs: `ca` and `alien` are roots, `ca_rsa` one with an RSA key, `int` stands below `ca`, `int2` below `int`. */
type Signer = 'ca' | 'ca_rsa' | 'alien' | 'int' | 'int2' | 'itself';

const everyName: CertificateWish = {
  dns: ['client.test', 'b.client.test'],
  uris: ['spiffe://peers.test/ns/a/sa/client', 'urn:two'],
  emails: ['client@peers.test'],
  ips: ['10.0.0.1', '::1'],
  otherNames: [{ oid: '1.2.3.4', value: element(0x0c, Buffer.from('other')) }],
};

/** The certificates that rows and configurations speak of, by name. One is made when something names it. */
const wishes: Readonly<Record<string, readonly [Signer, CertificateWish]>> = {
  server: [
    'ca',
    { subject: 'CN=server,O=Peers', dns: ['server.test', '*.wild.test'], uris: ['spiffe://peers.test/ns/a/sa/server'] },
  ],
  server_two: ['ca', { subject: 'CN=two', dns: ['two.test'], uris: ['urn:a', 'urn:b'] }],
  server_rsa: ['ca', { subject: 'CN=rsa', key: 'rsa', dns: ['server.test'] }],
  server_two_rsa: ['ca', { subject: 'CN=two rsa', key: 'rsa', dns: ['two.test'] }],
  server_p384: ['ca', { subject: 'CN=p384', key: 'p384', dns: ['server.test'] }],
  server_ed25519: ['ca', { subject: 'CN=ed25519', key: 'ed25519', dns: ['server.test'] }],
  server_chain: ['int', { subject: 'CN=chain', dns: ['server.test'] }],
  server_deep: ['int2', { subject: 'CN=deep', dns: ['server.test'] }],
  server_expired: ['ca', { subject: 'CN=expired', dns: ['server.test'], notBefore: ago(20), notAfter: ago(10) }],
  server_alien: ['alien', { subject: 'CN=alien', dns: ['server.test'] }],
  client: ['ca', { subject: 'C=DE,O=Peers,CN=client', ...everyName }],
  client_rsa: ['ca', { subject: 'CN=rsa', key: 'rsa', uris: ['spiffe://peers.test/rsa'] }],
  client_by_rsa: ['ca_rsa', { subject: 'CN=by rsa' }],
  client_p384: ['ca', { subject: 'CN=p384', key: 'p384' }],
  client_ed25519: ['ca', { subject: 'CN=ed25519', key: 'ed25519' }],
  client_chain: ['int', { subject: 'CN=chain', ...everyName }],
  client_deep: ['int2', { subject: 'CN=deep', uris: ['spiffe://peers.test/deep'] }],
  client_nameless: ['ca', { subject: 'CN=nameless' }],
  client_expired: ['ca', { subject: 'CN=expired', notBefore: ago(20), notAfter: ago(10) }],
  client_future: ['ca', { subject: 'CN=future', notBefore: ago(-10), notAfter: ago(-20) }],
  client_revoked: ['ca', { subject: 'CN=revoked', uris: ['spiffe://peers.test/revoked'] }],
  client_alien: ['alien', { subject: 'CN=alien', uris: ['spiffe://alien.test/a'] }],
  client_self: ['itself', { subject: 'CN=self' }],
  client_server_only: ['ca', { subject: 'CN=server only', extendedUsages: ['1.3.6.1.5.5.7.3.1'] }],
};

/**
 * What configurations write for them: `{{server_pem}}` (the chain), `{{server_key}}`, `{{server_locked_key}}` (its
 * password is `secret`), `{{server_p12}}` and `{{server_locked_p12}}` are files, `{{client_sha256}}`, `{{client_spki}}` pins; `{{ca_pem}}`, `{{alien_pem}}`,
 * `{{server_ocsp_good}}` and `{{server_ocsp_stale}}` OCSP responses, `{{both_pem}}` are trust bundles, `{{ca_crl_pem}}` has a revocation list besides, `{{crl_pem}}` revokes `client_revoked`.
 */
const placeholder = /\{\{(\w+?)_(pem|key|locked_key|sha256|spki|p12|locked_p12|ocsp_good|ocsp_stale)\}\}/g;

let directory = '';
const authorities = new Map<string, Promise<Authority>>();
const made = new Map<string, Promise<Issued>>();
const values = new Map<string, Promise<string>>();

function once<T>(known: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const found = known.get(name) ?? make();
  known.set(name, found);
  return found;
}

function authority(name: Exclude<Signer, 'itself'>): Promise<Authority> {
  return once(authorities, name, async () => {
    if (name === 'int') return (await authority('ca')).intermediate('CN=Peers Intermediate');
    if (name === 'int2') return (await authority('int')).intermediate('CN=Peers Second Intermediate');
    if (name === 'ca_rsa') return Authority.root('CN=Peers RSA Root', { key: 'rsa' });
    return Authority.root(name === 'ca' ? 'CN=Peers Root,O=Peers' : 'CN=Alien Root');
  });
}

/** A certificate by its name in the table above. */
export function certificate(name: string): Promise<Issued> {
  return once(made, name, async () => {
    const wish = wishes[name];
    if (wish === undefined)
      throw new Error(`no certificate ${name}; test/peers/tls/certificates.ts has those there are`);
    return wish[0] === 'itself' ? selfSigned(wish[1]) : (await authority(wish[0])).issue(wish[1]);
  });
}

/** What the placeholders of certificates in `text` stand for. */
export async function certificateValues(text: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [whole, name, kind] of text.matchAll(placeholder)) {
    const key = whole.slice(2, -2);
    found[key] = await once(values, key, () => valueOf(name, kind));
  }
  return found;
}

async function valueOf(name: string, kind: string): Promise<string> {
  if (kind === 'pem') return written(`${name}.pem`, await pemOf(name));
  const { keyPem, key, der, pem } = await certificate(name);
  if (kind === 'key') return written(`${name}.key`, keyPem);
  if (kind === 'locked_key') return written(`${name}.locked.key`, encryptedKeyPem(key, 'secret'));
  if (kind === 'p12') return pkcs12(name, '');
  if (kind === 'locked_p12') return pkcs12(name, 'secret');
  if (kind === 'ocsp_good') return written(`${name}.good.ocsp`, ocspResponse(der, 30));
  if (kind === 'ocsp_stale') return written(`${name}.stale.ocsp`, ocspResponse(der, -10));
  if (kind === 'sha256') return createHash('sha256').update(der).digest('hex');
  const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64');
}

/** By openssl, which has to be there. */
async function pkcs12(name: string, password: string): Promise<string> {
  const { chainPem, keyPem } = await certificate(name);
  const chain = written(`${name}.p12.pem`, chainPem);
  const key = written(`${name}.p12.key`, keyPem);
  const file = written(`${name}.${password}.p12`, '');
  const argv = ['pkcs12', '-export', '-in', chain, '-inkey', key, '-out', file, '-passout', `pass:${password}`];
  const openssl = findProgram('openssl');
  if (openssl === null) throw new Error(missing('openssl'));
  execFileSync(openssl, argv, { stdio: 'pipe' });
  return file;
}

async function pemOf(name: string): Promise<string> {
  switch (name) {
    case 'ca':
    case 'ca_rsa':
    case 'alien':
      return (await authority(name)).rootPem;
    case 'both':
      return (await authority('ca')).rootPem + (await authority('alien')).rootPem;
    case 'ca_crl':
      return (await pemOf('ca')) + (await pemOf('crl'));
    case 'crl':
      return (await authority('ca')).revoke([await certificate('client_revoked')]);
    default:
      return (await certificate(name)).chainPem;
  }
}

function written(name: string, text: string | Uint8Array): string {
  if (directory === '') {
    directory = mkdtempSync(join(tmpdir(), 'sekisho-peers-certificates-'));
    const gone = directory;
    process.once('exit', () => rmSync(gone, { recursive: true, force: true }));
  }
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}
