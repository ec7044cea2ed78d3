import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';

/** Lengths of the names of the pseudo-headers that Envoy counts. */
const methodName = ':method'.length;
const pathName = ':path'.length;
const authorityName = ':authority'.length;
const statusField = ':status'.length + 3;

/** Bytes of names and values, pseudo-headers included: Envoy's `HeaderMap::byteSize`, which its logs call header bytes. */
export function requestHeadSize(head: RequestHead): number {
  const pseudo = methodName + head.method.length + pathName + head.path.length;
  const authority = head.hasAuthority ? authorityName + head.authority.length : 0;
  return pseudo + authority + fieldsSize(head.headers);
}

export function responseHeadSize(head: ResponseHead): number {
  return statusField + fieldsSize(head.headers);
}

function fieldsSize({ names, values }: Headers): number {
  let size = 0;
  for (let i = 0; i < names.length; i++) size += names[i]!.length + values[i]!.length;
  return size;
}
