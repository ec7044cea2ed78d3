/** An absolute URL in parts: `authority` with its port, `path` with its query and from `/` on. */
export interface Location {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
}

const absolute = /^([a-z]+):\/\/(?:[^/?#@]*@)?([^/?#@]+)([^#]*)/i;

/** Null: it is no absolute URL. What follows `#` is the client's own. */
export function parseLocation(text: string): Location | null {
  const match = absolute.exec(text);
  if (match === null) return null;
  const [, scheme, authority, path] = match;
  return { scheme: scheme.toLowerCase(), authority, path: path.startsWith('/') ? path : `/${path}` };
}
