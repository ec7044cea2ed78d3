import { parseSocketAddress } from '../../core/socket-address.ts';
import type { GoogleTarget } from '../google-service-data.ts';

/** Where a name says none. */
const defaultPort = 443;

/**
 * Reads gRPC's name of a server. Source: gRPC's naming document, and what its C core takes.
 * @returns a sentence where sekisho does not speak to such
 */
export function parseGoogleTarget(uri: string): GoogleTarget | string {
  const [, scheme, rest] = /^(dns|ipv4|ipv6|unix|unix-abstract|vsock|xds|google-c2p)(?::)(.*)$/s.exec(uri) ?? [
    '',
    '',
    uri,
  ];
  switch (scheme) {
    case 'unix':
      return pipe(rest.startsWith('//') ? rest.slice(2) : rest);
    case 'ipv4':
    case 'ipv6':
      return addresses(withoutAuthority(rest), scheme);
    case '':
    case 'dns':
      return named(withoutAuthority(rest));
    default:
      return `servers of '${scheme}:' are not supported by sekisho; those of dns, ipv4, ipv6 and unix are`;
  }
}

function pipe(path: string): GoogleTarget | string {
  if (path === '') return 'a socket needs a path';
  return { kind: 'pipe', servers: [{ host: path, port: 0 }], authority: 'localhost' };
}

/** `///name`: none is asked but the resolver of the cluster. Another stays, and is refused as no name. */
function withoutAuthority(rest: string): string {
  return rest.startsWith('///') ? rest.slice(3) : rest;
}

function addresses(list: string, scheme: string): GoogleTarget | string {
  const servers: { host: string; port: number }[] = [];
  for (const text of list.split(',')) {
    const address = parseSocketAddress(decoded(text));
    if (address === null || address.host.includes(':') !== (scheme === 'ipv6'))
      return `'${text}' is no address and port of ${scheme}`;
    servers.push({ host: address.host, port: address.port });
  }
  return { kind: 'static', servers, authority: decoded(list.split(',')[0]) };
}

function named(text: string): GoogleTarget | string {
  const address = parseSocketAddress(text) ?? parseSocketAddress(`${text}:${defaultPort}`);
  if (address !== null)
    return { kind: 'static', servers: [{ host: address.host, port: address.port }], authority: text };
  const [, host = '', digits] = /^([\w.-]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = digits === undefined ? defaultPort : Number(digits);
  if (host === '' || port > 65_535) return `'${text}' is no name of a server with its port`;
  return { kind: 'dns', servers: [{ host, port }], authority: text };
}

/** Brackets of IPv6 may be written as `%5B` and `%5D`. */
function decoded(text: string): string {
  return text.replaceAll(/%5B/gi, '[').replaceAll(/%5D/gi, ']');
}
