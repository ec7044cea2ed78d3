import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Clock } from '../../../../src/core/clock.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { emptyRuntime } from '../../../../src/core/runtime-view.ts';
import { listenerLocalRateLimitDecoder } from '../../../../src/listener/filters/local-ratelimit/decode.ts';
import {
  LocalRateLimit,
  type ListenerRateData,
} from '../../../../src/listener/filters/local-ratelimit/local-ratelimit.ts';
import { Verdict } from '../../../../src/listener/filters/listener-filter.ts';
import { LocalRateLimitSchema } from '../../../../src/proto/envoy/extensions/filters/listener/local_ratelimit/v3/local_ratelimit_pb.js';
import { RecordingStats } from '../../cluster/recording-stats.ts';

test('a token for each connection, of whichever worker', () => {
  const message = create(LocalRateLimitSchema, {
    statPrefix: 'p',
    tokenBucket: { maxTokens: 2, fillInterval: { seconds: 1n } },
  });
  const bytes = toBinary(LocalRateLimitSchema, message);
  const data = listenerLocalRateLimitDecoder.decode(bytes, new Reasons('l'), { open: () => null }) as ListenerRateData;
  const clock = new Clock(10);
  const [one, other] = [0, 1].map(() => new LocalRateLimit(data, new RecordingStats(), emptyRuntime, clock));
  expect([one.inspect(), other.inspect(), one.inspect(), other.inspect()]).toEqual([
    Verdict.Continue,
    Verdict.Continue,
    Verdict.Close,
    Verdict.Close,
  ]);
  clock.now += 1000;
  expect([other.inspect(), one.inspect()]).toEqual([Verdict.Continue, Verdict.Close]);
});
