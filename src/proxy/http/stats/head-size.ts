import type { RequestHead, ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';

// Envoy's logs call these header bytes. Its HTTP/1 codec counts a received field as name, value and three bytes, a sent
// one as name, value and four; start lines do not count.
const receivedFieldExtra = 3;
const sentFieldExtra = 4;
const hostName = 'host'.length;

export function requestHeadSize(head: RequestHead): number {
  return requestSize(head, receivedFieldExtra);
}

/** A request's, as it goes to the upstream. */
export function sentHeadSize(head: RequestHead): number {
  return requestSize(head, sentFieldExtra);
}

function requestSize(head: RequestHead, extra: number): number {
  const host = head.hasAuthority ? hostName + head.authority.length + extra : 0;
  return host + fieldsSize(head.headers, extra);
}

/** `end`: no body follows. With the field that HTTP/1.1's encoder adds, which tells where the body ends. */
export function responseHeadSize(head: ResponseHead, end: boolean, method: string): number {
  return fieldsSize(head.headers, sentFieldExtra) + framingSize(head, end, method);
}

const noBody = 'content-length'.length + '0'.length + sentFieldExtra;
const inChunks = 'transfer-encoding'.length + 'chunked'.length + sentFieldExtra;

function framingSize({ status, headers }: ResponseHead, end: boolean, method: string): number {
  if (status < 200 || status === 204 || headers.has('content-length')) return 0;
  if (method === 'CONNECT' && status < 300) return 0;
  if (!end) return inChunks;
  return method === 'HEAD' || status === 304 ? 0 : noBody;
}

/** A response's, as it comes from the upstream. */
export function receivedHeadSize(head: ResponseHead): number {
  return fieldsSize(head.headers, receivedFieldExtra);
}

function fieldsSize({ names, values }: Headers, extra: number): number {
  let size = 0;
  for (let i = 0; i < names.length; i++) size += names[i].length + values[i].length + extra;
  return size;
}
