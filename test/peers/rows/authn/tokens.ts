import { createHmac, generateKeyPairSync, randomBytes, sign, constants, type KeyObject } from 'node:crypto';

/** A key that signs tokens, and how its public half is published. */
export interface SigningKey {
  readonly alg: string;
  readonly jwk: Readonly<Record<string, unknown>>;
  sign(text: string): string;
}

function asymmetric(alg: string, kid: string, privateKey: KeyObject, publicKey: KeyObject): SigningKey {
  const hash = alg === 'EdDSA' ? null : `sha${alg.slice(2)}`;
  const padding = alg.startsWith('PS') ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } : {};
  const encoding = alg.startsWith('ES') ? { dsaEncoding: 'ieee-p1363' as const } : {};
  return {
    alg,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg },
    sign: (text) => sign(hash, Buffer.from(text), { key: privateKey, ...padding, ...encoding }).toString('base64url'),
  };
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ec384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const ec521 = generateKeyPairSync('ec', { namedCurve: 'P-521' });
const ed = generateKeyPairSync('ed25519');
const secret = randomBytes(48);

export const keys = {
  rs256: asymmetric('RS256', 'rs256', rsa.privateKey, rsa.publicKey),
  rs512: asymmetric('RS512', 'rs512', rsa.privateKey, rsa.publicKey),
  ps256: asymmetric('PS256', 'ps256', rsa.privateKey, rsa.publicKey),
  es256: asymmetric('ES256', 'es256', ec256.privateKey, ec256.publicKey),
  es384: asymmetric('ES384', 'es384', ec384.privateKey, ec384.publicKey),
  es512: asymmetric('ES512', 'es512', ec521.privateKey, ec521.publicKey),
  eddsa: asymmetric('EdDSA', 'eddsa', ed.privateKey, ed.publicKey),
  hs256: {
    alg: 'HS256',
    jwk: { kty: 'oct', k: secret.toString('base64url'), kid: 'hs256', alg: 'HS256' },
    sign: (text: string) => createHmac('sha256', secret).update(text).digest('base64url'),
  },
  /** Published nowhere. */
  stranger: asymmetric('RS256', 'rs256', otherRsa.privateKey, otherRsa.publicKey),
} as const satisfies Record<string, SigningKey>;

/** All that are published, as one document. */
export function jwks(...which: readonly SigningKey[]): string {
  return JSON.stringify({ keys: which.map(({ jwk }) => jwk) });
}

const hour = 3600;

/** Now, in seconds. */
export const now = Math.floor(Date.now() / 1000);

export const claims = { iss: 'issuer-a', sub: 'alice', aud: 'books', iat: now, exp: now + hour };

/** A token as its issuer makes it, with other or more claims and header fields. */
export function token(
  key: SigningKey,
  payload: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): string {
  return signed(key, { alg: key.alg, typ: 'JWT', kid: key.jwk['kid'], ...header }, { ...claims, ...payload });
}

/** Any two values, signed. */
export function signed(key: SigningKey, header: unknown, payload: unknown): string {
  const text = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${key.sign(text)}`;
}
