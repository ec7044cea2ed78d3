import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Audiences } from '../../../../src/filter/jwt-authn/audiences.ts';
import { claimAt, claimText } from '../../../../src/filter/jwt-authn/claim.ts';
import { JwtCache } from '../../../../src/filter/jwt-authn/jwt-cache.ts';
import { parseJwks } from '../../../../src/filter/jwt-authn/jwks.ts';
import { isJwt, parseJwt, type Jwt } from '../../../../src/filter/jwt-authn/jwt.ts';
import { SignedTokens } from '../../../../src/filter/jwt-authn/signed-tokens.ts';
import { checkSignature } from '../../../../src/filter/jwt-authn/signature.ts';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function parsed(token: string): Jwt {
  const jwt = parseJwt(token);
  if (!isJwt(jwt)) throw new Error(jwt.text);
  return jwt;
}

describe('tokens', () => {
  // RFC 7515, A.1.
  const example =
    'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
  const exampleKey = {
    kty: 'oct',
    k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  };

  test("the RFC's own example", () => {
    const jwt = parsed(example);
    expect(jwt).toMatchObject({ alg: 'HS256', issuer: 'joe', expiresAt: 1300819380, kid: '' });
    expect(checkSignature(jwt, parseJwks(JSON.stringify({ keys: [exampleKey] }))).text).toBe('OK');
  });

  test('another key, or another payload, is not theirs', () => {
    const other = parseJwks(JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA' }] }));
    expect(checkSignature(parsed(example), other).text).toBe('Jwt verification fails');
    const [head, , signature] = example.split('.');
    const changed = parsed(`${head}.${part({ iss: 'eve' })}.${signature}`);
    const own = parseJwks(JSON.stringify({ keys: [exampleKey] }));
    expect(checkSignature(changed, own).text).toBe('Jwt verification fails');
  });

  test('a public key is no shared secret', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = publicKey.export({ format: 'jwk' });
    const text = `${part({ alg: 'HS256' })}.${part({})}`;
    const secret = publicKey.export({ format: 'pem', type: 'spki' });
    const forged = parsed(`${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`);
    expect(checkSignature(forged, parseJwks(JSON.stringify({ keys: [jwk] }))).text).toBe('Jwt verification fails');
  });

  test('no signature is no algorithm', () => {
    expect(parseJwt(`${part({ alg: 'none' })}.${part({})}.x`)).toMatchObject({
      text: 'Jwt header [alg] is not supported',
    });
  });

  test('names of every object are no claims', () => {
    expect(parseJwt(`${part({})}.${part({})}.xx`)).toMatchObject({ code: 7 });
    expect(claimAt({}, 'constructor.name')).toBeUndefined();
  });
});

