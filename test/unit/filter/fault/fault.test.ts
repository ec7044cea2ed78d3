import { describe, expect, test } from 'vitest';
import { ResponseFlag } from '../../../../src/core/failure.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { faultBuilder } from '../../../../src/filter/fault/build.ts';
import type { FaultData } from '../../../../src/filter/fault/fault-data.ts';
import { Verdict, type HttpFilter } from '../../../../src/filter/filter.ts';
import { directRoute, filterContext, forwardTo, request, TestStream, type TestContext } from '../filter-fixture.ts';

const all = { numerator: 100, denominator: 100 };
const half = { numerator: 50, denominator: 100 };
const runtimeKeys = {
  delayPercent: 'fault.http.delay.fixed_delay_percent',
  abortPercent: 'fault.http.abort.abort_percent',
  delayDuration: 'fault.http.delay.fixed_duration_ms',
  abortHttpStatus: 'fault.http.abort.http_status',
  abortGrpcStatus: 'fault.http.abort.grpc_status',
  maxActiveFaults: 'fault.http.max_active_faults',
  responseRateLimitPercent: 'fault.http.rate_limit.response_percent',
};
const none: FaultData = {
  delay: null,
  abort: null,
  responseRateLimit: null,
  upstreamCluster: '',
  headers: [],
  downstreamNodes: [],
  maxActiveFaults: Infinity,
  disableDownstreamClusterStats: false,
  runtimeKeys,
  filterMetadata: null,
};
const abort = (httpStatus: number, percentage = all) => ({
  fromHeaders: false,
  httpStatus,
  grpcStatus: -1,
  percentage,
});
const delay = (fixedMs: number, percentage = all) => ({ fixedMs, percentage });

function fault(changes: Partial<FaultData>): { filter: HttpFilter; context: TestContext } {
  const context = filterContext('fault');
  return { filter: faultBuilder.build({ ...none, ...changes }, context).create(), context };
}

type Pairs = readonly (readonly [string, string])[];

/** One request through the filter. */
function run({ filter, context }: ReturnType<typeof fault>, headers: Pairs = []) {
  const stream = new TestStream(context, request(headers));
  const verdict = filter.onRequestHead!(stream, stream.requestHead, true);
  return { stream, verdict };
}

test('without a fault nothing happens', () => {
  const subject = fault({});
  expect(run(subject).verdict).toBe(Verdict.Continue);
  expect(subject.context.stats.used).toEqual({});
});

describe('abort', () => {
  test('answers with the status', () => {
    const subject = fault({ abort: abort(418) });
    const { stream, verdict } = run(subject);
    expect(verdict).toBe(Verdict.Stop);
    expect(stream.replies).toEqual([
      { status: 418, body: 'fault filter abort', details: 'fault_filter_abort', flags: ResponseFlag.FaultInjected },
    ]);
    expect(subject.context.stats.used).toEqual({ 'fault.aborts_injected': 1, 'fault.active_faults': 1 });
    subject.filter.onComplete!(stream);
    expect(subject.context.stats.used).toEqual({ 'fault.aborts_injected': 1 });
  });

  test('with a gRPC status', () => {
    const subject = fault({ abort: { fromHeaders: false, httpStatus: 0, grpcStatus: 5, percentage: all } });
    expect(run(subject).stream.replies[0]).toMatchObject({ status: 200, grpcStatus: 5 });
  });

  test('a share of the requests', () => {
    const subject = fault({ abort: abort(500, half) });
    subject.context.dice = 0.49;
    expect(run(subject).verdict).toBe(Verdict.Stop);
    subject.context.dice = 0.5;
    expect(run(subject).verdict).toBe(Verdict.Continue);
  });

  // Observed on Envoy 1.39.3.
  test.each<[Pairs, number]>([
    [[], 0],
    [[['x-envoy-fault-abort-request', '429']], 429],
    [[['x-envoy-fault-abort-request', '199']], 0],
    [[['x-envoy-fault-abort-request', '4x']], 0],
    [[['x-envoy-fault-abort-grpc-request', '7']], 200],
    [
      [
        ['x-envoy-fault-abort-request', '429'],
        ['x-envoy-fault-abort-request-percentage', '0'],
      ],
      0,
    ],
  ])('as the request asks: %j', (headers, status) => {
    const subject = fault({ abort: { fromHeaders: true, httpStatus: 0, grpcStatus: -1, percentage: all } });
    expect(run(subject, headers).stream.replies[0]?.status ?? 0).toBe(status);
  });

  test('the request may not ask for more than is configured', () => {
    const subject = fault({ abort: { fromHeaders: true, httpStatus: 0, grpcStatus: -1, percentage: half } });
    subject.context.dice = 0.6;
    const asked: Pairs = [
      ['x-envoy-fault-abort-request', '429'],
      ['x-envoy-fault-abort-request-percentage', '100'],
    ];
    expect(run(subject, asked).verdict).toBe(Verdict.Continue);
  });
});

