import { createPublicKey, createSecretKey, X509Certificate, type KeyObject } from 'node:crypto';

/** One public key, or shared secret. */
export interface Jwk {
  /** Empty: it has none, and is tried for every token. */
  readonly kid: string;
  /** Empty: any of its family. */
  readonly alg: string;
  readonly family: 'RSA' | 'EC' | 'oct' | 'OKP';
  readonly key: KeyObject;
}

/** A JSON Web Key Set (RFC 7517): the keys that can be used, and what is wrong where there is none. */
export interface Jwks {
  readonly keys: readonly Jwk[];
  /** Empty where there are keys. */
  readonly problem: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** More keys than any issuer has: a token without a key's name is tried with every one of them. */
const keysMax = 100;

const curves: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

/** As Envoy: keys that cannot be used are left out. */
export function parseJwks(text: string): Jwks {
  let document: unknown;
  try {
    // As Envoy's parser, which lets texts be folded over lines.
    document = JSON.parse(text.replace(/[\n\r\t]/g, ' '));
  } catch {
    return without('Jwks is an invalid JSON');
  }
  if (!isObject(document)) return without('Jwks is an invalid JSON');
  if (!Object.hasOwn(document, 'keys')) return parseCertificates(document);
  const list = document['keys'];
  if (!Array.isArray(list)) return without('[keys] in Jwks is not an array');
  const keys: Jwk[] = [];
  let problem = '';
  for (const fields of (list as unknown[]).slice(0, keysMax)) {
    if (!isObject(fields)) continue;
    const key = parseJwk(fields);
    if (typeof key === 'string') problem ||= key;
    else keys.push(key);
  }
  return keys.length > 0 ? { keys, problem: '' } : without(problem || "Jwks doesn't have any valid public key");
}

function without(problem: string): Jwks {
  return { keys: [], problem };
}

/** The key, or in Envoy's words why there is none. */
function parseJwk(fields: Fields): Jwk | string {
  const kid = textOf(fields, 'kid') ?? '';
  const alg = textOf(fields, 'alg') ?? '';
  const { kty } = fields;
  switch (kty) {
    case 'RSA':
    case 'EC':
    case 'oct':
    case 'OKP': {
      const key = importers[kty](fields, alg);
      return typeof key === 'string' ? key : { kid, alg, family: kty, key };
    }
    case undefined:
      return '[kty] is missing in [keys]';
    default:
      return typeof kty === 'string' ? '[kty] is not supported in [keys]' : '[kty] is bad in [keys]';
  }
}

type Importer = (fields: Fields, alg: string) => KeyObject | string;

const importers: Readonly<Record<Jwk['family'], Importer>> = {
  RSA(fields, alg) {
    if (alg !== '' && !/^[RP]S/.test(alg)) return '[alg] is not started with [RS] or [PS] for an RSA key';
    const problem = wanting(fields, ['n', 'e'], 'a RSA key');
    if (problem !== '') return problem;
    const { n, e } = fields as Readonly<Record<string, string>>;
    const exponent = Buffer.from(e, 'base64url').toString('hex').replace(/^0+/, '');
    const key = exponent === '3' || exponent === '10001' ? imported({ kty: 'RSA', n, e }) : null;
    return key ?? 'Jwks RSA [n] or [e] field is missing or has a parse error';
  },
  EC(fields, alg) {
    if (alg !== '' && !alg.startsWith('ES')) return '[alg] is not started with [ES] for an EC key';
    const { crv: named = '' } = fields;
    if (typeof named !== 'string') return '[crv] field is not string for an EC key';
    if (alg !== '' && named !== '' && curves[alg] !== named)
      return '[crv] field specified is not compatible with [alg] for an EC key';
    const crv = curves[alg] ?? (named === '' && alg === '' ? 'P-256' : named);
    if (!Object.values(curves).includes(crv)) return '[crv] or [alg] field is not supported for an EC key';
    const problem = wanting(fields, ['x', 'y'], 'an EC key');
    if (problem !== '') return problem;
    const { x, y } = fields as Readonly<Record<string, string>>;
    return imported({ kty: 'EC', crv, x, y }) ?? 'Jwks EC [x] and [y] fields have a parse error.';
  },
  oct(fields, alg) {
    if (alg !== '' && !/^HS(256|384|512)$/.test(alg)) return '[alg] does not start with [HS] for an HMAC key';
    const problem = wanting(fields, ['k'], 'an HMAC key');
    if (problem !== '') return problem;
    const k = (fields['k'] as string).replace(/\s/g, '');
    return /^[A-Za-z0-9_-]{2,}={0,2}$/.test(k)
      ? createSecretKey(Buffer.from(k, 'base64url'))
      : 'Jwks Oct key is an invalid Base64';
  },
  OKP(fields, alg) {
    if (alg !== '' && alg !== 'EdDSA') return '[alg] is not [EdDSA] for an OKP key';
    const problem = wanting(fields, ['crv'], 'an OKP key');
    if (problem !== '') return problem;
    if (fields['crv'] !== 'Ed25519') return '[crv] field is not supported for an OKP key';
    const { x } = fields;
    const problemOfX = wanting(fields, ['x'], 'an OKP key');
    if (problemOfX !== '') return problemOfX;
    return imported({ kty: 'OKP', crv: 'Ed25519', x: x as string }) ?? 'Jwks OKP [x] field is wrong length.';
  },
};

function wanting(fields: Fields, names: readonly string[], what: string): string {
  for (const name of names) {
    if (!Object.hasOwn(fields, name)) return `[${name}] field is missing for ${what}`;
    if (typeof fields[name] !== 'string') return `[${name}] field is not string for ${what}`;
  }
  return '';
}

/** Null: its numbers are no such key. */
function imported(key: Readonly<Record<string, string>>): KeyObject | null {
  try {
    // Numbers may be folded over lines.
    const flat = Object.fromEntries(Object.entries(key).map(([name, value]) => [name, value.replace(/\s/g, '')]));
    return createPublicKey({ key: flat, format: 'jwk' });
  } catch {
    return null;
  }
}

/** Google's older form: an object of PEM certificates by key id. */
function parseCertificates(document: Fields): Jwks {
  const entries = Object.entries(document);
  const isForm = entries.length > 0 && entries.every(([kid, pem]) => kid !== '' && isCertificate(pem));
  if (!isForm) return without('Jwks does not have [keys] field');
  const keys: Jwk[] = [];
  for (const [kid, pem] of entries.slice(0, keysMax)) {
    try {
      const key = new X509Certificate(pem as string).publicKey;
      if (key.asymmetricKeyType !== 'rsa') return without('X509 parse pubkey internal fails: get pubkey');
      keys.push({ kid, alg: '', family: 'RSA', key });
    } catch {
      return without('X509 parse pubkey fails');
    }
  }
  return { keys, problem: '' };
}

function isCertificate(pem: unknown): boolean {
  return (
    typeof pem === 'string' &&
    pem.startsWith('-----BEGIN CERTIFICATE-----\n') &&
    pem.endsWith('\n-----END CERTIFICATE-----\n')
  );
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
