import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { ResponseFlag } from '../../../../src/core/failure.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { Verdict } from '../../../../src/filter/filter.ts';
import { healthCheckBuilder } from '../../../../src/filter/health-check/build.ts';
import { healthCheckDecoder } from '../../../../src/filter/health-check/decode.ts';
import { HealthCheckSchema } from '../../../../src/proto/envoy/extensions/filters/http/health_check/v3/health_check_pb.js';
import { filterContext, lines, request, response, TestStream } from '../filter-fixture.ts';

type Settings = Parameters<typeof create<typeof HealthCheckSchema>>[1];

function decoded(settings: Settings, reasons = new Reasons()): unknown {
  const message = create(HealthCheckSchema, {
    headers: [{ name: ':path', headerMatchSpecifier: { case: 'presentMatch', value: true } }],
    ...settings,
  });
  return healthCheckDecoder.decode(toBinary(HealthCheckSchema, message), reasons, { open: () => null });
}

function world(settings: Settings) {
  const health = { isFailed: false };
  const members: Record<string, { total: number; healthy: number }> = { half: { total: 2, healthy: 1 } };
  const context = {
    ...filterContext(),
    isHealthFailed: () => health.isFailed,
    membership: (name: string) => members[name] ?? null,
  };
  const factory = healthCheckBuilder.build(decoded(settings), context);
  const ask = (end = true) => {
    const stream = new TestStream(context, request());
    const filter = factory.create();
    return { stream, filter, verdict: filter.onRequestHead!(stream, stream.requestHead, end) };
  };
  return { health, context, ask };
}

test('a check is answered here when the request is complete', () => {
  const { ask, context } = world({ passThroughMode: false });
  const { stream, filter, verdict } = ask(false);
  expect(verdict).toBe(Verdict.StopAndBuffer);
  expect(filter.onRequestData!(stream, new Uint8Array(1), false)).toBe(Verdict.Take);
  expect(stream.replies).toEqual([]);
  expect(filter.onRequestTrailers!(stream, stream.requestHead.headers)).toBe(Verdict.Stop);
  expect(stream.replies).toMatchObject([{ status: 200, details: 'health_check_ok' }]);
  expect(stream.outcome.isHealthCheck).toBe(true);
  expect(context.stats.used).toMatchObject({ 'health_check.request_total': 1, 'health_check.ok': 1 });
});

test('by the healthy hosts of clusters', () => {
  const by = (name: string, value: number) =>
    world({ passThroughMode: false, clusterMinHealthyPercentages: { [name]: { value } as never } }).ask().stream;
  expect(by('half', 50).replies).toMatchObject([{ status: 200 }]);
  expect(by('half', 51).replies).toMatchObject([{ status: 503, flags: ResponseFlag.FailedLocalHealthCheck }]);
  expect(by('none', 0).replies).toMatchObject([{ details: 'health_check_failed_no_cluster_found' }]);
});

test('what the upstream answered is remembered until the next turn of cache_time', () => {
  const { ask, context } = world({ passThroughMode: true, cacheTime: { seconds: 10n } as never });
  context.clock.now = 3000;
  const first = ask();
  expect(first.verdict).toBe(Verdict.Continue);
  const head = response([['x-envoy-degraded', '']]);
  first.filter.onResponseHead!(first.stream, head, true);
  expect(lines(head.headers)).toContain('x-envoy-upstream-healthchecked-cluster: local');
  context.clock.now = 9999;
  expect(ask().stream.replies).toMatchObject([{ status: 200, headers: [['x-envoy-degraded', '']] }]);
  context.clock.now = 10_000;
  expect(ask().verdict).toBe(Verdict.Continue);
});

test('failed by hand, every answer tells it', () => {
  const { ask, health } = world({ passThroughMode: true });
  health.isFailed = true;
  const { stream, filter } = ask();
  expect(stream.replies).toMatchObject([{ status: 503, details: 'health_check_failed' }]);
  const head = response();
  filter.onResponseHead!(stream, head, true);
  expect(lines(head.headers)).toContain('x-envoy-immediate-health-check-fail: true');
});

test('nothing to remember without an upstream', () => {
  const reasons = new Reasons();
  decoded({ passThroughMode: false, cacheTime: { seconds: 1n } as never }, reasons);
  expect(reasons.list).toEqual([
    { path: 'cache_time', message: 'cache_time_ms must not be set when path_through_mode is disabled' },
  ]);
});
