import { parseIp } from './ip-address.ts';

/**
 * Whether Envoy keeps this referer: a relative reference or an absolute URL with a plain host, without user or fragment.
 * Its URL parser is http_parser's, which is what the rules below restate.
 */
export function isAcceptableReferer(referer: string): boolean {
  let colon = -1;
  let delimiter = -1;
  for (let i = 0; i < referer.length; i++) {
    const code = referer.charCodeAt(i);
    if (code <= 32 || code >= 127 || code === 35 /* # */) return false;
    if (delimiter >= 0) continue;
    if (code === 58 /* : */ && colon < 0) colon = i;
    else if (code === 47 /* / */ || code === 63 /* ? */) delimiter = i;
  }
  if (colon < 0 || (delimiter >= 0 && delimiter < colon)) return true;
  return isScheme(referer, colon) && referer.startsWith('//', colon + 1) && isServer(referer, colon + 3);
}

function isScheme(text: string, end: number): boolean {
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i);
    if (isLetter(code)) continue;
    if (i === 0 || !(isDigit(code) || code === 43 /* + */ || code === 45 /* - */ || code === 46) /* . */) return false;
  }
  return end > 0;
}

/** `host[:port]` from `start` to the path, the query or the end. An empty user (`@`) passes. */
function isServer(text: string, start: number): boolean {
  if (text.charCodeAt(start) === 64 /* @ */) start++;
  let end = start;
  while (end < text.length && text.charCodeAt(end) !== 47 && text.charCodeAt(end) !== 63) end++;
  let hostEnd = start;
  if (text.charCodeAt(start) === 91 /* [ */) {
    const close = text.indexOf(']', start);
    if (close < 0 || close > end || parseIp(text.slice(start + 1, close)) === null) return false;
    hostEnd = close + 1;
  } else {
    while (hostEnd < end && isHostCode(text.charCodeAt(hostEnd))) hostEnd++;
    if (hostEnd === start) return false;
  }
  return hostEnd === end || (text.charCodeAt(hostEnd) === 58 && isPort(text, hostEnd + 1, end));
}

function isPort(text: string, start: number, end: number): boolean {
  let port = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!isDigit(code)) return false;
    port = port * 10 + code - 48;
    if (port > 65535) return false;
  }
  return end > start;
}

function isHostCode(code: number): boolean {
  return isLetter(code) || isDigit(code) || code === 45 || code === 46;
}

function isLetter(code: number): boolean {
  const letter = code | 32;
  return letter >= 97 && letter <= 122;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
