import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../../src/core/rejection.ts';
import { networkLocalRateLimitBuilder } from '../../../../../src/filter/network/local-ratelimit/build.ts';
import { networkLocalRateLimitDecoder } from '../../../../../src/filter/network/local-ratelimit/decode.ts';
import { NetworkVerdict, type NetworkFilterTools } from '../../../../../src/filter/network/network-filter.ts';
import { LocalRateLimitSchema } from '../../../../../src/proto/envoy/extensions/filters/network/local_ratelimit/v3/local_rate_limit_pb.js';
import { filterContext } from '../../filter-fixture.ts';
import { TestFilteredStream } from '../filtered-stream.ts';

const context = filterContext();
const { stats, runtime, clock, timers } = context;
const tools: NetworkFilterTools = { stats, runtime, clock, timers, lookups: null! };

function filterAt(place: string, settings: MessageInitShape<typeof LocalRateLimitSchema> = {}) {
  const tokenBucket = { maxTokens: 1, fillInterval: { seconds: 60n } };
  const message = create(LocalRateLimitSchema, { statPrefix: 'p', tokenBucket, ...settings } as typeof settings);
  const bytes = toBinary(LocalRateLimitSchema, message);
  const data = networkLocalRateLimitDecoder.decode(bytes, new Reasons(place), { open: () => null });
  const filter = networkLocalRateLimitBuilder.build(data, tools).create();
  return () => {
    const stream = new TestFilteredStream();
    return filter.onNewConnection!(stream) === NetworkVerdict.Continue || stream.heard.join();
  };
}

const closed = 'close local_ratelimit_close_over_limit';

test('a connection without a token is closed; each chain has its own bucket', () => {
  const [one, other] = [filterAt('one'), filterAt('other')];
  expect([one(), one(), other(), other()]).toEqual([true, closed, true, closed]);
  expect(context.stats.values.get('local_rate_limit.p.rate_limited')).toBe(2);
  context.clock.now += 60_000;
  expect(one()).toBe(true);
});

test('those of one key share', () => {
  const [one, other] = ['shared one', 'shared other'].map((place) => filterAt(place, { shareKey: 'k' }));
  expect([one(), other()]).toEqual([true, closed]);
});

test('switched off it lets everybody through', () => {
  const filter = filterAt('off', { runtimeEnabled: { defaultValue: false, runtimeKey: 'k' } });
  expect([filter(), filter()]).toEqual([true, true]);
});
