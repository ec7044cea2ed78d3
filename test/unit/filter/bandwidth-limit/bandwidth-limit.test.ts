import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Headers } from '../../../../src/core/headers.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { bandwidthLimitBuilder } from '../../../../src/filter/bandwidth-limit/build.ts';
import { bandwidthLimitDecoder } from '../../../../src/filter/bandwidth-limit/decode.ts';
import { Verdict, type HttpFilter } from '../../../../src/filter/filter.ts';
import {
  BandwidthLimitSchema,
  BandwidthLimit_EnableMode,
} from '../../../../src/proto/envoy/extensions/filters/http/bandwidth_limit/v3/bandwidth_limit_pb.js';
import { filterContext, lines, request, response, TestStream } from '../filter-fixture.ts';

type Settings = MessageInitShape<typeof BandwidthLimitSchema>;

function decoded(settings: Settings, reasons: Reasons): unknown {
  const bytes = toBinary(BandwidthLimitSchema, create(BandwidthLimitSchema, { statPrefix: 'p', ...settings }));
  return bandwidthLimitDecoder.decode(bytes, reasons, { open: () => null });
}

class PacedStream extends TestStream {
  override injectRequestData(filter: HttpFilter, chunk: Uint8Array, end: boolean): void {
    this.injectResponseData(filter, chunk, end);
  }

  injectResponseTrailers(_filter: HttpFilter, trailers: Headers): void {
    this.events.push(...lines(trailers));
  }

  onRequestAboveHighWatermark(): void {
    this.events.push('client waits');
  }

  onRequestBelowLowWatermark(): void {
    this.events.push('client goes on');
  }
}

let worlds = 0;

function world(settings: Settings) {
  const context = filterContext();
  // Each has a bucket of its own.
  const data = decoded(settings, new Reasons(`bandwidth${worlds++}`));
  context.clock.now = 1000;
  const stream = new PacedStream(context, request());
  return { context, stream, filter: bandwidthLimitBuilder.build(data, context).create() };
}

const kib = (count: number) => new Uint8Array(1024 * count);
const both = BandwidthLimit_EnableMode.REQUEST_AND_RESPONSE;

test('what there is room for passes at once, and the rest as room comes', () => {
  const { context, stream, filter } = world({ enableMode: both, limitKbps: 1n, fillInterval: { nanos: 500_000_000 } });
  filter.onRequestHead!(stream, stream.requestHead, true);
  filter.onResponseHead!(stream, response(), false);
  expect(filter.onResponseData!(stream, kib(2), true)).toBe(Verdict.Take);
  expect(stream.events.splice(0)).toEqual(['data 1024']);
  stream.timers.pass(500);
  expect(stream.events.splice(0)).toEqual(['data 512']);
  stream.timers.pass(500);
  expect(stream.events).toEqual(['data 512 end']);
  expect(context.stats.used).toMatchObject({
    'p.http_bandwidth_limit.response_enabled': 1,
    'p.http_bandwidth_limit.response_enforced': 2,
    'p.http_bandwidth_limit.response_allowed_total_size': 2048,
    'p.http_bandwidth_limit.request_enabled': 1,
  });
});

test('a client that sends more than may be held waits, and trailers wait for the body', () => {
  const { stream, filter } = world({ enableMode: both, limitKbps: 1n, fillInterval: { seconds: 1n } });
  stream.bufferLimit = 100;
  filter.onRequestHead!(stream, stream.requestHead, false);
  filter.onRequestData!(stream, kib(2), false);
  expect(filter.onRequestTrailers!(stream, new Headers())).toBe(Verdict.Stop);
  stream.timers.pass(1000);
  expect(stream.events).toEqual(['data 1024', 'client waits', 'client goes on', 'data 1024', 'resume request']);
});

test('trailers tell how long it took', () => {
  const { stream, filter } = world({
    enableMode: BandwidthLimit_EnableMode.RESPONSE,
    limitKbps: 1n,
    fillInterval: { seconds: 1n },
    enableResponseTrailers: true,
    responseTrailerPrefix: 'X',
  });
  filter.onRequestHead!(stream, stream.requestHead, true);
  filter.onResponseHead!(stream, response(), false);
  filter.onResponseData!(stream, kib(2), true);
  stream.timers.pass(1000);
  expect(stream.events).toEqual([
    'data 1024',
    'data 1024',
    'x-bandwidth-response-delay-ms: 1000',
    'x-bandwidth-response-filter-delay-ms: 1000',
  ]);
});

test('a stream that ends early leaves nothing behind', () => {
  const { context, stream, filter } = world({ enableMode: both, limitKbps: 1n });
  filter.onResponseHead!(stream, response(), false);
  filter.onResponseData!(stream, kib(3), true);
  filter.onComplete!(stream);
  expect(stream.timers.size).toBe(0);
  expect(context.stats.used['p.http_bandwidth_limit.response_pending']).toBeUndefined();
});

test('a route needs a limit', () => {
  const reasons = new Reasons('typed_per_filter_config[own]');
  decoded({}, reasons);
  expect(reasons.list.map(({ message }) => message)).toEqual(['limit must be set for per route filter config']);
});
