import { describe, expect, test } from 'vitest';
import { HttpVersion, RequestHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { OpenTelemetryTracer } from '../../../../src/observe/trace/opentelemetry-tracer.ts';
import { RandomIds } from '../../../../src/observe/trace/random-ids.ts';
import { SpanKind, type Span } from '../../../../src/observe/trace/span.ts';
import type { OpenTelemetryData, SamplerData, ZipkinData } from '../../../../src/observe/trace/trace-data.ts';
import type { SpanBeginning } from '../../../../src/observe/trace/tracer.ts';
import { ZipkinTracer } from '../../../../src/observe/trace/zipkin-tracer.ts';

const zipkinData: ZipkinData = {
  kind: 'zipkin',
  collector: { cluster: 'c', authority: 'c', path: '/', timeoutMs: 0, headers: [] },
  encoding: 'json',
  longTraceIds: false,
  timestampTraceIds: false,
  sharesContext: true,
  splitsSpans: false,
  speaksW3c: false,
};
const otlpData: OpenTelemetryData = { kind: 'opentelemetry', service: null, resource: [], sampler: null, spansMax: 9 };

/** 0000000000000001, 0000000000000002 … */
function countedIds(): RandomIds {
  let next = 0;
  return new RandomIds((bytes) => {
    for (let at = 0; at < bytes.length; at += 8) bytes.set([0, 0, 0, 0, 0, 0, ++next >> 8, next & 255], at);
  });
}

const reported: Span[] = [];
const reporter = { report: (span: Span) => void reported.push(span) };

function request(...headers: [string, string][]): RequestHead {
  return new RequestHead('GET', 'host.test', '/', HttpVersion.Http11, Headers.of(...headers));
}

const beginning = (change: Partial<SpanBeginning> = {}): SpanBeginning => ({
  name: 'ingress',
  isTraced: true,
  isEgress: false,
  spawnsUpstreamSpan: false,
  startEpochMs: 5,
  ...change,
});

const b3: [string, string][] = [
  ['x-b3-traceid', 'aaaaaaaaaaaaaaaa'],
  ['x-b3-spanid', 'bbbbbbbbbbbbbbbb'],
  ['x-b3-parentspanid', 'cccccccccccccccc'],
];

describe('Zipkin', () => {
  const start = (data: Partial<ZipkinData>, head: RequestHead, change: Partial<SpanBeginning> = {}): Span | null =>
    new ZipkinTracer({ ...zipkinData, ...data }, reporter, countedIds()).start(head, beginning(change));

  test('the first of a trace has the trace as its id', () => {
    const span = start({}, request())!;
    expect([span.traceId, span.id, span.parentId, span.kind]).toEqual([
      span.id,
      '0000000000000001',
      '',
      SpanKind.Server,
    ]);
    expect(start({ longTraceIds: true }, request())!.traceId).toBe('00000000000000020000000000000001');
    expect([span.name, span.isShared, span.isSampled]).toEqual(['host.test', true, true]);
  });

  test('trace ids may begin with the second', () => {
    const seconds = parseInt(
      start({ longTraceIds: true, timestampTraceIds: true }, request())!.traceId.slice(0, 8),
      16,
    );
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(5);
  });

  test('a server shares its span with its client, unless told otherwise', () => {
    expect(start({}, request(...b3))).toMatchObject({
      id: 'bbbbbbbbbbbbbbbb',
      parentId: 'cccccccccccccccc',
      isShared: true,
    });
    const below = {
      traceId: 'aaaaaaaaaaaaaaaa',
      id: '0000000000000001',
      parentId: 'bbbbbbbbbbbbbbbb',
      isShared: false,
    };
    expect(start({ sharesContext: false }, request(...b3))).toMatchObject({ ...below, kind: SpanKind.Server });
    expect(start({}, request(...b3), { isEgress: true })).toMatchObject({ ...below, kind: SpanKind.Client });
    expect(start({ splitsSpans: true }, request(...b3), { isEgress: true })).toMatchObject({ isShared: true });
  });

  test('what the request says of sampling counts', () => {
    const sampled = (isTraced: boolean, ...more: [string, string][]): boolean =>
      start({}, request(...b3, ...more), { isTraced })!.isSampled;
    expect([sampled(true), sampled(false), sampled(true, ['x-b3-sampled', '0'])]).toEqual([true, false, false]);
    expect(sampled(false, ['x-b3-sampled', '1'])).toBe(true);
    expect(start({}, request(['b3', 'bad']))).toBeNull();
  });

  test('W3C is read where B3 says nothing, and written beside it', () => {
    const head = request(['traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`]);
    expect(start({}, head)!.traceId).toBe('0000000000000001');
    const tracer = new ZipkinTracer({ ...zipkinData, speaksW3c: true, sharesContext: false }, reporter, countedIds());
    const span = tracer.start(head, beginning())!;
    expect(span).toMatchObject({ traceId: 'a'.repeat(32), parentId: 'b'.repeat(16), isSampled: false });
    tracer.inject(span, head);
    expect(Object.fromEntries(head.headers.names.map((name, i) => [name, head.headers.values[i]]))).toEqual({
      'x-b3-traceid': 'a'.repeat(32),
      'x-b3-spanid': span.id,
      'x-b3-parentspanid': 'b'.repeat(16),
      'x-b3-sampled': '0',
      traceparent: `00-${'a'.repeat(32)}-${span.id}-00`,
    });
    expect(tracer.child(span, 'try', 7)).toMatchObject({ parentId: span.id, kind: SpanKind.Client, isSampled: false });
    tracer.report(span);
    expect(reported.pop()).toBe(span);
  });
});

describe('OpenTelemetry', () => {
  const parent = (flags: string): [string, string] => [
    'traceparent',
    `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}`,
  ];
  const tracerOf = (sampler: SamplerData | null): OpenTelemetryTracer =>
    new OpenTelemetryTracer({ ...otlpData, sampler }, reporter, countedIds());
  const sampled = (sampler: SamplerData | null, isTraced: boolean, ...headers: [string, string][]): boolean =>
    tracerOf(sampler).start(request(...headers), beginning({ isTraced }))!.isSampled;

  test('kinds are by who waits for whom', () => {
    const kind = (change: Partial<SpanBeginning>): number => tracerOf(null).start(request(), beginning(change))!.kind;
    expect(kind({})).toBe(SpanKind.Server);
    expect(kind({ isEgress: true })).toBe(SpanKind.Client);
    expect(kind({ isEgress: true, spawnsUpstreamSpan: true })).toBe(SpanKind.Server);
  });

  test('a parent decides, and its state goes on', () => {
    expect([sampled(null, true), sampled(null, false)]).toEqual([true, false]);
    expect([sampled(null, true, parent('00')), sampled(null, true, parent('01'))]).toEqual([false, true]);
    expect(sampled(null, false, parent('01'))).toBe(false);
    const head = request(parent('01'), ['tracestate', 'a=b']);
    const tracer = tracerOf(null);
    const span = tracer.start(head, beginning())!;
    const child = tracer.child(span, 'try', 7);
    tracer.inject(child, head);
    expect([head.headers.get('traceparent'), head.headers.get('tracestate')]).toEqual([
      `00-${'a'.repeat(32)}-${child.id}-01`,
      'a=b',
    ]);
    tracer.report(child);
    expect(reported.pop()).toBe(child);
    expect(tracer.start(request(['traceparent', 'bad']), beginning())).toBeNull();
  });

  test('samplers', () => {
    const always: SamplerData = { kind: 'always-on' };
    const never: SamplerData = { kind: 'ratio', numerator: 0, denominator: 100 };
    const half: SamplerData = { kind: 'ratio', numerator: 1, denominator: 2 };
    expect([sampled(always, true, parent('00')), sampled(always, false), sampled(never, true)]).toEqual([
      true,
      false,
      false,
    ]);
    // The lower half of the trace's id is 0xaaaa…, two thirds of all.
    expect([sampled(half, true, parent('01')), sampled(half, true)]).toEqual([false, true]);
    const byParent: SamplerData = { kind: 'parent', root: never };
    expect([sampled(byParent, true, parent('01')), sampled(byParent, true)]).toEqual([true, false]);
  });
});

test('ids are of 16 digits, and never the same', () => {
  const ids = new RandomIds();
  const many = new Set(Array.from({ length: 1000 }, () => ids.take()));
  expect(many.size).toBe(1000);
  expect([...many].every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
});
