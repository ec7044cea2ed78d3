import { create, fromBinary, toBinary, toJson, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import type { CallOuts, GrpcCallUser } from '../../../../src/filter/call-outs.ts';
import { Verdict } from '../../../../src/filter/filter.ts';
import { rateLimitBuilder } from '../../../../src/filter/ratelimit/build.ts';
import { rateLimitDecoder, rateLimitPerRouteDecoder } from '../../../../src/filter/ratelimit/decode.ts';
import { limitHeaders } from '../../../../src/filter/ratelimit/limit-headers.ts';
import { writeLimitRequest } from '../../../../src/filter/ratelimit/limit-request.ts';
import { readLimitResponse } from '../../../../src/filter/ratelimit/limit-response.ts';
import { WireError } from '../../../../src/filter/wire/wire-cursor.ts';
import { ApiVersion } from '../../../../src/proto/envoy/config/core/v3/config_source_pb.js';
import { GrpcServiceSchema } from '../../../../src/proto/envoy/config/core/v3/grpc_service_pb.js';
import { RateLimitServiceConfigSchema } from '../../../../src/proto/envoy/config/ratelimit/v3/rls_pb.js';
import { RateLimitSchema as RouteLimitSchema } from '../../../../src/proto/envoy/config/route/v3/route_components_pb.js';
import {
  RateLimitPerRouteSchema,
  RateLimitSchema,
} from '../../../../src/proto/envoy/extensions/filters/http/ratelimit/v3/rate_limit_pb.js';
import {
  RateLimitRequestSchema,
  RateLimitResponseSchema,
} from '../../../../src/proto/envoy/service/ratelimit/v3/rls_pb.js';
import * as fc from '../../../property/chance.ts';
import { filterContext, request, TestStream } from '../filter-fixture.ts';

const grpcService = create(GrpcServiceSchema, {
  targetSpecifier: { case: 'envoyGrpc', value: { clusterName: 'rls' } },
});
const rateLimitService = create(RateLimitServiceConfigSchema, { transportApiVersion: ApiVersion.V3, grpcService });
const everyRequest = create(RouteLimitSchema, {
  actions: [{ actionSpecifier: { case: 'genericKey', value: { descriptorValue: 'all' } } }],
});

type Answer = MessageInitShape<typeof RateLimitResponseSchema>;
const encoded = (answer: Answer): Uint8Array =>
  toBinary(RateLimitResponseSchema, create(RateLimitResponseSchema, answer));

function ask(settings: MessageInitShape<typeof RateLimitSchema> = {}) {
  const users: GrpcCallUser[] = [];
  let cancelled = 0;
  const callOuts: CallOuts = {
    http: () => {
      throw new Error('asked by HTTP');
    },
    grpc: (_cluster, _path, _message, _options, user) => {
      users.push(user);
      return { cancel: () => void cancelled++ };
    },
  };
  const message = create(RateLimitSchema, { domain: 'd', rateLimitService, rateLimits: [everyRequest], ...settings });
  const reasons = new Reasons();
  const data = rateLimitDecoder.decode(toBinary(RateLimitSchema, message), reasons, { open: () => null });
  expect(reasons.list).toEqual([]);
  const context = { ...filterContext(), callOuts };
  const filter = rateLimitBuilder.build(data, context).create();
  const stream = new TestStream(context, request([]));
  const verdict = filter.onRequestHead!(stream, stream.requestHead, true);
  return { users, stream, filter, verdict, cancelled: () => cancelled };
}

describe('a request', () => {
  test('waits for its answer', () => {
    const { users, stream, verdict } = ask();
    expect(verdict).toBe(Verdict.Stop);
    users[0].onAnswer(encoded({ overallCode: 1 }));
    expect([stream.events.length, stream.replies.length]).toEqual([1, 0]);
  });

  test('passes where nobody answers, unless that is denied', () => {
    const lenient = ask();
    lenient.users[0].onFailure(14, 'gone');
    expect(lenient.stream.replies).toEqual([]);
    const strict = ask({ failureModeDeny: true });
    strict.users[0].onAnswer(Uint8Array.of(0x82));
    expect(strict.stream.replies[0]).toMatchObject({ status: 500, details: 'rate_limiter_error' });
  });

  test('that goes asks no more', () => {
    const { filter, stream, cancelled } = ask();
    filter.onComplete!(stream);
    expect(cancelled()).toBe(1);
  });

  test('gets no fields that would break it, and neither does its answer', () => {
    const { users, stream, filter } = ask();
    const bad = [
      { key: 'content-length', value: '1' },
      { key: 'x-a', value: 'a\r\nb' },
      { key: ':path', value: '/' },
      { key: 'x-b', value: 'b' },
    ];
    users[0].onAnswer(encoded({ overallCode: 1, requestHeadersToAdd: bad, responseHeadersToAdd: bad }));
    const answer = new ResponseHead(200, new Headers());
    filter.onResponseHead!(stream, answer, true);
    expect([stream.requestHead.headers.names, answer.headers.names]).toEqual([['x-b'], ['x-b']]);
  });
});

test('what is asked', () => {
  const bytes = writeLimitRequest('domain', [
    {
      entries: [
        { key: 'k', value: '\xc3\xa4' },
        { key: 'empty', value: '' },
      ],
      hits: 1,
      limit: null,
    },
    { entries: [], hits: 0, limit: { requestsPerUnit: 5, unit: 'HOUR' } },
  ]);
  expect(toJson(RateLimitRequestSchema, fromBinary(RateLimitRequestSchema, bytes))).toEqual({
    domain: 'domain',
    descriptors: [
      { entries: [{ key: 'k', value: 'ä' }, { key: 'empty' }] },
      { limit: { requestsPerUnit: 5, unit: 'HOUR' }, hitsAddend: '0' },
    ],
  });
});

test('any bytes are an answer or an error of their own', () => {
  const good = encoded({
    overallCode: 2,
    statuses: [
      { code: 1, currentLimit: { requestsPerUnit: 5, unit: 2, name: 'n' }, durationUntilReset: { seconds: 1n } },
    ],
    responseHeadersToAdd: [{ key: 'k', value: 'v' }],
    dynamicMetadata: { a: [1] },
  });
  const bytes = fc.oneof(
    fc.uint8Array(),
    fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => Uint8Array.from(good).fill(byte, at, at + 1)),
    fc.nat(good.length).map((length) => good.slice(0, length)),
  );
  fc.assert(
    fc.property(bytes, (input) => {
      try {
        return typeof readLimitResponse(input).isOverLimit === 'boolean';
      } catch (error) {
        return error instanceof WireError;
      }
    }),
    { numRuns: 1000 },
  );
});

