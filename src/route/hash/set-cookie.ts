import type { CookieData } from './hash-policy-data.ts';

/** The value of a `set-cookie`, as Envoy writes it. */
export function setCookie(name: string, value: string, { maxAgeSeconds, path, attributes }: CookieData): string {
  let text = `${name}="${value}"`;
  if (maxAgeSeconds !== 0) text += `; Max-Age=${maxAgeSeconds}`;
  if (path !== '') text += `; Path=${path}`;
  for (const [attribute, setting] of attributes)
    text += setting === '' ? `; ${attribute}` : `; ${attribute}=${setting}`;
  return `${text}; HttpOnly`;
}
