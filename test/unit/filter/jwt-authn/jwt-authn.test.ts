import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import type { CallOuts, CallRetries, HttpCallUser } from '../../../../src/filter/call-outs.ts';
import { Verdict } from '../../../../src/filter/filter.ts';
import { jwtAuthnBuilder } from '../../../../src/filter/jwt-authn/build.ts';
import { jwtAuthnDecoder, jwtPerRouteDecoder } from '../../../../src/filter/jwt-authn/decode.ts';
import type { JwtAuthnData } from '../../../../src/filter/jwt-authn/jwt-authn-data.ts';
import {
  JwtAuthenticationSchema,
  PerRouteConfigSchema,
} from '../../../../src/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import { filterContext, request, TestStream } from '../filter-fixture.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const jwks = JSON.stringify({ keys: [publicKey.export({ format: 'jwk' })] });

function token(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'EdDSA' })}.${part(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
}

type Settings = MessageInitShape<typeof JwtAuthenticationSchema>;

function decoded(settings: Settings): { data: JwtAuthnData; reasons: Reasons } {
  const reasons = new Reasons();
  const bytes = toBinary(JwtAuthenticationSchema, create(JwtAuthenticationSchema, settings));
  return { data: jwtAuthnDecoder.decode(bytes, reasons, { open: () => null }) as JwtAuthnData, reasons };
}

const needsA = {
  match: { pathSpecifier: { case: 'prefix', value: '/' } },
  requirementType: { case: 'requires', value: { requiresType: { case: 'providerName', value: 'a' } } },
} as const;

const fetched = {
  jwksSourceSpecifier: {
    case: 'remoteJwks',
    value: {
      httpUri: {
        uri: 'https://keys.test/path?q',
        httpUpstreamType: { case: 'cluster', value: 'keys' },
        timeout: { seconds: 1n },
      },
      cacheDuration: { seconds: 60n },
    },
  },
} as const;

/** A server of keys that answers when it is told. */
class KeyServer implements CallOuts {
  readonly asked: string[] = [];
  readonly users: HttpCallUser[] = [];
  readonly retries: (CallRetries | null)[] = [];

  http(...[cluster, head, , { retries = null }, user]: Parameters<CallOuts['http']>) {
    this.retries.push(retries);
    this.asked.push(`${cluster} ${head.authority}${head.path}`);
    this.users.push(user);
    return { cancel: () => {} };
  }

  grpc(): never {
    throw new Error('keys are not asked for by gRPC');
  }

  answer(status: number, body: string): void {
    const user = this.users.shift()!;
    user.onAnswer({ head: new ResponseHead(status, new Headers()), body: Buffer.from(body) });
  }
}

function world(settings: Settings) {
  const { data, reasons } = decoded(settings);
  expect(reasons.list).toEqual([]);
  const server = new KeyServer();
  const context = { ...filterContext(), callOuts: server };
  const factory = jwtAuthnBuilder.build(data, context);
  return {
    server,
    context,
    ask: (headers: [string, string][] = []) => {
      const stream = new TestStream(context, request(headers));
      const filter = factory.create();
      const verdict = filter.onRequestHead!(stream, stream.requestHead, true);
      return { stream, filter, verdict };
    },
  };
}

const bearer = (claims: Readonly<Record<string, unknown>>): [string, string][] => [
  ['authorization', `Bearer ${token(claims)}`],
];

test('requests wait for keys, all for one fetch, and know them for as long as they are good', () => {
  const { server, ask, context } = world({ providers: { a: fetched }, rules: [needsA] });
  const both = [ask(bearer({})), ask(bearer({}))];
  expect(both.map(({ verdict }) => verdict)).toEqual([Verdict.Stop, Verdict.Stop]);
  expect(server.asked).toEqual(['keys keys.test/path?q']);
  server.answer(200, jwks);
  expect(both.map(({ stream }) => stream.events.length)).toEqual([1, 1]);
  expect(ask(bearer({})).verdict).toBe(Verdict.Continue);
  context.clock.now += 60_001;
  expect(ask(bearer({})).verdict).toBe(Verdict.Stop);
  expect(server.asked).toHaveLength(2);
  expect(context.stats.used).toMatchObject({ 'jwt_authn.jwks_fetch_success': 1, 'jwt_authn.allowed': 3 });
});

test('who has gone hears nothing of keys', () => {
  const { server, ask } = world({ providers: { a: fetched }, rules: [needsA] });
  const { stream, filter } = ask(bearer({}));
  filter.onComplete!(stream);
  server.answer(200, jwks);
  expect([stream.events, stream.replies]).toEqual([[], []]);
});

test('keys that are fetched ahead are fetched before they are too old, and serve on while there are no others', () => {
  const remote = { ...fetched.jwksSourceSpecifier.value, asyncFetch: {} };
  const { server, ask, context } = world({
    providers: { a: { jwksSourceSpecifier: { case: 'remoteJwks', value: remote } } },
    rules: [needsA],
  });
  server.answer(200, jwks);
  context.clock.now += 56_000;
  expect(ask(bearer({})).verdict).toBe(Verdict.Continue);
  expect(server.asked).toHaveLength(2);
  server.answer(503, '');
  context.clock.now += 10_000;
  const waiting = ask(bearer({}));
  expect(waiting.verdict).toBe(Verdict.Stop);
  server.answer(503, '');
  expect([waiting.stream.events.length, waiting.stream.replies.length]).toEqual([1, 0]);
});

test('a fetch is tried again as often as configured', () => {
  const retriesOf = (retryPolicy: object | undefined) => {
    const value = { ...fetched.jwksSourceSpecifier.value, ...(retryPolicy === undefined ? {} : { retryPolicy }) };
    const { server, ask } = world({
      providers: { a: { jwksSourceSpecifier: { case: 'remoteJwks', value } } },
      rules: [needsA],
    });
    const { stream } = ask(bearer({}));
    server.users.shift()!.onFailure('reset');
    expect(stream.replies[0]).toMatchObject({ status: 401, body: 'Jwks remote fetch is failed' });
    return server.retries;
  };
  expect(retriesOf(undefined)).toEqual([null]);
  expect(retriesOf({ numRetries: 3 })).toEqual([{ max: 3, baseMs: 1000, maxMs: 10_000, tryTimeoutMs: 10_000 }]);
  const retryBackOff = { baseInterval: { seconds: 1n }, maxInterval: { seconds: 2n } };
  expect(retriesOf({ retryBackOff })).toEqual([{ max: 1, baseMs: 1000, maxMs: 2000, tryTimeoutMs: 2000 }]);
});

test('where nothing is required, a field tells of a token that is not good, and its claims stay out', () => {
  const local = { case: 'localJwks', value: { specifier: { case: 'inlineString', value: jwks } } } as const;
  const extract = (verificationStatusHeader: string) =>
    world({
      providers: {
        a: { jwksSourceSpecifier: local, claimToHeaders: [{ headerName: 'x-sub', claimName: 'sub' }], forward: true },
      },
      rules: [
        {
          match: needsA.match,
          requirementType: {
            case: 'requires',
            value: { requiresType: { case: 'extractOnlyWithoutValidation', value: { verificationStatusHeader } } },
          },
        },
      ],
    });
  const seen = (headers: [string, string][], field = '') => {
    const { stream, verdict } = extract(field).ask(headers);
    return [
      verdict,
      ...['x-sub', field || 'x-jwt-signature-verified'].map((name) => stream.requestHead.headers.get(name)),
    ];
  };
  const early: [string, string][] = bearer({ sub: 'me', nbf: 1e12 });
  expect(seen(bearer({ sub: 'me' }))).toEqual([Verdict.Continue, 'me', undefined]);
  expect(seen([])).toEqual([Verdict.Continue, undefined, undefined]);
  expect(seen(early)).toEqual([Verdict.Continue, undefined, 'false']);
  expect(seen([...early, ['x-jwt-signature-verified', 'true']])).toEqual([Verdict.Continue, undefined, 'false']);
  expect(seen(early, 'x-own')).toEqual([Verdict.Continue, undefined, 'false']);
});

test('claims with line breaks become no fields', () => {
  const local = {
    jwksSourceSpecifier: { case: 'localJwks', value: { specifier: { case: 'inlineString', value: jwks } } },
  } as const;
  const { ask } = world({
    providers: { a: { ...local, claimToHeaders: [{ headerName: 'X-Name', claimName: 'name' }] } },
    rules: [needsA],
  });
  const { stream, verdict } = ask(bearer({ name: 'x\r\nevil: 1' }));
  expect([verdict, stream.requestHead.headers.has('x-name')]).toEqual([Verdict.Continue, false]);
});

test('what is missing is told where it is named', () => {
  const { reasons } = decoded({
    providers: {
      b: { jwksSourceSpecifier: { case: 'localJwks', value: { specifier: { case: 'inlineString', value: '{}' } } } },
    },
    rules: [needsA, { ...needsA, requirementType: { case: 'requirementName', value: 'x' } }],
  });
  expect(reasons.list.map(({ path, message }) => `${path}: ${message}`)).toEqual([
    "providers[b].local_jwks: Provider 'b' in jwt_authn config has invalid local jwks: Jwks does not have [keys] field",
    "rules[0].requires.provider_name: Required provider ['a'] is not configured.",
    'rules[1].requirement_name: Wrong requirement_name: x. It should be one of []',
  ]);
});

test('what Envoy would not look at is refused', () => {
  const { reasons } = decoded({ rules: [{ match: { ...needsA.match, cookies: [{ name: 'c' }], grpc: {} } }] });
  expect(reasons.list.map(({ path }) => path)).toContain('rules[0].match.grpc');
  expect(reasons.list.map(({ path }) => path)).toContain('rules[0].match.cookies');
});

test('routes', () => {
  const perRoute = (settings: MessageInitShape<typeof PerRouteConfigSchema>): unknown => {
    const bytes = toBinary(PerRouteConfigSchema, create(PerRouteConfigSchema, settings));
    return jwtPerRouteDecoder.decode(bytes, new Reasons(), { open: () => null });
  };
  expect(perRoute({ requirementSpecifier: { case: 'disabled', value: true } })).toEqual({ requirement: null });
  expect(perRoute({ requirementSpecifier: { case: 'requirementName', value: 'x' } })).toEqual({ requirement: 'x' });
});