test('nothing is said of limits that nobody names', () => {
  expect(limitHeaders([], [], true)).toEqual([]);
  expect(limitHeaders([{ limit: null, remaining: 0, resetSeconds: 0 }], [], true)).toEqual([]);
});

test('a descriptor says whether its limit is shown', () => {
  const status = (remaining: number) => ({
    limit: { requestsPerUnit: 10, unit: 1, name: '' },
    remaining,
    resetSeconds: 1,
  });
  const shown = (areShown: boolean) =>
    limitHeaders([status(3), status(1), status(2)], [{ isShown: true }, { isShown: false }, {}], areShown)[1]?.[1];
  expect([shown(false), shown(true)]).toEqual(['3', '2']);
});

test('a service must be named, and what is not there is refused', () => {
  const reasons = new Reasons();
  rateLimitDecoder.decode(toBinary(RateLimitSchema, create(RateLimitSchema, {})), reasons, { open: () => null });
  expect(reasons.list.map(({ path }) => path)).toEqual(['rate_limit_service.grpc_service']);
});

test('routes', () => {
  const bytes = toBinary(RateLimitPerRouteSchema, create(RateLimitPerRouteSchema, { vhRateLimits: 2, domain: 'x' }));
  const data = rateLimitPerRouteDecoder.decode(bytes, new Reasons(), { open: () => null });
  expect(data).toEqual({ virtualHosts: 'IGNORE', rateLimits: [], domain: 'x' });
});
