import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import type { CallOuts, GrpcCallUser } from '../../../../src/filter/call-outs.ts';
import { extAuthzBuilder } from '../../../../src/filter/ext-authz/build.ts';
import { extAuthzDecoder, extAuthzPerRouteDecoder } from '../../../../src/filter/ext-authz/decode.ts';
import type { ShadowDecision } from '../../../../src/filter/ext-authz/shadow-decision.ts';
import { ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { Verdict, type FilterContext, type Stream } from '../../../../src/filter/filter.ts';
import { ApiVersion } from '../../../../src/proto/envoy/config/core/v3/config_source_pb.js';
import {
  ExtAuthzPerRouteSchema,
  ExtAuthzSchema,
} from '../../../../src/proto/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import { CheckResponseSchema } from '../../../../src/proto/envoy/service/auth/v3/external_auth_pb.js';
import { filterContext, request, TestStream } from '../filter-fixture.ts';

type Settings = MessageInitShape<typeof ExtAuthzSchema>;

function decoded(settings: Settings) {
  const reasons = new Reasons();
  const message = create(ExtAuthzSchema, { transportApiVersion: ApiVersion.V3, ...settings });
  const data = extAuthzDecoder.decode(toBinary(ExtAuthzSchema, message), reasons, { open: () => null });
  return { data, reasons: reasons.list.map(({ path, message: text }) => `${path}: ${text}`) };
}

const service = {
  case: 'grpcService',
  value: { targetSpecifier: { case: 'envoyGrpc', value: { clusterName: 'authz' } } },
} as const;

/** A server that answers when it is told. */
class AuthorizationServer implements CallOuts {
  readonly users: GrpcCallUser[] = [];
  cancelled = 0;

  http(): never {
    throw new Error('asked by HTTP');
  }

  grpc(...[, , , , user]: Parameters<CallOuts['grpc']>) {
    this.users.push(user);
    return { cancel: () => void this.cancelled++ };
  }

  answer(answer: MessageInitShape<typeof CheckResponseSchema>): void {
    this.users.shift()!.onAnswer(toBinary(CheckResponseSchema, create(CheckResponseSchema, answer)));
  }
}

function ask(settings: Settings = {}, more: Pick<FilterContext, 'requestLimits'> = {}) {
  const server = new AuthorizationServer();
  const context = { ...filterContext(), ...more, callOuts: server };
  const filter = extAuthzBuilder.build(decoded({ services: service, ...settings }).data, context).create();
  const stream = new TestStream(context, request([]));
  const verdict = filter.onRequestHead!(stream, stream.requestHead, true);
  return { server, context, stream, filter, verdict };
}

test('a request waits for its answer', () => {
  const { server, stream, verdict } = ask();
  expect(verdict).toBe(Verdict.Stop);
  server.answer({});
  expect([stream.events.length, stream.replies.length]).toEqual([1, 0]);
});

test('who goes asks nobody any more', () => {
  const { server, stream, filter } = ask();
  filter.onComplete!(stream);
  expect(server.cancelled).toBe(1);
});

test('no answer is no permission', () => {
  const { server, stream, context } = ask();
  server.users[0].onFailure(14, 'unavailable');
  expect(stream.replies[0]).toMatchObject({ status: 403, details: 'ext_authz_error' });
  expect(context.stats.used).toMatchObject({ 'ext_authz.error': 1 });
});

test('neither is one that cannot be read', () => {
  const { server, stream } = ask();
  server.users[0].onAnswer(Uint8Array.of(0xff, 0xff));
  expect(stream.replies[0]).toMatchObject({ status: 403, details: 'ext_authz_error' });
});

test('fields that would end the line, or say where a message ends, stay out', () => {
  const { server, stream } = ask();
  const field = (key: string, value: string) => ({ header: { key, value } });
  const headers = [
    field('x-a', 'a\r\nb: c'),
    field('Content-Length', '5'),
    field('transfer-encoding', 'x'),
    field('x-b', 'b'),
  ];
  server.answer({ httpResponse: { case: 'okResponse', value: { headers } } });
  expect(stream.requestHead.headers.names).toEqual(['x-b']);
});

test('a request that has grown larger than any may come goes nowhere', () => {
  const grown = (requestLimits: NonNullable<FilterContext['requestLimits']>) => {
    const { server, stream, context } = ask({}, { requestLimits });
    const headers = [{ header: { key: 'x-a', value: 'v'.repeat(100) } }, { header: { key: 'x-b', value: 'b' } }];
    server.answer({ httpResponse: { case: 'okResponse', value: { headers } } });
    return { stream, used: context.stats.used };
  };
  expect(grown({ headerCountMax: 6, headerBytesMax: 200 }).stream.events.length).toBe(1);
  for (const limits of [
    { headerCountMax: 5, headerBytesMax: 200 },
    { headerCountMax: 6, headerBytesMax: 100 },
  ]) {
    const { stream, used } = grown(limits);
    expect(stream.replies[0]).toMatchObject({ status: 500, details: 'ext_authz_invalid' });
    expect(used).toMatchObject({ 'ext_authz.invalid': 1, 'ext_authz.request_header_limits_reached': 1 });
    expect(stream.events.length).toBe(0);
  }
});

test('rules say which fields of a request may change', () => {
  const allow = { case: undefined } as const;
  const expression = (regex: string) => ({ engineType: allow, regex });
  const asked = (more: object) =>
    ask({
      decoderHeaderMutationRules: {
        allowExpression: expression('x-envoy-a'),
        disallowExpression: expression('x-b.*'),
        ...more,
      },
    });
  const field = (key: string, value = '1') => ({ header: { key, value } });
  const value = { headers: ['x-a', 'x-b', 'X-Bc', 'x-envoy-a', 'x-envoy-b', 'host'].map((name) => field(name)) };
  const { server, stream } = asked({});
  server.answer({ httpResponse: { case: 'okResponse', value } });
  expect([stream.requestHead.headers.names, stream.requestHead.authority]).toEqual([['x-a', 'x-envoy-a'], 'h.test']);
  for (const refused of [value, { headersToRemove: ['host'] }, { headers: [field('x-a', 'a\nb')] }]) {
    const strict = asked({ disallowIsError: true });
    strict.server.answer({ httpResponse: { case: 'okResponse', value: refused } });
    expect(strict.stream.replies[0]).toMatchObject({ status: 500, details: 'ext_authz_invalid' });
    expect(strict.context.stats.used).toMatchObject({ 'ext_authz.invalid': 1 });
  }
  const free = asked({ disallowIsError: true, allowEnvoy: true });
  free.server.answer({ httpResponse: { case: 'okResponse', value: { headersToRemove: ['x-c'] } } });
  expect(free.stream.events.length).toBe(1);
});

test('what is not there is refused by name', () => {
  expect(decoded({ services: service, emitFilterStateStats: true }).reasons).toEqual([
    expect.stringContaining("field 'emit_filter_state_stats' is not supported"),
  ]);
  expect(decoded({}).reasons).toEqual([': one of grpc_service and http_service must be set']);
});

test('paths of an HTTP service begin with a slash', () => {
  const value = { serverUri: { uri: 'http://a', timeout: {} }, pathPrefix: 'x', pathOverride: '/y' };
  expect(decoded({ services: { case: 'httpService', value } }).reasons).toEqual([
    'http_service.path_prefix: path_prefix should start with "/".',
    'http_service.path_override: Only one of path_prefix or path_override may be set.',
  ]);
});

test('an HTTP service is asked again for errors of servers, or not at all', () => {
  const asked = (retryPolicy: object) => {
    const value = { serverUri: { uri: 'http://a', timeout: {} }, retryPolicy };
    const { data, reasons } = decoded({ services: { case: 'httpService', value } });
    return [(data as { service: { retries: unknown } }).service.retries, reasons];
  };
  const seconds = { baseMs: 1000, maxMs: 10_000, tryTimeoutMs: 10_000 };
  expect(asked({})).toEqual([{ max: null, ...seconds }, []]);
  expect(asked({ retryOn: 'reset, 5xx', numRetries: 3 })).toEqual([{ max: 3, ...seconds }, []]);
  expect(asked({ retryOn: '5xx' })).toEqual([{ max: 1, ...seconds }, []]);
  for (const retryOn of ['gateway-error', '5xx,retriable-4xx'])
    expect(asked({ retryOn })[1]).toEqual([expect.stringContaining('retry_policy.retry_on')]);
});

test('routes', () => {
  const perRoute = (settings: MessageInitShape<typeof ExtAuthzPerRouteSchema>): unknown => {
    const bytes = toBinary(ExtAuthzPerRouteSchema, create(ExtAuthzPerRouteSchema, settings));
    return extAuthzPerRouteDecoder.decode(bytes, new Reasons(), { open: () => null });
  };
  expect(perRoute({ override: { case: 'disabled', value: true } })).toMatchObject({ isDisabled: true });
  const value = { contextExtensions: { a: 'b' }, disableRequestBodyBuffering: true };
  expect(perRoute({ override: { case: 'checkSettings', value } })).toMatchObject({
    isDisabled: false,
    skipsBody: true,
    contextExtensions: { a: 'b' },
  });
});

test('shadow mode turns nobody away, and notes what it would have done', () => {
  const denied = ask({ shadowMode: true });
  denied.server.answer({ status: { code: 7 } });
  const failed = ask({ shadowMode: true, statusOnError: { code: 503 } });
  failed.server.users[0].onFailure(14, 'unavailable');
  const seen = [denied, failed].map(({ stream, context }) => [
    stream.replies.length,
    stream.events.length,
    (stream.outcome.filterState!.get(`${context.filterName}.shadow`) as ShadowDecision).toPlain(),
  ]);
  expect(seen).toEqual([
    [0, 1, '{"check_result":"DENIED","status_code":403}'],
    [0, 1, '{"check_result":"ERROR","status_code":503}'],
  ]);
  expect(denied.context.stats.used).toMatchObject({ 'ext_authz.denied': 1, 'ext_authz.shadow_denied': 1 });
  expect(failed.context.stats.used).toMatchObject({ 'ext_authz.error': 1, 'ext_authz.shadow_error': 1 });
});

test('an upstream’s answer that has grown larger than any may come goes to nobody, if so configured', () => {
  const grown = (
    enforceResponseHeaderLimits: boolean,
    answerLimits: Stream['answerLimits'],
    details = 'via_upstream',
  ) => {
    const { server, stream, context, filter } = ask({ enforceResponseHeaderLimits });
    const responseHeadersToAdd = [{ header: { key: 'x-a', value: 'v'.repeat(100) } }];
    server.answer({ httpResponse: { case: 'okResponse', value: { responseHeadersToAdd } } });
    stream.outcome.details = details;
    const verdict = filter.onResponseHead!(
      Object.assign(stream, { answerLimits }),
      new ResponseHead(200, new Headers()),
      true,
    );
    return [verdict, stream.replies[0]?.details, context.stats.used['ext_authz.response_header_limits_reached']];
  };
  const refused = [Verdict.Stop, 'ext_authz_invalid', 1];
  const passed = [Verdict.Continue, undefined, undefined];
  expect(grown(true, { headerCountMax: 2, headerBytesMax: 200 })).toEqual(passed);
  expect(grown(true, { headerCountMax: 1, headerBytesMax: 200 })).toEqual(refused);
  expect(grown(true, { headerCountMax: 2, headerBytesMax: 100 })).toEqual(refused);
  expect(grown(false, { headerCountMax: 1, headerBytesMax: 100 })).toEqual(passed);
  expect(grown(true, { headerCountMax: 1, headerBytesMax: 100 }, 'direct_response')).toEqual(passed);
  expect(grown(true, null)).toEqual(passed);
});
