/** Whom a request or a connection wants to reach, where it says so itself. */
export interface Destination {
  /** A name or an address, perhaps with a port and brackets. */
  readonly host: string;
  /** Where `host` has none. */
  readonly port: number;
}

/** As a cache calls a destination: `host:port`, in lower case. */
export function cachedName({ host, port }: Destination): string {
  return (hasPort(host) ? host : `${host}:${port}`).toLowerCase();
}

/** What is to be resolved, and the port, of a `cachedName`. */
export function splitName(name: string): { readonly host: string; readonly port: number } {
  const colon = name.lastIndexOf(':');
  const host = name.slice(0, colon);
  return { host: host.startsWith('[') ? host.slice(1, -1) : host, port: Number(name.slice(colon + 1)) };
}

function hasPort(host: string): boolean {
  const colon = host.lastIndexOf(':');
  if (colon < 0 || !/^\d{1,5}$/.test(host.slice(colon + 1))) return false;
  return host.startsWith('[') ? host[colon - 1] === ']' : host.indexOf(':') === colon;
}