describe('keys', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwk = publicKey.export({ format: 'jwk' });

  test('those that cannot be used are left out', () => {
    const { keys, problem } = parseJwks(JSON.stringify({ keys: [{ kty: 'none' }, 5, { ...jwk, kid: 'k' }] }));
    expect([keys.length, keys[0].kid, problem]).toEqual([1, 'k', '']);
  });

  test('the one that is named is asked, or each of them', () => {
    const text = `${part({ alg: 'EdDSA', kid: 'b' })}.${part({})}`;
    const jwt = parsed(`${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`);
    const stranger = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
    const verdict = (...list: unknown[]): string => checkSignature(jwt, parseJwks(JSON.stringify({ keys: list }))).text;
    expect(verdict({ ...stranger, kid: 'a' })).toBe("Jwks doesn't have key to match kid or alg from Jwt");
    expect(verdict({ ...stranger, kid: 'b' }, { ...jwk, kid: 'b' })).toBe('OK');
    expect(verdict(stranger, jwk)).toBe('OK');
    expect(verdict({ ...jwk, alg: 'EdDSA' })).toBe('OK');
  });

  test.each([
    ['nonsense', 'Jwks is an invalid JSON'],
    ['[]', 'Jwks is an invalid JSON'],
    ['{}', 'Jwks does not have [keys] field'],
    ['{"keys": 5}', '[keys] in Jwks is not an array'],
    ['{"keys": []}', "Jwks doesn't have any valid public key"],
    ['{"keys": [{}]}', '[kty] is missing in [keys]'],
    ['{"keys": [{"kty": 5}]}', '[kty] is bad in [keys]'],
    ['{"keys": [{"kty": "x"}]}', '[kty] is not supported in [keys]'],
    ['{"keys": [{"kty": "RSA", "alg": "ES256"}]}', '[alg] is not started with [RS] or [PS] for an RSA key'],
    ['{"keys": [{"kty": "RSA", "e": "AQAB"}]}', '[n] field is missing for a RSA key'],
    ['{"keys": [{"kty": "RSA", "n": "AQ", "e": 5}]}', '[e] field is not string for a RSA key'],
    ['{"keys": [{"kty": "RSA", "n": "AQ", "e": "AQ"}]}', 'Jwks RSA [n] or [e] field is missing or has a parse error'],
    ['{"keys": [{"kty": "EC", "crv": "P-1"}]}', '[crv] or [alg] field is not supported for an EC key'],
    [
      '{"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES384"}]}',
      '[crv] field specified is not compatible with [alg] for an EC key',
    ],
    ['{"keys": [{"kty": "EC", "x": "AQ", "y": "AQ"}]}', 'Jwks EC [x] and [y] fields have a parse error.'],
    ['{"keys": [{"kty": "oct", "k": "+"}]}', 'Jwks Oct key is an invalid Base64'],
    ['{"keys": [{"kty": "OKP", "crv": "X25519", "x": ""}]}', '[crv] field is not supported for an OKP key'],
    ['{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AQ"}]}', 'Jwks OKP [x] field is wrong length.'],
    ['{"k": "-----BEGIN CERTIFICATE-----\\nx\\n-----END CERTIFICATE-----\\n"}', 'X509 parse pubkey fails'],
  ])('%s: %s', (text, problem) => {
    expect(parseJwks(text)).toEqual({ keys: [], problem });
  });
});

test('claims as fields', () => {
  expect([5, 1.5, -1, true, 'x', null, undefined, { a: '<' }].map(claimText)).toEqual([
    '5',
    '1.500000',
    '-1.000000',
    'true',
    'x',
    '',
    '',
    Buffer.from('{"a":"\\u003c"}').toString('base64'),
  ]);
});

test('audiences', () => {
  expect(new Audiences([]).allow([])).toBe(true);
  expect(new Audiences(['https://a/']).allow(['b', 'http://a'])).toBe(true);
  expect(new Audiences(['a']).allow(['ab'])).toBe(false);
});

test('a good signature is looked at once, a bad one each time, and none outlives its keys', () => {
  const jwk = { kty: 'oct', k: part('secret'), alg: 'HS256' };
  const keys = parseJwks(JSON.stringify({ keys: [jwk] }));
  const text = `${part({ alg: 'HS256' })}.${part({ sub: 'a' })}`;
  const signature = createHmac('sha256', Buffer.from(jwk.k, 'base64url')).update(text).digest('base64url');
  const good = `${text}.${signature}`;
  const bad = `${text}.${signature.slice(0, -4)}AAAA`;
  const signed = new SignedTokens();
  const others = parseJwks(JSON.stringify({ keys: [{ ...jwk, k: part('another') }] }));
  const said = [
    [good, keys],
    [bad, keys],
    [good, keys],
    [bad, keys],
    [good, others],
    [good, keys],
  ] as const;
  const verdicts = said.map(([token, by]) => signed.check(token, parsed(token), by).text);
  const fails = 'Jwt verification fails';
  expect(verdicts).toEqual(['OK', fails, 'OK', fails, fails, 'OK']);
});

test('the cache keeps what was used last, and nothing long', () => {
  const cache = new JwtCache(2, 3);
  const jwt = parsed(`${part({ alg: 'HS256' })}.${part({})}.xx`);
  for (const token of ['a', 'b', 'long']) cache.add(token, jwt);
  cache.get('a');
  cache.add('c', jwt);
  expect(['a', 'b', 'c', 'long'].map((token) => cache.get(token) !== null)).toEqual([true, false, true, false]);
});
