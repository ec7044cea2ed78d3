import {
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { issuedCertificatePem } from '../../identity/certificate-request.ts';
import type { CertificateAuthority, Certified } from './authority.ts';

/** Whoever knows this can certify anybody: it is for tests alone, as ztunnel's. */
const secret = 'sekisho FAKE_CA: not for production';
const rootName = 'sekisho fake root';
const rootFromMs = Date.UTC(2020, 0, 1);
const rootToMs = Date.UTC(2100, 0, 1);

/** The clocks of those that it certifies may differ by so much. */
const earlierMs = 60_000;

/** FAKE_CA: certifies whatever it is asked for, with a root that every process makes alike. */
export class FakeAuthority implements CertificateAuthority {
  private readonly key: KeyObject;
  private readonly rootPem: string;
  private readonly lifetimeMs: number;
  private readonly now: () => number;

  constructor(lifetimeMs: number, now: () => number = Date.now) {
    this.key = rootKey();
    this.lifetimeMs = lifetimeMs;
    this.now = now;
    this.rootPem = issuedCertificatePem(
      {
        serial: Uint8Array.of(1),
        issuer: rootName,
        subject: rootName,
        uri: '',
        validFromMs: rootFromMs,
        validToMs: rootToMs,
        publicKey: createPublicKey(this.key),
      },
      this.key,
    );
  }

  certify(identity: string): Promise<Certified> {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const validFromMs = this.now() - earlierMs;
    const validToMs = this.now() + this.lifetimeMs;
    const wish = {
      serial: randomBytes(8),
      issuer: rootName,
      subject: '',
      uri: identity,
      validFromMs,
      validToMs,
      publicKey,
    };
    return Promise.resolve({
      chain: issuedCertificatePem(wish, this.key),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      roots: this.rootPem,
      validFromMs,
      validToMs,
    });
  }

  close(): void {}
}

function rootKey(): KeyObject {
  const ecdh = createECDH('prime256v1');
  const d = createHash('sha256').update(secret).digest();
  ecdh.setPrivateKey(d);
  const point = ecdh.getPublicKey();
  const text = (bytes: Buffer): string => bytes.toString('base64url');
  return createPrivateKey({
    format: 'jwk',
    key: { kty: 'EC', crv: 'P-256', d: text(d), x: text(point.subarray(1, 33)), y: text(point.subarray(33)) },
  });
}
