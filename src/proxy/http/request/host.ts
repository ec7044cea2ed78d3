/** Index of the colon before the port of `host`; -1: it has none. `a:b:1` counts its last colon, an IPv6 literal needs brackets. */
function portColon(host: string): number {
  const colon = host.lastIndexOf(':');
  if (colon < 0 || colon === host.length - 1) return -1;
  if (host.charCodeAt(0) === 91 /* [ */ && host.lastIndexOf(']') > colon) return -1;
  for (let i = colon + 1; i < host.length; i++) {
    const code = host.charCodeAt(i);
    if (code < 48 || code > 57) return -1;
  }
  return Number(host.slice(colon + 1)) > 65535 ? -1 : colon;
}

/** `port` -1: any. */
export function stripHostPort(host: string, port: number): string {
  const colon = portColon(host);
  if (colon < 0 || (port >= 0 && Number(host.slice(colon + 1)) !== port)) return host;
  return host.slice(0, colon);
}

/** One dot at the end of the name, before the port if there is one. */
export function stripTrailingHostDot(host: string): string {
  if (host.charCodeAt(host.length - 1) === 46 /* . */) return host.slice(0, -1);
  const colon = portColon(host);
  if (colon < 1 || host.charCodeAt(colon - 1) !== 46) return host;
  return host.slice(0, colon - 1) + host.slice(colon);
}
