import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { ResponseFlag } from '../../../../src/core/failure.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { Verdict, type HttpFilter } from '../../../../src/filter/filter.ts';
import { localRateLimitBuilder } from '../../../../src/filter/local-ratelimit/build.ts';
import { localRateLimitDecoder } from '../../../../src/filter/local-ratelimit/decode.ts';
import { LocalRateLimitSchema } from '../../../../src/proto/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js';
import { filterContext, lines, request, response, TestStream, type TestContext } from '../filter-fixture.ts';

type Settings = Parameters<typeof create<typeof LocalRateLimitSchema>>[1];

let place = 0;

function decode(settings: Settings, reasons = new Reasons(`place${place++}`)) {
  const bytes = toBinary(LocalRateLimitSchema, create(LocalRateLimitSchema, settings));
  return localRateLimitDecoder.decode(bytes, reasons, { open: () => null });
}

const all = { defaultValue: { numerator: 100 } };
const bucket = (maxTokens: number) => ({ maxTokens, tokensPerFill: 1, fillInterval: { seconds: 1n } });
const on = { statPrefix: 'p', filterEnabled: all, filterEnforced: all };

function filterOf(settings: Settings, context: TestContext): HttpFilter {
  return localRateLimitBuilder.build(decode(settings), context).create();
}

function ask(filter: HttpFilter, context: TestContext, headers: [string, string][] = []) {
  const stream = new TestStream(context, request(headers));
  return { stream, verdict: filter.onRequestHead!(stream, stream.requestHead, true) };
}

test('what is too much is answered, counted and flagged', () => {
  const context = filterContext();
  const filter = filterOf({ ...on, tokenBucket: bucket(1), rateLimitedAsResourceExhausted: true }, context);
  expect(ask(filter, context).verdict).toBe(Verdict.Continue);
  const { stream, verdict } = ask(filter, context);
  expect(verdict).toBe(Verdict.Stop);
  expect(stream.outcome.flags).toBe(ResponseFlag.RateLimited);
  expect(stream.replies).toMatchObject([{ status: 429, body: 'local_rate_limited', grpcStatus: 8 }]);
  context.clock.now += 1000;
  expect(ask(filter, context).verdict).toBe(Verdict.Continue);
  expect(context.stats.used).toEqual({
    'p.http_local_rate_limit.enabled': 3,
    'p.http_local_rate_limit.ok': 2,
    'p.http_local_rate_limit.rate_limited': 1,
    'p.http_local_rate_limit.enforced': 1,
  });
});

test('two workers share one bucket', () => {
  const data = decode({ ...on, tokenBucket: bucket(1) });
  const context = filterContext();
  const [one, other] = [0, 1].map(() => localRateLimitBuilder.build(data, context).create());
  expect(ask(one, context).verdict).toBe(Verdict.Continue);
  expect(ask(other, context).verdict).toBe(Verdict.Stop);
});

test('the answer says what is left, and is forgotten', () => {
  const context = filterContext();
  const filter = filterOf({ ...on, tokenBucket: bucket(2), enableXRatelimitHeaders: 1 }, context);
  const { stream } = ask(filter, context);
  const head = response();
  filter.onResponseHead!(stream, head, true);
  expect(lines(head.headers)).toEqual(['x-ratelimit-limit: 2', 'x-ratelimit-remaining: 1', 'x-ratelimit-reset: 0']);
  filter.onComplete!(stream);
  const later = response();
  filter.onResponseHead!(stream, later, true);
  expect(lines(later.headers)).toEqual([]);
});

test('each value of a wildcard has its own bucket; the oldest makes room', () => {
  const context = filterContext();
  const filter = filterOf(
    {
      ...on,
      tokenBucket: bucket(1000),
      maxDynamicDescriptors: 2,
      descriptors: [{ entries: [{ key: 'k', value: '' }], tokenBucket: bucket(1) }],
      rateLimits: [
        {
          actions: [{ actionSpecifier: { case: 'requestHeaders', value: { headerName: 'x-k', descriptorKey: 'k' } } }],
        },
      ],
    },
    context,
  );
  const isAllowed = (value: string) => ask(filter, context, [['x-k', value]]).verdict === Verdict.Continue;
  expect(['a', 'b', 'a', 'b'].map(isAllowed)).toEqual([true, true, false, false]);
  expect(['c', 'b', 'a'].map(isAllowed)).toEqual([true, false, true]);
});

test('what is refused says why', () => {
  const reasons = new Reasons();
  const entries = [{ key: 'k', value: 'v' }];
  decode(
    {
      statPrefix: 'p',
      tokenBucket: bucket(1),
      maxDynamicDescriptors: 70_000,
      descriptors: [
        { entries, tokenBucket: bucket(1) },
        { entries, tokenBucket: bucket(1), shadowMode: true },
      ],
    },
    reasons,
  );
  expect(reasons.list.map(({ path, message }) => `${path}: ${message}`)).toEqual([
    'max_dynamic_descriptors: 70000 is more than the 65536 supported by sekisho',
    "descriptors[1].shadow_mode: field 'shadow_mode' is not supported by sekisho",
    'descriptors[1]: duplicate descriptor in the local rate descriptor: k=v',
  ]);
});
