import { expect, test } from 'vitest';
import { Headers } from '../../../../src/core/headers.ts';
import {
  readB3,
  readB3Sampled,
  readTraceparent,
  readTracestate,
  setLast,
  traceparentOf,
  unreadable,
} from '../../../../src/observe/trace/trace-context.ts';

const trace = '463ac35c9f6413ad48485a3953bb6124';
const id = 'a2fb4a1d1a96d312';

test.each([
  [`00-${trace}-${id}-01`, { traceId: trace, spanId: id, parentId: '', isSampled: true }],
  [`00-${trace.toUpperCase()}-${id}-02`, { traceId: trace, spanId: id, parentId: '', isSampled: false }],
  [`00-${trace}-${id}`, unreadable],
  [`00-${'0'.repeat(32)}-${id}-01`, unreadable],
  [`00-${trace}-${'0'.repeat(16)}-01`, unreadable],
  [`00-${trace}-${id}-01-more`, unreadable],
  ['', unreadable],
])('traceparent %s', (text, expected) => {
  expect(readTraceparent(Headers.of(['traceparent', text]))).toEqual(expected);
});

test('nothing is told by nothing', () => {
  expect([readTraceparent(new Headers()), readB3(new Headers()), readB3Sampled(new Headers())]).toEqual([
    null,
    null,
    null,
  ]);
  expect(readTracestate(new Headers())).toBe('');
});

test('states are joined', () => {
  expect(readTracestate(Headers.of(['tracestate', 'a=b'], ['tracestate', 'c=d']))).toBe('a=b,c=d');
});

test('short trace ids are filled up', () => {
  expect(traceparentOf(id, id, false)).toBe(`00-0000000000000000${id}-${id}-00`);
});

test.each([
  ['0', false, null],
  ['1', true, null],
  ['d', true, null],
  ['x', null, unreadable],
  ['xyz', null, unreadable],
  [`${trace}-${id}`, null, { traceId: trace, spanId: id, parentId: '' }],
  [`${trace}-${id}-1`, true, { traceId: trace, spanId: id, parentId: '' }],
  [`${id}-${id}-0`, false, { traceId: id, spanId: id, parentId: '' }],
  [`${id}-${id}-d-${id}`, true, { traceId: id, spanId: id, parentId: id }],
  [`${trace}-${id}-1-${id}`, true, { traceId: trace, spanId: id, parentId: id }],
])('b3: %s', (text, isSampled, context) => {
  const headers = Headers.of(['b3', text]);
  expect([readB3Sampled(headers), readB3(headers)]).toEqual([isSampled, context]);
});

test('several fields of B3', () => {
  const of = (traceId: string, more: [string, string][] = []): Headers =>
    Headers.of(['x-b3-traceid', traceId], ['x-b3-spanid', id], ...more);
  expect(readB3(of('ABC'))).toEqual({ traceId: '0000000000000abc', spanId: id, parentId: '' });
  expect(readB3(of(trace, [['x-b3-parentspanid', '1']]))).toMatchObject({
    traceId: trace,
    parentId: '0000000000000001',
  });
  expect([readB3(of('zz')), readB3(of(id, [['x-b3-parentspanid', 'zz']]))]).toEqual([unreadable, unreadable]);
  expect(readB3(Headers.of(['x-b3-traceid', id]))).toBeNull();
  const sampled = ['1', 'true', '0', 'd'].map((text) => readB3Sampled(Headers.of(['x-b3-sampled', text])));
  expect(sampled).toEqual([true, true, false, false]);
});

test('what is written goes last', () => {
  const headers = Headers.of(['b', '1'], ['a', '2']);
  setLast(headers, 'b', '3');
  expect(headers.names).toEqual(['a', 'b']);
});
