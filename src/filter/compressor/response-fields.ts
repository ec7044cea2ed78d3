import type { Headers } from '../../core/headers.ts';

const codings: ReadonlySet<string> = new Set(['gzip', 'compress', 'deflate', 'br', 'zstd']);

/** The transfer coding compresses already. */
export function isEncodedOnTheWay(headers: Headers): boolean {
  const value = headers.get('transfer-encoding');
  return value?.split(',').some((token) => codings.has(token.trim().toLowerCase())) === true;
}

/** A field that is a list has the token, which is lower-case. */
export function hasToken(headers: Headers, name: string, token: string): boolean {
  const value = headers.get(name);
  return value?.split(',').some((one) => one.trim().toLowerCase() === token) === true;
}

/** Whether the answer is compressed depends on the request, which caches must know. Envoy's comparison minds the case. */
export function addVary(headers: Headers): void {
  const value = headers.get('vary');
  if (value === undefined || value === '') headers.set('vary', 'Accept-Encoding');
  else if (!value.split(',').some((token) => token.trim() === 'Accept-Encoding'))
    headers.set('vary', `${value}, Accept-Encoding`);
}

/** A strong validator speaks of the very bytes, which are others now: it goes, or becomes a weak one. */
export function adaptEtag(headers: Headers, weakens: boolean): void {
  const value = headers.get('etag');
  if (value === undefined || /^w\//i.test(value)) return;
  if (weakens) headers.set('etag', `W/${value}`);
  else headers.remove('etag');
}
