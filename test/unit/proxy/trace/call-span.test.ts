import { expect, test } from 'vitest';
import { RemoteConnectionFailure } from '../../../../src/core/failures.ts';
import { HttpVersion, ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { CallTrace } from '../../../../src/filter/call-outs.ts';
import { Span, SpanKind } from '../../../../src/observe/trace/span.ts';
import { grpcSpan, httpSpan } from '../../../../src/proxy/trace/call-span.ts';
import { hostData, World } from '../../cluster/cluster-fixture.ts';

const identity = { traceId: 't', id: 'i', parentId: 'p', kind: SpanKind.Client, isShared: false, state: '' };

class Calls implements CallTrace {
  readonly ended: Span[] = [];

  beginCall(name: string): Span {
    return new Span(identity, name, true, 0);
  }

  tell(span: Span, headers: Headers): void {
    headers.add('told', span.name);
  }

  endCall(span: Span): void {
    this.ended.push(span);
  }

  get tags(): Record<string, string>[] {
    return this.ended.map(({ tags }) =>
      Object.fromEntries(tags.flatMap((key, i) => (i % 2 === 0 ? [[key, tags[i + 1]]] : []))),
    );
  }
}

const world = new World();
const cluster = world.cluster({ name: 'c', statName: 's', hosts: [hostData('10.0.0.1')] });
const host = cluster.pick({ random: 0, hash: null, rejects: () => false, hostSelectionAttempts: 0 })!;

test('nothing is told where nothing is traced', () => {
  expect([httpSpan(null, cluster, new Headers()), grpcSpan(null, '/a.S/M', cluster, '')]).toEqual([null, null]);
});

test('a call over HTTP', () => {
  const calls = new Calls();
  const headers = new Headers();
  const span = httpSpan(calls, cluster, headers)!;
  expect(headers.get('told')).toBe('async c egress');
  span.watching.onReached!(host, HttpVersion.Http2);
  let words = '';
  span.answered(new ResponseHead(403, new Headers()), (text) => (words = text));
  span.cancelable({ cancel: () => {} }).cancel();
  expect(words).toBe('Forbidden');
  expect(calls.tags).toEqual([
    {
      'http.protocol': 'HTTP/2',
      upstream_address: '10.0.0.1:80',
      'peer.address': '10.0.0.1:80',
      component: 'proxy',
      upstream_cluster: 'c',
      'upstream_cluster.name': 's',
      'http.status_code': '403',
      response_flags: '-',
      canceled: 'true',
    },
  ]);
});

test('a call that fails', () => {
  const calls = new Calls();
  const span = httpSpan(calls, cluster, new Headers())!;
  span.watching.onBroken!(RemoteConnectionFailure, host);
  let words = '';
  span.failed((text) => (words = text));
  expect(words).toBe('Service Unavailable');
  expect(calls.tags[0]).toMatchObject({ 'http.status_code': '503', response_flags: 'UF', error: 'true' });
});

test('calls by gRPC', () => {
  const calls = new Calls();
  const span = grpcSpan(calls, '/a.b.Service/Method', cluster, 'authority')!;
  expect(span.told).toEqual([['told', 'async a.b.Service.Method egress']]);
  span.status(14);
  span.end();
  span.end();
  const left = grpcSpan(calls, '/S/M', cluster, '')!;
  let isCanceled = false;
  left.cancelable({ cancel: () => (isCanceled = true) }).cancel();
  expect(isCanceled).toBe(true);
  expect(calls.tags).toEqual([
    {
      upstream_cluster: 'c',
      upstream_address: 'authority',
      component: 'proxy',
      'grpc.status_code': '14',
      error: 'true',
    },
    { upstream_cluster: 'c', upstream_address: 'c', component: 'proxy', status: 'canceled' },
  ]);
});
