import { createHash, createHmac } from 'node:crypto';
import { request } from 'undici';
import { expect, test } from 'vitest';
import { App } from './app.ts';
import { answer, bootstrap, cluster, httpListener, route } from './config.ts';
import { Origin } from './origin.ts';
import { RawClient } from './raw-client.ts';

const type = 'type.googleapis.com/envoy.extensions.filters.http';

const password = 'hush-password';
const credentials = Buffer.from(`alice:${password}`).toString('base64');
const hash = createHash('sha1').update(password).digest('base64');

const key = Buffer.from('hush-key-of-tokens-hush-key-of-tokens');
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
function token(claims: object): string {
  const signed = `${part({ alg: 'HS256', kid: 'k' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}
const good = token({ iss: 'issuer', who: 'hush-claim' });
const expired = token({ iss: 'issuer', exp: 5, who: 'hush-claim' });
const stranger = `${good.slice(0, -8)}AAAAAAAA`;
const broken = 'hush.hush.hush';
const tokens = [good, expired, stranger, broken];

function filter(name: string, message: string, settings: object) {
  return { name: `envoy.filters.http.${name}`, typed_config: { '@type': `${type}.${message}`, ...settings } };
}

const router = filter('router', 'router.v3.Router', {});
const users = (line: string) => ({ inline_string: line });

/** Everything that would give something away. */
const secrets = [password, credentials, hash, 'hush', ...tokens.map((one) => one.split('.')[2])];

const listener = () =>
  httpListener({
    routes: [route('/gone', 'gone'), answer('/answer', 'ok'), route('/', 'origin')],
    manager: {
      http_filters: [
        filter('jwt_authn', 'jwt_authn.v3.JwtAuthentication', {
          providers: {
            issuer: {
              issuer: 'issuer',
              local_jwks: { inline_bytes: Buffer.from(jwks(key.toString('base64url'))).toString('base64') },
              payload_in_metadata: 'payload',
            },
          },
          rules: [{ match: { prefix: '/token' }, requires: { provider_name: 'issuer' } }],
        }),
        filter('basic_auth', 'basic_auth.v3.BasicAuth', {
          users: users(`alice:{SHA}${hash}`),
          authentication_header: 'x-auth',
          allow_missing: true,
        }),
        filter('ext_authz', 'ext_authz.v3.ExtAuthz', {
          transport_api_version: 'V3',
          failure_mode_allow: true,
          grpc_service: { envoy_grpc: { cluster_name: 'gone' }, timeout: '1s' },
        }),
        router,
      ],
    },
  });

function jwks(k: string): string {
  return JSON.stringify({ keys: [{ kty: 'oct', alg: 'HS256', kid: 'k', k }] });
}

test('neither log nor admin pages tell what anybody has shown, or must show, to be let in', async () => {
  const origin = await Origin.start((_, response) => void response.end('fine'));
  const clusters = [cluster('origin', [origin.port]), cluster('gone', [1])];
  const app = await App.start(bootstrap([listener()], clusters), { args: ['--log-level', 'trace'] });
  const url = await app.url();
  const ask = async (path: string, headers: Record<string, string>): Promise<number> => {
    const { statusCode, body } = await request(url + path, { headers });
    await body.dump();
    return statusCode;
  };
  const asBearer = (one: string) => ({ authorization: `Bearer ${one}`, cookie: 'session=hush-cookie' });
  for (const one of tokens) {
    const code = one === good ? 200 : 401;
    expect(await ask('/token', asBearer(one))).toBe(code);
    expect(await ask(`/token?access_token=${one}`, {})).toBe(code);
  }
  expect(await ask('/gone', asBearer(good))).toBe(503);
  expect(await ask('/answer', { 'x-auth': `Basic ${credentials}` })).toBe(200);
  const wrong = Buffer.from('alice:hush-guess').toString('base64');
  expect(await ask('/answer', { 'x-auth': `Basic ${wrong}` })).toBe(401);
  const client = await RawClient.open(Number(new URL(url).port));
  client.write(`GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${good}\r\nbad header: hush\r\n\r\n`);
  await client.closed;
  for (const page of [
    'config_dump',
    'stats',
    'clusters',
    'listeners',
    'certs',
    'server_info',
    'runtime',
    'init_dump',
  ]) {
    const { status, body } = await app.admin(`/${page}`);
    expect([page, status]).toEqual([page, 200]);
    for (const secret of [...secrets, wrong]) expect([page, body.includes(secret)]).toEqual([page, false]);
  }
  app.signal('SIGTERM');
  await app.exit();
  expect(app.output).not.toBe('');
  for (const secret of [...secrets, wrong]) expect(app.output).not.toContain(secret);
});

const context = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
const pem = { inline_string: '-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----' };

test.each([
  ['users without a hash', filter('basic_auth', 'basic_auth.v3.BasicAuth', { users: users('alice:hush') }), {}],
  ['a user twice', filter('basic_auth', 'basic_auth.v3.BasicAuth', { users: users('a:{SHA}hush\na:{SHA}hush') }), {}],
  [
    'a document of keys that is none',
    filter('jwt_authn', 'jwt_authn.v3.JwtAuthentication', {
      providers: { issuer: { local_jwks: { inline_string: '{"keys":[{"kty":"oct","k":"hush"' } } },
    }),
    {},
  ],
  [
    'a private key that is none',
    router,
    {
      filter_chains: [
        {
          transport_socket: {
            name: 'tls',
            typed_config: {
              '@type': context,
              common_tls_context: { tls_certificates: [{ certificate_chain: pem, private_key: pem }] },
            },
          },
        },
      ],
    },
  ],
])('%s is refused without saying what it is', async (_, first, more) => {
  const manager = { http_filters: first === router ? [router] : [first, router] };
  const broken = httpListener({ routes: [answer('/', 'ok')], manager, listener: more });
  const app = await App.start(bootstrap([broken], []), { isExpectedToFail: true, args: ['--log-level', 'trace'] });
  expect((await app.exit()).code).toBe(1);
  expect(app.output).not.toBe('');
  expect(app.output).not.toContain('hush');
});
