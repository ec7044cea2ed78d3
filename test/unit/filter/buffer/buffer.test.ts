import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { bufferBuilder } from '../../../../src/filter/buffer/build.ts';
import { bufferDecoder, bufferPerRouteDecoder } from '../../../../src/filter/buffer/decode.ts';
import { Verdict } from '../../../../src/filter/filter.ts';
import {
  BufferPerRouteSchema,
  BufferSchema,
} from '../../../../src/proto/envoy/extensions/filters/http/buffer/v3/buffer_pb.js';
import { filterContext, lines, request, TestStream } from '../filter-fixture.ts';

const nothing = { open: () => null };
const bytes = (text: string) => new TextEncoder().encode(text);

function world(perRoute?: unknown) {
  const message = create(BufferSchema, { maxRequestBytes: 10 });
  const data = bufferDecoder.decode(toBinary(BufferSchema, message), new Reasons(), nothing);
  const context = filterContext();
  const stream = new TestStream(context, request());
  if (perRoute !== undefined) stream.configs = [perRoute];
  return { stream, filter: bufferBuilder.build(data, context).create() };
}

test('the head waits for the body, and gets its length', () => {
  const { stream, filter } = world();
  expect(filter.onRequestHead!(stream, stream.requestHead, false)).toBe(Verdict.StopAndBuffer);
  expect(stream.requestBytesMax).toBe(10);
  expect(filter.onRequestData!(stream, bytes('ab'), false)).toBe(Verdict.StopAndBuffer);
  expect(filter.onRequestData!(stream, bytes('c'), true)).toBe(Verdict.Continue);
  expect(lines(stream.requestHead.headers)).toEqual(['content-length: 3']);
});

test('trailers end it too; a length that is there stays', () => {
  const { stream, filter } = world();
  stream.requestHead.headers.add('content-length', '2');
  filter.onRequestHead!(stream, stream.requestHead, false);
  filter.onRequestData!(stream, bytes('ab'), false);
  expect(filter.onRequestTrailers!(stream, stream.requestHead.headers)).toBe(Verdict.Continue);
  expect(lines(stream.requestHead.headers)).toEqual(['content-length: 2']);
});

test('a route has it otherwise, or not at all', () => {
  const perRoute = (override: Parameters<typeof create<typeof BufferPerRouteSchema>>[1]) =>
    bufferPerRouteDecoder.decode(
      toBinary(BufferPerRouteSchema, create(BufferPerRouteSchema, override)),
      new Reasons(),
      nothing,
    );
  const more = world(perRoute({ override: { case: 'buffer', value: { maxRequestBytes: 20 } } }));
  more.filter.onRequestHead!(more.stream, more.stream.requestHead, false);
  expect(more.stream.requestBytesMax).toBe(20);
  const off = world(perRoute({ override: { case: 'disabled', value: true } }));
  expect(off.filter.onRequestHead!(off.stream, off.stream.requestHead, false)).toBe(Verdict.Continue);
  expect(off.filter.onRequestData!(off.stream, bytes('x'), false)).toBe(Verdict.Continue);
  expect(off.filter.onRequestTrailers!(off.stream, off.stream.requestHead.headers)).toBe(Verdict.Continue);
});
