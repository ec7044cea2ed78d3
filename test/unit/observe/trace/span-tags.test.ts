import { expect, test } from 'vitest';
import { HttpVersion, RequestHead, ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';
import { Span, SpanKind } from '../../../../src/observe/trace/span.ts';
import { annotate, tagCustom, tagDownstream } from '../../../../src/observe/trace/span-tags.ts';

const identity = { traceId: 'a', id: 'b', parentId: '', kind: SpanKind.Server, isShared: false, state: '' };
const spanOf = (): Span => new Span(identity, 'n', true, 100);

function tagsOf({ tags }: Span): Record<string, string> {
  return Object.fromEntries(tags.flatMap((key, i) => (i % 2 === 0 ? [[key, tags[i + 1]]] : [])));
}

test('the last value of a tag counts, and its place is the first', () => {
  const span = spanOf();
  span.tag('a', '1');
  span.tag('b', '2');
  span.tag('a', '3');
  expect(span.tags).toEqual(['a', '3', 'b', '2']);
});

test('a stream that never had an answer is an error', () => {
  const span = spanOf();
  tagDownstream(span, new Outcome(), 256);
  expect(tagsOf(span)).toEqual({
    request_size: '0',
    response_size: '0',
    component: 'proxy',
    'http.status_code': '0',
    response_flags: '-',
    error: 'true',
  });
});

test('gRPC requests and their statuses are told', () => {
  const span = spanOf();
  const outcome = new Outcome();
  const headers = Headers.of(['content-type', 'application/grpc'], ['x-envoy-original-path', '/before/that']);
  outcome.requestHead = new RequestHead('POST', 'h', '/S/M', HttpVersion.Http2, headers);
  outcome.requestHead.scheme = 'https';
  outcome.responseCode = 200;
  outcome.responseHead = new ResponseHead(200, new Headers());
  outcome.responseTrailers = Headers.of(['grpc-status', '14'], ['grpc-message', 'gone']);
  tagDownstream(span, outcome, 7);
  expect(tagsOf(span)).toMatchObject({
    'http.url': 'https://h/before',
    'grpc.path': '/S/M',
    'grpc.authority': 'h',
    'grpc.content_type': 'application/grpc',
    'grpc.status_code': '14',
    'grpc.message': 'gone',
    error: 'true',
  });
});

test('empty values are no tags', () => {
  const span = spanOf();
  tagCustom(
    span,
    [
      { tag: 'a', value: () => '' },
      { tag: 'b', value: () => 'x' },
    ],
    new Outcome(),
  );
  expect(span.tags).toEqual(['b', 'x']);
});

test('only what has happened is annotated', () => {
  const outcome = new Outcome();
  Object.assign(outcome, { startEpochMs: 1000, startMs: 10, requestEndMs: 12, endMs: 20 });
  const [span, ofTry] = [spanOf(), spanOf()];
  annotate(span, outcome, false);
  annotate(ofTry, outcome, true);
  expect([span.events, ofTry.events]).toEqual([[{ name: 'last_downstream_rx_byte_received', epochMs: 1002 }], []]);
});
