import { expect, test } from 'vitest';
import { Headers } from '../../src/core/headers.ts';
import {
  readB3,
  readB3Sampled,
  readTraceparent,
  traceparentOf,
  unreadable,
} from '../../src/observe/trace/trace-context.ts';
import { drawOf, reasonIn, withReason, type TraceReason } from '../../src/observe/trace/trace-reason.ts';
import * as fc from './chance.ts';

const hex = (length: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: length, maxLength: length })
    .map((digits) => digits.map((digit) => digit.toString(16)).join(''))
    .filter((id) => !/^0+$/.test(id));

test('what is told in W3C’s words is read as it was meant', () => {
  fc.assert(
    fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, isSampled) => {
      const headers = Headers.of(['traceparent', traceparentOf(traceId, spanId, isSampled)]);
      expect(readTraceparent(headers)).toEqual({ traceId, spanId, parentId: '', isSampled });
    }),
  );
});

test('B3 in one field says what it says in several', () => {
  fc.assert(
    fc.property(fc.oneof(hex(16), hex(32)), hex(16), hex(16), fc.boolean(), (traceId, spanId, parentId, isSampled) => {
      const decision = isSampled ? '1' : '0';
      const one = Headers.of(['b3', `${traceId}-${spanId}-${decision}-${parentId}`]);
      const several = Headers.of(
        ['x-b3-traceid', traceId],
        ['x-b3-spanid', spanId],
        ['x-b3-parentspanid', parentId],
        ['x-b3-sampled', decision],
      );
      expect([readB3(one), readB3Sampled(one)]).toEqual([readB3(several), readB3Sampled(several)]);
    }),
  );
});

test('whatever else stands there is nothing, or unreadable', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect([null, unreadable]).toContain(readB3(Headers.of(['b3', text])));
      expect(readTraceparent(Headers.of(['traceparent', text]))).toBe(unreadable);
      expect(drawOf(text)).toBe(/^[0-9a-f]{8}/i.test(text) ? parseInt(text.slice(0, 8), 16) % 10_000 : -1);
    }),
  );
});

test('a reason that is written into an id is read from it', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.integer({ min: 0, max: 3 }), (id, reason) => {
      expect(reasonIn(withReason(id, reason as TraceReason))).toBe(reason);
    }),
  );
});