describe('delay', () => {
  test('holds the request back', () => {
    const subject = fault({ delay: delay(80) });
    const { stream, verdict } = run(subject);
    expect(verdict).toBe(Verdict.Stop);
    expect(stream.outcome.flags).toBe(ResponseFlag.DelayInjected);
    subject.context.timers.pass(79);
    expect(stream.events).toEqual([]);
    subject.context.timers.pass(1);
    expect(stream.events).toEqual(['resume request']);
    subject.filter.onComplete!(stream);
    expect(subject.context.stats.used).toEqual({ 'fault.delays_injected': 1 });
  });

  test('then aborts, as one active fault', () => {
    const subject = fault({ delay: delay(50), abort: abort(503) });
    const { stream } = run(subject);
    subject.context.timers.pass(50);
    expect(stream.events).toEqual([]);
    expect(stream.replies[0]?.status).toBe(503);
    expect(stream.outcome.flags).toBe(ResponseFlag.DelayInjected | ResponseFlag.FaultInjected);
    expect(subject.context.stats.used).toMatchObject({ 'fault.active_faults': 1 });
  });

  test('ends with the stream', () => {
    const subject = fault({ delay: delay(50) });
    const { stream } = run(subject);
    subject.filter.onComplete!(stream);
    subject.context.timers.pass(100);
    expect(stream.events).toEqual([]);
    expect(subject.context.timers.size).toBe(0);
  });

  test('as the request asks', () => {
    const subject = fault({ delay: delay(-1) });
    expect(run(subject).verdict).toBe(Verdict.Continue);
    const { stream } = run(subject, [['x-envoy-fault-delay-request', '30']]);
    subject.context.timers.pass(30);
    expect(stream.events).toEqual(['resume request']);
    expect(run(subject, [['x-envoy-fault-delay-request', '0']]).verdict).toBe(Verdict.Continue);
  });
});

describe('which requests', () => {
  test('of a cluster', () => {
    const subject = fault({ abort: abort(500), upstreamCluster: 'ratings' });
    const to = (route: TestStream['route']) => {
      const stream = new TestStream(subject.context, request());
      stream.route = route;
      return subject.filter.onRequestHead!(stream, stream.requestHead, true);
    };
    expect(to(forwardTo('reviews'))).toBe(Verdict.Continue);
    expect(to(directRoute())).toBe(Verdict.Continue);
    expect(to(null)).toBe(Verdict.Continue);
    expect(to(forwardTo('ratings'))).toBe(Verdict.Stop);
  });

  test('with headers', () => {
    const exact = { kind: 'exact', value: 'jason', ignoreCase: false } as const;
    const matcher = {
      name: 'end-user',
      test: { kind: 'string', string: exact },
      invert: false,
      treatMissingAsEmpty: false,
    } as const;
    const subject = fault({ abort: abort(500), headers: [matcher] });
    expect(run(subject).verdict).toBe(Verdict.Continue);
    expect(run(subject, [['end-user', 'jason']]).verdict).toBe(Verdict.Stop);
  });

  test('from nodes', () => {
    const subject = fault({ abort: abort(500), downstreamNodes: ['a', 'b'] });
    expect(run(subject).verdict).toBe(Verdict.Continue);
    expect(run(subject, [['x-envoy-downstream-service-node', 'c']]).verdict).toBe(Verdict.Continue);
    expect(run(subject, [['x-envoy-downstream-service-node', 'b']]).verdict).toBe(Verdict.Stop);
  });

  test('the most specific route level replaces the filter', () => {
    const subject = fault({ abort: abort(500) });
    const stream = new TestStream(subject.context, request());
    stream.configs = [
      faultBuilder.buildPerRoute!({ ...none, abort: abort(501) }, subject.context),
      faultBuilder.buildPerRoute!(none, subject.context),
    ];
    expect(subject.filter.onRequestHead!(stream, stream.requestHead, true)).toBe(Verdict.Continue);
  });
});

