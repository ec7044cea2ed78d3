/** `host` of a Forwarded header (RFC 7239); empty: it has none. */
export function forwardedHost(forwarded: string): string {
  for (const pair of forwarded.split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).trim().toLowerCase() !== 'host') continue;
    const value = pair.slice(equals + 1).trim();
    return value.startsWith('"') && value.endsWith('"') && value.length >= 2 ? value.slice(1, -1) : value;
  }
  return '';
}
