import type { Headers } from '../../core/headers.ts';
import type { CookieMatcherData } from './matcher-data.ts';
import { StringMatcher } from './string-matcher.ts';

/** Tests a cookie. A missing one matches nothing, so it passes an inverted test. */
export class CookieMatcher {
  private readonly name: string;
  private readonly string: StringMatcher;
  private readonly invert: boolean;

  constructor(data: CookieMatcherData) {
    this.name = data.name;
    this.string = new StringMatcher(data.string);
    this.invert = data.invert;
  }

  matches(headers: Headers): boolean {
    const value = findCookie(headers, this.name);
    return (value !== null && this.string.matches(value)) !== this.invert;
  }
}

/** The first cookie of that name in any `cookie` field, without the quotes around it; null: none. As Envoy parses. */
export function findCookie(headers: Headers, name: string): string | null {
  for (let i = headers.indexOf('cookie'); i >= 0; i = headers.indexOf('cookie', i + 1)) {
    const value = cookieIn(headers.values[i], name);
    if (value !== null) return value;
  }
  return null;
}

function cookieIn(text: string, name: string): string | null {
  for (let at = 0; at <= text.length;) {
    const semicolon = text.indexOf(';', at);
    const end = semicolon < 0 ? text.length : semicolon;
    while (at < end && text.charCodeAt(at) === 32) at++;
    const valueAt = at + name.length + 1;
    if (valueAt <= end && text.charCodeAt(valueAt - 1) === 61 /* = */ && text.startsWith(name, at)) {
      const isQuoted = end - valueAt >= 2 && text.charCodeAt(valueAt) === 34 && text.charCodeAt(end - 1) === 34;
      return isQuoted ? text.slice(valueAt + 1, end - 1) : text.slice(valueAt, end);
    }
    at = end + 1;
  }
  return null;
}
