/** How much of `path` comes before query and fragment. */
export function pathLength(path: string): number {
  const query = path.indexOf('?');
  const end = query < 0 ? path.length : query;
  const fragment = path.indexOf('#');
  return fragment >= 0 && fragment < end ? fragment : end;
}

/** `path` without query and fragment; the string itself where it has none. */
export function pathOnly(path: string): string {
  const length = pathLength(path);
  return length === path.length ? path : path.slice(0, length);
}

/** Without the `;…` parameters of each segment. `path` has no query. */
export function withoutPathParameters(path: string): string {
  return path.includes(';') ? path.replace(/;[^/]*/g, '') : path;
}

/** Where the port of an authority begins (its colon), or -1. An IPv6 address stands in brackets. */
export function portStart(authority: string): number {
  const colon = authority.lastIndexOf(':');
  if (colon < 0) return -1;
  return authority.lastIndexOf(']') > colon ? -1 : colon;
}
