import type { JsonObject } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { OpenTelemetryTracer } from '../../../../src/observe/trace/opentelemetry-tracer.ts';
import type { Span } from '../../../../src/observe/trace/span.ts';
import { RemoteConnectionFailure } from '../../../../src/core/failures.ts';
import type { Setting } from '../http/world.ts';
import { fieldOf, HttpWorld, request, response, trusted } from '../http/world.ts';

const provider = { name: 'p' };

class TracedWorld extends HttpWorld {
  readonly spans: Span[];

  constructor(tracing: JsonObject = {}, setting: Setting = {}) {
    const spans: Span[] = [];
    const data = { kind: 'opentelemetry', service: null, resource: [], sampler: null, spansMax: 1 } as const;
    const tracer = new OpenTelemetryTracer(data, { report: (span) => void spans.push(span) });
    const hcm = { generateRequestId: true, ...setting.hcm, tracing: { provider, ...tracing } };
    super({ ...setting, tracer, hcm });
    this.spans = spans;
  }

  get named(): Record<string, string>[] {
    return this.spans.map(({ tags, name }) => ({
      name,
      ...Object.fromEntries(tags.flatMap((key, i) => (i % 2 === 0 ? [[key, tags[i + 1]]] : []))),
    }));
  }
}

const decorated = '- { match: { prefix: / }, decorator: { operation: op }, route: { cluster: c } }';

describe('a stream', () => {
  test('has a span, and its upstream is told of it', () => {
    const world = new TracedWorld();
    world.send(request('GET /p?q', ['user-agent: me']));
    const told = fieldOf(world.upstream.written, 'traceparent')!;
    world.upstream.receive(response(200, 'hello'));
    const [span] = world.spans;
    expect(told).toBe(`00-${span.traceId}-${span.id}-01`);
    expect(world.named).toEqual([
      expect.objectContaining({
        name: 'ingress',
        'http.url': 'http://a/p?q',
        user_agent: 'me',
        response_size: '5',
        'http.status_code': '200',
        upstream_cluster: 'c',
        'peer.address': '127.0.0.1',
      }),
    ]);
    expect(world.hcmStats).toMatchObject({ 'tracing.random_sampling': 1 });
  });

  test('that is not sampled is told of, and reported nowhere', () => {
    const world = new TracedWorld({ randomSampling: { value: 0 } });
    world.send(request());
    world.upstream.receive(response());
    expect(fieldOf(world.upstream.written, 'traceparent')).toMatch(/-00$/);
    expect([world.spans, world.stat('http.p.tracing.not_traceable')]).toEqual([[], 1]);
  });

  test('is forced by a service, and its id says so', () => {
    const world = new TracedWorld({ randomSampling: { value: 0 } }, { hcm: trusted });
    world.send(request('GET /', ['x-envoy-force-trace: 1']));
    world.upstream.receive(response());
    expect(fieldOf(world.upstream.written, 'x-request-id')![14]).toBe('a');
    expect([world.spans.length, world.stat('http.p.tracing.service_forced')]).toEqual([1, 1]);
  });

  test('without an id is not traced', () => {
    const world = new TracedWorld({}, { hcm: { generateRequestId: false } });
    world.send(request());
    world.upstream.receive(response());
    expect([world.spans, world.stat('http.p.tracing.not_traceable')]).toEqual([[], 1]);
  });

  test('is told nothing of by who keeps the context to himself', () => {
    const world = new TracedWorld({ noContextPropagation: true });
    world.send(request());
    expect(fieldOf(world.upstream.written, 'traceparent')).toBeUndefined();
  });
});

describe('a name', () => {
  const answered = (setting: Setting, headers: string[] = [], answer: string[] = []) => {
    const world = new TracedWorld({}, { routes: decorated, ...setting });
    const client = world.send(request('GET /', headers));
    world.upstream.receive(response(200, 'x', answer));
    const field = 'x-envoy-decorator-operation';
    return [world.named[0]['name'], fieldOf(world.upstream.written, field), fieldOf(client.written, field)];
  };

  test('of a route is told to the client of what comes in', () => {
    expect(answered({})).toEqual(['op', undefined, 'op']);
  });

  test('that the client tells wins there', () => {
    expect(answered({ hcm: trusted }, ['x-envoy-decorator-operation: told'])).toEqual(['told', undefined, undefined]);
  });

  test('of a route is told to the upstream of what goes out, whose own wins', () => {
    const out = { trafficDirection: 'OUTBOUND' } as const;
    expect(answered(out)).toEqual(['op', 'op', undefined]);
    expect(answered(out, [], ['x-envoy-decorator-operation: own'])).toEqual(['own', 'op', undefined]);
  });

  test('is kept by a route that says so', () => {
    const routes = decorated.replace('operation: op', 'operation: op, propagate: false');
    expect(answered({ routes })).toEqual(['op', undefined, undefined]);
  });
});

describe('a try', () => {
  const retrying =
    '- { match: { prefix: / }, route: { cluster: c, retryPolicy: { retryOn: "5xx,connect-failure", numRetries: 1 } } }';

  test('has a span below that of its stream', () => {
    const world = new TracedWorld({ spawnUpstreamSpan: true });
    world.send(request());
    const told = fieldOf(world.upstream.written, 'traceparent')!;
    world.upstream.receive(response());
    const [upstream, stream] = world.spans;
    expect(told).toBe(`00-${stream.traceId}-${upstream.id}-01`);
    expect(upstream.parentId).toBe(stream.id);
    expect(world.named[0]).toMatchObject({
      name: 'router c egress',
      'http.protocol': 'HTTP/1.1',
      'http.status_code': '200',
    });
  });

  test('that is repeated says which it is', () => {
    const world = new TracedWorld({ spawnUpstreamSpan: true }, { routes: retrying });
    world.send(request());
    world.upstream.receive(response(503, 'no'));
    world.advance(100);
    world.accept().receive(response());
    expect(world.named.map((tags) => [tags['retry.count'], tags['http.status_code'], tags['canceled']])).toEqual([
      [undefined, '503', 'true'],
      ['1', '200', undefined],
      [undefined, '200', undefined],
    ]);
  });

  test('whose host is not there says why', () => {
    const world = new TracedWorld({}, { router: { startChildSpan: true } });
    world.send(request());
    world.refuse(RemoteConnectionFailure);
    expect(world.named[0]).toMatchObject({
      error: 'true',
      'error.reason': 'remote connection failure',
      'http.protocol': '-',
      'http.status_code': '0',
      response_flags: 'UF',
    });
  });
});
