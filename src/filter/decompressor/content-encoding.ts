import type { Headers } from '../../core/headers.ts';

/** The outermost encoding, which is the last one named (RFC 9110 section 8.4); empty: none. Lower-case. */
export function outermostEncoding(headers: Headers): string {
  const at = lastIndex(headers);
  if (at < 0) return '';
  const value = headers.values[at];
  const last = value.slice(value.lastIndexOf(',') + 1);
  return last.trim().toLowerCase();
}

/** Takes the outermost encoding off. There must be one. */
export function removeOutermostEncoding(headers: Headers): void {
  const at = lastIndex(headers);
  const value = headers.values[at];
  const comma = value.lastIndexOf(',');
  if (comma < 0) headers.removeAt(at);
  else headers.values[at] = value.slice(0, comma).trimEnd();
}

/** `accept-encoding` with the encoding at its end, and so without a quality of its own. As Envoy. */
export function withEncoding(acceptEncoding: string | undefined, encoding: string): string {
  if (acceptEncoding === undefined) return encoding;
  const others = acceptEncoding
    .split(',')
    .map((element) => element.trim())
    .filter((token) => token !== '' && token !== encoding && !token.startsWith(`${encoding};q=`));
  return [...others, encoding].join(',');
}

function lastIndex(headers: Headers): number {
  let last = -1;
  for (let i = headers.indexOf('content-encoding'); i >= 0; i = headers.indexOf('content-encoding', i + 1)) last = i;
  return last;
}
