import type { Headers } from '../../core/headers.ts';

/** What a request says of the trace that it belongs to. */
export interface TraceContext {
  /** 16 or 32 hexadecimal digits, lower-case. */
  readonly traceId: string;
  /** 16 digits: the span that the request was sent by. */
  readonly spanId: string;
  /** 16 digits; empty: not told. */
  readonly parentId: string;
}

/** It tells of a trace in words that cannot be read: the request is not traced here. */
export const unreadable = 'unreadable';

const longForm = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/i;
const zeros = /^0+$/;
const hex = /^[0-9a-f]{1,16}$/i;
const long = /^[0-9a-f]{32}$/i;

export interface W3cContext extends TraceContext {
  readonly isSampled: boolean;
}

/** W3C's `traceparent`. Null: there is none. */
export function readTraceparent(headers: Headers): W3cContext | typeof unreadable | null {
  const text = headers.get('traceparent');
  if (text === undefined) return null;
  const parts = longForm.exec(text);
  if (parts === null || zeros.test(parts[1]) || zeros.test(parts[2])) return unreadable;
  return {
    traceId: parts[1].toLowerCase(),
    spanId: parts[2].toLowerCase(),
    parentId: '',
    isSampled: (parseInt(parts[3], 16) & 1) === 1,
  };
}

/** `tracestate` as it came, joined. */
export function readTracestate(headers: Headers): string {
  return headers.has('tracestate') ? headers.getAll('tracestate').join(',') : '';
}

export function traceparentOf(traceId: string, spanId: string, isSampled: boolean): string {
  return `00-${traceId.padStart(32, '0')}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** What B3 says of sampling, in one field or in `x-b3-sampled`. Null: nothing. */
export function readB3Sampled(headers: Headers): boolean | null {
  const single = headers.get('b3');
  if (single !== undefined) return singleSampled(single);
  const sampled = headers.get('x-b3-sampled');
  return sampled === undefined ? null : sampled === '1' || sampled === 'true';
}

/** By length: where in a single `b3` field the decision stands. Of a trace id of 16 and of 32 digits, with a parent and without. */
const decisionAt = new Map([
  [1, 0],
  [35, 34],
  [52, 34],
  [51, 50],
  [68, 50],
]);

function singleSampled(text: string): boolean | null {
  const at = decisionAt.get(text.length);
  if (at === undefined || (at > 0 && text[at - 1] !== '-')) return null;
  return text[at] === '1' || text[at] === 'd' ? true : text[at] === '0' ? false : null;
}

/** B3's ids, in one field or in several. Null: there are none. */
export function readB3(headers: Headers): TraceContext | typeof unreadable | null {
  const single = headers.get('b3');
  if (single !== undefined) return readSingle(single);
  const traceId = headers.get('x-b3-traceid');
  const spanId = headers.get('x-b3-spanid');
  if (traceId === undefined || spanId === undefined) return null;
  return contextOf(traceId, spanId, headers.get('x-b3-parentspanid') ?? '');
}

const singleForm = /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d]))?(?:-([0-9a-f]{16}))?$/i;

function readSingle(text: string): TraceContext | typeof unreadable | null {
  // A decision alone.
  if (text.length === 1) return text === '0' || text === '1' || text === 'd' ? null : unreadable;
  const parts = singleForm.exec(text);
  return parts === null ? unreadable : contextOf(parts[1], parts[2], parts[4] ?? '');
}

function contextOf(traceId: string, spanId: string, parentId: string): TraceContext | typeof unreadable {
  if (!hex.test(spanId) || !(hex.test(traceId) || long.test(traceId))) return unreadable;
  if (parentId !== '' && !hex.test(parentId)) return unreadable;
  return { traceId: whole(traceId), spanId: whole(spanId), parentId: parentId === '' ? '' : whole(parentId) };
}

function whole(id: string): string {
  return id.toLowerCase().padStart(16, '0');
}

/** Written last, where Envoy writes it. */
export function setLast(headers: Headers, name: string, value: string): void {
  headers.remove(name);
  headers.add(name, value);
}
