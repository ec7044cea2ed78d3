import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { beforeAll, describe, expect, test } from 'vitest';
import { CheckRequestSchema, CheckResponseSchema } from '../../src/proto/envoy/service/auth/v3/external_auth_pb.js';
import { Authority, type Issued } from '../certificates.ts';
import { freePorts } from '../peers/ports.ts';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener } from './config.ts';
import { serveMethod } from './grpc-service.ts';
import { speaksHttp2 } from './guarded.ts';
import { Origin } from './origin.ts';
import { forSuite } from './scope.ts';

type Json = Record<string, unknown>;
type Workload = 'reviews' | 'payments' | 'ratings' | 'ingress';

const fixture = join(import.meta.dirname, '../fixtures/istiod-authorization/istiod-1.29.6.json');
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

function token(claims: Json, key = privateKey): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'RS256', kid: 'k1' })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

/** Nobody has the key that the tokens of the fixture were signed with, and the port it speaks of may be taken. */
function filtersOf(workload: Workload, port: number): Json[] {
  const { n } = publicKey.export({ format: 'jwk' });
  const text = readFileSync(fixture, 'utf8')
    .replaceAll(/\\"n\\":\\"[\w-]+/g, `\\"n\\":\\"${n}`)
    .replaceAll('"destination_port": 9080', `"destination_port": ${port}`);
  return (JSON.parse(text) as Record<Workload, Json[]>)[workload];
}

const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
};

const tlsContext = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';

function mutualTls(own: Issued, rootPem: string): Json {
  const common = {
    tls_certificates: [
      { certificate_chain: { inline_string: own.chainPem }, private_key: { inline_string: own.keyPem } },
    ],
    validation_context: { trusted_ca: { inline_string: rootPem } },
  };
  const config = { '@type': tlsContext, require_client_certificate: true, common_tls_context: common };
  return { name: 'envoy.transport_sockets.tls', typed_config: config };
}

const atEnd = forSuite();
const identities = new Map<string, Agent>();
const asked: string[] = [];
let app: App;

async function startApp(): Promise<App> {
  const authority = await Authority.root();
  const own = await authority.issue({ subject: 'CN=own', dns: ['test.example', 'evil.example.com'] });
  const accounts = ['default/sa/bookinfo-productpage', 'default/sa/stranger', 'istio-system/sa/other'];
  for (const account of accounts) {
    const issued = await authority.issue({ subject: '', uris: [`spiffe://cluster.local/ns/${account}`] });
    const { chainPem: cert, keyPem: key } = issued;
    const agent = new Agent({ connect: { ca: authority.rootPem, cert, key, servername: 'test.example' } });
    identities.set(account.slice(account.lastIndexOf('/') + 1), agent);
    atEnd(() => agent.destroy());
  }
  const origin = await Origin.start(
    ({ headers }, response) => {
      const user = String(headers['x-sub'] ?? headers['x-auth-user'] ?? 'nobody');
      response.end(headers['x-jwt-payload'] === undefined ? user : `${user}+`);
    },
    { atEnd },
  );
  const byHttp = await Origin.start(
    ({ url, headers }, response) => {
      asked.push(`HTTP ${url}`);
      response.writeHead(headers['x-ext-authz'] === 'allow' ? 200 : 403, { 'x-auth-user': 'alice' }).end('not you');
    },
    { atEnd },
  );
  const byGrpc = await serveMethod(
    '/envoy.service.auth.v3.Authorization/Check',
    (question) => {
      const { path, headers } = fromBinary(CheckRequestSchema, question).attributes!.request!.http!;
      asked.push(`gRPC ${path}`);
      const code = headers['x-ext-authz'] === 'allow' ? status.OK : status.PERMISSION_DENIED;
      return toBinary(CheckResponseSchema, create(CheckResponseSchema, { status: { code } }));
    },
    atEnd,
  );
  const ports = await freePorts(4);
  const listeners = (['reviews', 'payments', 'ratings', 'ingress'] as const).map((name, i) => {
    const filters = [...filtersOf(name, ports[i]), router];
    const listener = httpListener({ name, port: ports[i], manager: { http_filters: filters } });
    if (i > 1) return listener;
    const [chain] = listener['filter_chains'] as Json[];
    return { ...listener, filter_chains: [{ ...chain, transport_socket: mutualTls(own, authority.rootPem) }] };
  });
  const clusters = [
    cluster('origin', [origin.port]),
    cluster('outbound|8000||authz.observability.svc.cluster.local', [byHttp.port]),
    cluster('outbound|9000||authz.observability.svc.cluster.local', [byGrpc], speaksHttp2),
  ];
  return App.start(bootstrap(listeners, clusters), { atEnd });
}

beforeAll(async () => {
  app = await startApp();
});

