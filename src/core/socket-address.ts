import { formatIp, parseIp } from './ip-address.ts';
import type { Address } from './peer.ts';

const portMax = 65535;

/** `1.2.3.4:80` or `[::1]:80`; null: it is neither. Source: Envoy `parseInternetAddressAndPortNoThrow`. */
export function parseSocketAddress(text: string): Address | null {
  const colon = text.lastIndexOf(':');
  const digits = text.slice(colon + 1);
  if (colon <= 0 || !/^\d{1,9}$/.test(digits)) return null;
  const port = Number(digits);
  if (port > portMax) return null;
  const named = text.slice(0, colon);
  const isBracketed = named.startsWith('[') && named.endsWith(']');
  const host = isBracketed ? canonicalIpv6(named.slice(1, -1)) : canonicalIpv4(named);
  return host === null ? null : { kind: 'ip', host, port };
}

/** It has one spelling only. */
function canonicalIpv4(text: string): string | null {
  return !text.includes(':') && parseIp(text) !== null ? text : null;
}

/** One address has one name, however it was written; a zone stays as it is. */
function canonicalIpv6(text: string): string | null {
  const [address, zone, more] = text.split('%');
  if (zone === '' || more !== undefined || !address.includes(':')) return null;
  const bytes = parseIp(address);
  if (bytes === null) return null;
  return zone === undefined ? formatIp(bytes) : `${formatIp(bytes)}%${zone}`;
}
