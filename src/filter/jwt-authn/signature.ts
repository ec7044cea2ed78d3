import { constants, createHmac, timingSafeEqual, verify } from 'node:crypto';
import type { Jwk, Jwks } from './jwks.ts';
import { JwtStatus } from './jwt-status.ts';
import type { Jwt } from './jwt.ts';

const ed25519Bytes = 64;

const families: Readonly<Record<string, Jwk['family']>> = { RS: 'RSA', PS: 'RSA', ES: 'EC', HS: 'oct', Ed: 'OKP' };

/** Whether one of the keys has signed the token: that of its `kid`, else each of them. */
export function checkSignature(jwt: Jwt, { keys }: Jwks): JwtStatus {
  let hasCandidate = false;
  const signed = Buffer.from(jwt.signedText, 'latin1');
  for (const jwk of keys) {
    if (jwt.kid !== '' && jwk.kid !== '' && jwk.kid !== jwt.kid) continue;
    if (jwk.alg !== '' && jwk.alg !== jwt.alg) continue;
    hasCandidate = true;
    // A key is asked for its own kind of algorithm only.
    if (families[jwt.alg.slice(0, 2)] !== jwk.family) continue;
    if (jwk.family === 'OKP' && jwt.signature.length !== ed25519Bytes) return JwtStatus.Ed25519WrongLength;
    if (isSignedBy(jwk, jwt, signed)) return JwtStatus.Ok;
  }
  return hasCandidate ? JwtStatus.VerificationFailed : JwtStatus.NoMatchingKey;
}

function isSignedBy({ key, family }: Jwk, { alg, signature }: Jwt, signed: Uint8Array): boolean {
  const hash = `sha${alg.slice(2)}`;
  try {
    switch (family) {
      case 'RSA':
        if (alg.startsWith('RS')) return verify(hash, signed, key, signature);
        return verify(
          hash,
          signed,
          { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO },
          signature,
        );
      case 'EC':
        return verify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
      case 'oct': {
        const own = createHmac(hash, key).update(signed).digest();
        return own.length === signature.length && timingSafeEqual(own, signature);
      }
      case 'OKP':
        return verify(null, signed, key, signature);
    }
  } catch {
    // A signature that is no number of the key's size.
    return false;
  }
}