interface Asked {
  readonly as?: string;
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(workload: Workload, path: string, { as = '', method = 'GET', headers = {} }: Asked = {}) {
  const dispatcher = identities.get(as);
  const url = `${dispatcher === undefined ? 'http' : 'https'}://127.0.0.1:${await app.port(workload)}${path}`;
  const answer = await request(url, { method, headers, ...(dispatcher === undefined ? {} : { dispatcher }) });
  return `${answer.statusCode} ${await answer.body.text()}`;
}

const denied = '403 RBAC: access denied';
const page = 'bookinfo-productpage';

describe('AuthorizationPolicy: deny comes before allow, and whom nothing allows is denied', () => {
  test.each<[string, string, Asked]>([
    ['200 nobody', '/reviews/1', { as: page }],
    ['200 nobody', '/any.json', { as: page }],
    ['200 nobody', '/tpl/a/x/b/c', { as: page }],
    [denied, '/tpl/a/y/b', { as: page }],
    [denied, '/reviews/admin', { as: page }],
    [denied, '/reviews/1', { as: page, method: 'POST' }],
    [denied, '/reviews/1', { as: page, method: 'DELETE' }],
    [denied, '/reviews/1', { as: 'stranger' }],
    [denied, '/reviews/1', { as: page, headers: { host: 'evil.example.com' } }],
    [denied, '/reviews/1', { as: page, headers: { host: 'EVIL.example.com' } }],
    ['200 nobody', '/whatever', { as: 'other', headers: { 'x-token': 'administrator' } }],
    // What is only rehearsed denies nobody.
    ['200 nobody', '/dry', { as: 'other', headers: { 'x-token': 'admin' } }],
    [denied, '/whatever', { as: 'other', headers: { 'x-token': 'admin', 'x-env': 'prod' } }],
    [denied, '/whatever', { as: 'other' }],
    [denied, '/whatever', { as: 'stranger', headers: { 'x-token': 'admin' } }],
  ])('%s: %s of %j', async (wanted, path, how) => {
    expect(await ask('reviews', path, how)).toBe(wanted);
  });
});

describe('RequestAuthentication: no token is nobody, a bad one is refused, and policies see claims', () => {
  const claims = {
    iss: 'issuer@example.com',
    sub: 'alice',
    aud: ['bookinfo'],
    group: ['dev'],
    realm: { roles: ['admin'] },
    exp: 4e9,
  };
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const shown = (text: string, as = page): Asked => ({ as, headers: { 'x-jwt': `Bearer ${text}` } });
  const good = token(claims);

  test.each<[string, string, Asked]>([
    ['200 alice+', '/', shown(good)],
    ['200 alice+', `/?token=${good}`, { as: page }],
    ['200 alice+', '/', { as: page, headers: { cookie: `session=${good}` } }],
    [denied, '/', { as: page }],
    [denied, '/', shown(good, 'stranger')],
    [denied, '/', shown(token({ ...claims, group: 'others' }))],
    [denied, '/', shown(token({ ...claims, realm: {} }))],
    ['401 Jwt verification fails', '/', shown(token(claims, other))],
    ['401 Jwt is expired', '/', shown(token({ ...claims, exp: 1 }))],
    ['401 Jwt issuer is not configured', '/', shown(token({ ...claims, iss: 'another' }))],
    ['403 Audiences in Jwt are not allowed', '/', shown(token({ ...claims, aud: 'another' }))],
  ])('%s', async (wanted, path, how) => {
    expect(await ask('payments', path, how)).toBe(wanted);
  });

  test('of either issuer, at the gateway', async () => {
    const bearer = (text: string): Asked => ({ headers: { authorization: `Bearer ${text}` } });
    expect(await ask('ingress', '/')).toBe('200 nobody');
    expect(await ask('ingress', '/', bearer(good))).toBe('200 nobody');
    expect(await ask('ingress', '/', bearer(token({ iss: 'other@example.com' })))).toBe('200 nobody');
    expect(await ask('ingress', '/', bearer(token({ iss: 'other@example.com' }, other)))).toMatch(/^401 /);
    expect(await ask('ingress', '/', bearer('none'))).toMatch(/^401 /);
  });
});

test('a provider of one’s own is asked about its paths only', async () => {
  const allowed: Asked = { headers: { 'x-ext-authz': 'allow' } };
  expect(await ask('ratings', '/public')).toBe('200 nobody');
  expect(await ask('ratings', '/private')).toBe('403 ');
  expect(await ask('ratings', '/private', allowed)).toBe('200 nobody');
  expect(await ask('ingress', '/public')).toBe('200 nobody');
  expect(await ask('ingress', '/ext/a')).toBe('403 not you');
  expect(await ask('ingress', '/ext/a', allowed)).toBe('200 alice');
  expect(asked).toEqual(['gRPC /private', 'gRPC /private', 'HTTP /check/ext/a', 'HTTP /check/ext/a']);
});
