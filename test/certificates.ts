/** Certificates for tests, made as they run: authorities, chains, leaves of any kind and name, revocation lists. */
// oxlint-disable-next-line import/no-unassigned-import -- what the library below is made with wants it first
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { KeyObject, webcrypto } from 'node:crypto';

export { Extension, type JsonNameParams } from '@peculiar/x509';

export type KeyKind = 'rsa' | 'p256' | 'p384' | 'ed25519';

export interface OtherName {
  /** Dotted. */
  readonly oid: string;
  /** DER of what stands inside `[0] EXPLICIT`. */
  readonly value: Uint8Array;
}

export interface CertificateWish {
  /**
   * As `CN=a,O=b`, or by numbers and string types: `[{ '2.5.4.3': [{ bmpString: 'a' }] }]`. The parts are written in
   * this order, which RFC 2253 prints backwards.
   */
  readonly subject?: string | x509.JsonNameParams;
  readonly key?: KeyKind;
  readonly dns?: readonly string[];
  readonly uris?: readonly string[];
  readonly emails?: readonly string[];
  readonly ips?: readonly string[];
  readonly otherNames?: readonly OtherName[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Hexadecimal; else chance decides. */
  readonly serial?: string;
  /** Instead of server and client authentication. */
  readonly extendedUsages?: readonly string[];
  /** Instead of digitalSignature and keyEncipherment; null: no such extension. */
  readonly keyUsages?: x509.KeyUsageFlags | null;
  /** Whatever else it shall have. */
  readonly extensions?: readonly x509.Extension[];
}

/** A certificate with its key and the chain up to the root, without it. */
export interface Issued {
  readonly der: Uint8Array;
  readonly pem: string;
  /** This one and the intermediate authorities above it. */
  readonly chainPem: string;
  readonly keyPem: string;
  readonly key: KeyObject;
  readonly serial: string;
}

/** A certificate for a key of another. */
export interface CertifiedRequest {
  /** Up to the root, without it. */
  readonly chainPem: string;
  readonly uris: readonly string[];
}

const algorithms = {
  rsa: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
  p256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  p384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  ed25519: { name: 'Ed25519' },
} as const;

const dayMs = 86_400_000;

export interface AuthorityWish {
  readonly key?: KeyKind;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly uris?: readonly string[];
}

/** Signs certificates. A root, or an intermediate of another. */
export class Authority {
  readonly certificate: Issued;
  /** PEM of the root that its chains end at. */
  readonly rootPem: string;
  private readonly name: string;
  private readonly kind: KeyKind;
  private readonly keys: webcrypto.CryptoKeyPair;
  private readonly above: string;

  private constructor(
    name: string,
    kind: KeyKind,
    keys: webcrypto.CryptoKeyPair,
    of: x509.X509Certificate,
    parent: Authority | null,
  ) {
    this.name = name;
    this.kind = kind;
    this.keys = keys;
    this.certificate = issued(of, keys, parent?.above ?? '');
    this.rootPem = parent?.rootPem ?? this.certificate.pem;
    this.above = parent === null ? '' : this.certificate.pem + parent.above;
  }

  static async root(subject = 'CN=Test Root', wish: AuthorityWish = {}): Promise<Authority> {
    const kind = wish.key ?? 'p256';
    const keys = await makeKeys(kind);
    const certificate = await sign(subject, keys, subject, keys, kind, authorityWish(wish), true);
    return new Authority(subject, kind, keys, certificate, null);
  }

  async intermediate(subject = 'CN=Test Intermediate', wish: AuthorityWish = {}): Promise<Authority> {
    const kind = wish.key ?? 'p256';
    const keys = await makeKeys(kind);
    const certificate = await sign(subject, keys, this.name, this.keys, this.kind, authorityWish(wish), true);
    return new Authority(subject, kind, keys, certificate, this);
  }

  async issue(wish: CertificateWish = {}): Promise<Issued> {
    const keys = await makeKeys(wish.key ?? 'p256');
    const certificate = await sign(wish.subject ?? 'CN=test', keys, this.name, this.keys, this.kind, wish, false);
    return issued(certificate, keys, this.above);
  }

  /** What a request (PKCS #10, PEM) asks for. @throws Error where it is not signed by its key */
  async certify(
    request: string,
    wish: Pick<CertificateWish, 'notBefore' | 'notAfter'> = {},
  ): Promise<CertifiedRequest> {
    const asked = new x509.Pkcs10CertificateRequest(request);
    if (!(await asked.verify())) throw new Error('the request is not signed by its key');
    const extension = asked.getExtension('2.5.29.17');
    const names = extension === null ? [] : new x509.SubjectAlternativeNameExtension(extension.rawData).names.toJSON();
    const uris = names.filter(({ type }) => type === 'url').map(({ value }) => value);
    const certificate = await sign(
      'CN=workload',
      { publicKey: await asked.publicKey.export() } as webcrypto.CryptoKeyPair,
      this.name,
      this.keys,
      this.kind,
      { ...wish, uris },
      false,
    );
    return { chainPem: ended(certificate.toString('pem')) + this.above, uris };
  }

