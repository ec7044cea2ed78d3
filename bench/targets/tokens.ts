import { generateKeyPairSync, sign } from 'node:crypto';
import { realistic } from './workload.ts';

/** What clients of the JWT scenarios show, and the key that it was signed with. */
export interface Tokens {
  readonly issuer: string;
  /** A document with the public key. */
  readonly jwks: string;
  /** One for each virtual host. */
  readonly signed: readonly string[];
}

const issuer = 'https://issuer.example.com';
let made: Tokens | null = null;

/** RS256 with 2 048 bits, made once: a key takes a tenth of a second. */
export function tokens(): Tokens {
  made ??= make();
  return made;
}

function make(): Tokens {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' };
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = encoded({ alg: 'RS256', kid: 'bench', typ: 'JWT' });
  const issuedAt = Math.floor(Date.now() / 1000);
  const signed = realistic.hosts.map((host, n) => {
    const claims = {
      iss: issuer,
      aud: ['bench', host],
      sub: `user-${n}`,
      iat: issuedAt,
      exp: issuedAt + 86_400,
      scope: 'openid profile email',
      groups: ['readers', 'writers'],
      email: `user-${n}@example.com`,
    };
    const text = `${head}.${encoded(claims)}`;
    return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
  });
  return { issuer, jwks: JSON.stringify({ keys: [key] }), signed };
}