test('max_active_faults', () => {
  const subject = fault({ delay: delay(10), maxActiveFaults: 1 });
  const first = run(subject);
  expect(run(subject).verdict).toBe(Verdict.Continue);
  expect(subject.context.stats.used).toMatchObject({ 'fault.faults_overflow': 1, 'fault.delays_injected': 1 });
  subject.filter.onComplete!(first.stream);
  expect(run(subject).verdict).toBe(Verdict.Stop);
});

test('runtime overrides percentages, durations, statuses and the limit', () => {
  const subject = fault({ delay: delay(10, { numerator: 0, denominator: 100 }), abort: abort(500) });
  const { runtimeNumbers, timers } = subject.context;
  runtimeNumbers.set(runtimeKeys.delayPercent, 100).set(runtimeKeys.delayDuration, 25);
  runtimeNumbers.set('fault.http.web.abort.http_status', 429);
  const { stream } = run(subject, [['x-envoy-downstream-service-cluster', 'web']]);
  timers.pass(24);
  expect(stream.replies).toEqual([]);
  timers.pass(1);
  expect(stream.replies[0]?.status).toBe(429);
  expect(subject.context.stats.used).toMatchObject({ 'fault.web.delays_injected': 1, 'fault.web.aborts_injected': 1 });
  runtimeNumbers.set(runtimeKeys.maxActiveFaults, 0);
  expect(run(subject).verdict).toBe(Verdict.Continue);
});

test('disable_downstream_cluster_stats', () => {
  const subject = fault({ abort: abort(500), disableDownstreamClusterStats: true });
  run(subject, [['x-envoy-downstream-service-cluster', 'web']]);
  expect(Object.keys(subject.context.stats.used).filter((name) => name.includes('web'))).toEqual([]);
});

test('filter_metadata describes the requests that a fault befell', () => {
  const subject = fault({ abort: abort(500), filterMetadata: { why: 'test' } });
  expect(run(subject).stream.outcome.dynamicMetadata?.get('fault')).toEqual({ why: 'test' });
});

describe('response_rate_limit', () => {
  const limited = (fixedKbps: number) => fault({ responseRateLimit: { fixedKbps, percentage: all } });

  // Envoy 1.39.3 sends 600 bytes at 1 KiB/s as about 51 bytes each 50 ms.
  test('a body goes in parts', () => {
    const subject = limited(1);
    const { stream, verdict } = run(subject);
    expect(verdict).toBe(Verdict.Continue);
    expect(subject.filter.onResponseData!(stream, new Uint8Array(120), true)).toBe(Verdict.Take);
    expect(stream.events).toEqual([]);
    subject.context.timers.pass(200);
    expect(stream.events).toEqual(['data 51', 'data 51', 'data 18 end']);
    expect(subject.context.stats.used).toEqual({ 'fault.response_rl_injected': 1, 'fault.active_faults': 1 });
  });

  test('trailers wait for the body', () => {
    const subject = limited(1);
    const { stream } = run(subject);
    subject.filter.onResponseData!(stream, new Uint8Array(60), false);
    expect(subject.filter.onResponseTrailers!(stream, new Headers())).toBe(Verdict.Stop);
    subject.context.timers.pass(100);
    expect(stream.events).toEqual(['data 51', 'data 9', 'resume response']);
    expect(run(subject).stream.events).toEqual([]);
  });

  test('a full buffer stops the upstream, half a buffer lets it go on', () => {
    const subject = limited(1);
    const { stream } = run(subject);
    stream.bufferLimit = 100;
    subject.filter.onResponseData!(stream, new Uint8Array(150), false);
    expect(stream.events).toEqual(['above']);
    subject.context.timers.pass(100);
    expect(stream.events).toEqual(['above', 'data 51', 'below', 'data 51']);
  });

  test('as the request asks', () => {
    const subject = fault({ responseRateLimit: { fixedKbps: 0, percentage: all } });
    const plain = run(subject).stream;
    expect(subject.filter.onResponseData!(plain, new Uint8Array(1), false)).toBe(Verdict.Continue);
    const { stream } = run(subject, [['x-envoy-fault-throughput-response', '2']]);
    subject.filter.onResponseData!(stream, new Uint8Array(200), false);
    subject.context.timers.pass(50);
    expect(stream.events).toEqual(['data 102']);
  });

  test('an ended stream leaves nothing behind', () => {
    const subject = limited(1);
    const { stream } = run(subject);
    stream.bufferLimit = 10;
    subject.filter.onResponseData!(stream, new Uint8Array(60), true);
    subject.filter.onComplete!(stream);
    subject.context.timers.pass(1000);
    expect(stream.events).toEqual(['above', 'below']);
    expect(subject.context.stats.used).toEqual({ 'fault.response_rl_injected': 1 });
  });
});
