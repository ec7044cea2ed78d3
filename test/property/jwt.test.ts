import { test } from 'vitest';
import { parseJwks } from '../../src/filter/jwt-authn/jwks.ts';
import { isJwt, parseJwt } from '../../src/filter/jwt-authn/jwt.ts';
import { checkSignature } from '../../src/filter/jwt-authn/signature.ts';
import * as fc from './chance.ts';

const keyLike = fc.record(
  {
    kty: fc.constantFrom('RSA', 'EC', 'oct', 'OKP', 'x', 5),
    alg: fc.constantFrom('RS256', 'ES256', 'HS256', 'EdDSA', 'none', 5),
    crv: fc.constantFrom('P-256', 'P-384', 'Ed25519', 'X25519', 5),
    kid: fc.oneof(fc.string(), fc.integer()),
    n: fc.oneof(fc.base64String(), fc.string()),
    e: fc.constantFrom('AQAB', 'Aw', '', 5),
    x: fc.oneof(fc.base64String(), fc.string()),
    y: fc.oneof(fc.base64String(), fc.string()),
    k: fc.oneof(fc.base64String(), fc.string()),
  },
  { requiredKeys: [] },
);

const part = fc.oneof(
  fc.string(),
  fc.json().map((text) => Buffer.from(text).toString('base64url')),
  fc
    .record({ alg: fc.constantFrom('RS256', 'PS512', 'ES256', 'HS256', 'EdDSA', 'none'), kid: fc.string() })
    .map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
);

test('any token and any document of keys come to a verdict, and nobody is let in by chance', () => {
  const document = fc.oneof(
    fc.json(),
    fc.array(keyLike).map((keys) => JSON.stringify({ keys })),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), document, (parts, text) => {
      const jwt = parseJwt(parts.join('.'));
      const keys = parseJwks(text);
      if (keys.keys.length === 0 && keys.problem === '') return false;
      return !isJwt(jwt) || checkSignature(jwt, keys).code !== 0;
    }),
    { numRuns: 2000 },
  );
});