  /** PEM of a revocation list. */
  async revoke(certificates: readonly Issued[], nextUpdate = new Date(Date.now() + 30 * dayMs)): Promise<string> {
    const crl = await x509.X509CrlGenerator.create({
      issuer: this.name,
      thisUpdate: new Date(Date.now() - dayMs),
      nextUpdate,
      // With a reason: without one the library writes an empty list of extensions, which BoringSSL refuses.
      entries: certificates.map(({ serial }) => ({
        serialNumber: serial,
        revocationDate: new Date(),
        reason: x509.X509CrlReason.keyCompromise,
      })),
      signingAlgorithm: algorithms[this.kind],
      signingKey: this.keys.privateKey,
    });
    return ended(x509.PemConverter.encode(crl.rawData, 'X509 CRL'));
  }
}

/** Without an authority. */
export async function selfSigned(wish: CertificateWish = {}): Promise<Issued> {
  const kind = wish.key ?? 'p256';
  const keys = await makeKeys(kind);
  const subject = wish.subject ?? 'CN=test';
  return issued(await sign(subject, keys, subject, keys, kind, wish, false), keys, '');
}

/** The key's PEM under a password. */
export function encryptedKeyPem(key: KeyObject, passphrase: string): string {
  return key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase });
}

function makeKeys(kind: KeyKind): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithms[kind], true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

function authorityWish(wish: AuthorityWish): CertificateWish {
  return { ...wish, keyUsages: x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, extendedUsages: [] };
}

async function sign(
  subject: string | x509.JsonNameParams,
  keys: webcrypto.CryptoKeyPair,
  issuer: string | x509.JsonNameParams,
  issuerKeys: webcrypto.CryptoKeyPair,
  issuerKind: KeyKind,
  wish: CertificateWish,
  isAuthority: boolean,
): Promise<x509.X509Certificate> {
  const usages = wish.extendedUsages ?? [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth];
  const keyUsages =
    wish.keyUsages === undefined
      ? x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment
      : wish.keyUsages;
  const names = alternativeNames(wish);
  return x509.X509CertificateGenerator.create({
    subject: new x509.Name(subject),
    issuer: new x509.Name(issuer),
    publicKey: keys.publicKey,
    signingKey: issuerKeys.privateKey,
    signingAlgorithm: algorithms[issuerKind],
    notBefore: wish.notBefore ?? new Date(Date.now() - dayMs),
    notAfter: wish.notAfter ?? new Date(Date.now() + 365 * dayMs),
    ...(wish.serial === undefined ? {} : { serialNumber: wish.serial }),
    extensions: [
      ...(isAuthority ? [new x509.BasicConstraintsExtension(true, undefined, true)] : []),
      ...(keyUsages === null ? [] : [new x509.KeyUsagesExtension(keyUsages, true)]),
      ...(usages.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...usages])]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuerKeys.publicKey),
      ...(names.length === 0 ? [] : [new x509.Extension('2.5.29.17', false, sequence(names))]),
      ...(wish.extensions ?? []),
    ],
  });
}

function issued(certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair, above: string): Issued {
  const pem = ended(certificate.toString('pem'));
  const key = KeyObject.from(keys.privateKey);
  return {
    der: new Uint8Array(certificate.rawData),
    pem,
    chainPem: pem + above,
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }),
    key,
    serial: certificate.serialNumber,
  };
}

function ended(pem: string): string {
  return pem.endsWith('\n') ? pem : `${pem}\n`;
}

/** GeneralNames (RFC 5280 section 4.2.1.6), in the order of the tags that tests expect: DNS, URI, e-mail, IP, other. */
function alternativeNames(wish: CertificateWish): Uint8Array[] {
  return [
    ...(wish.dns ?? []).map((name) => element(0x82, latin1(name))),
    ...(wish.uris ?? []).map((uri) => element(0x86, latin1(uri))),
    ...(wish.emails ?? []).map((email) => element(0x81, latin1(email))),
    ...(wish.ips ?? []).map((ip) => element(0x87, ipBytes(ip))),
    ...(wish.otherNames ?? []).map(({ oid, value }) =>
      element(0xa0, Buffer.concat([element(0x06, oidBytes(oid)), element(0xa0, value)])),
    ),
  ];
}

function sequence(parts: readonly Uint8Array[]): Uint8Array {
  return element(0x30, Buffer.concat(parts));
}

/** One DER element. */
export function element(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function latin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

function oidBytes(oid: string): Uint8Array {
  const [first, second, ...rest] = oid.split('.').map(Number);
  return Buffer.from([first * 40 + second, ...rest.flatMap(base128)]);
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}

function ipBytes(ip: string): Uint8Array {
  if (!ip.includes(':')) return Buffer.from(ip.split('.').map(Number));
  const [head, tail] = ip.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const groups =
    tail === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]));
}
