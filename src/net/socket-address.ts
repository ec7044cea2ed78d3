import { isIPv4, isIPv6 } from 'node:net';
import type { Address } from '../core/peer.ts';

const portMax = 65535;

/** `1.2.3.4:80` or `[::1]:80`; null: it is neither. Source: Envoy `parseInternetAddressAndPortNoThrow`. */
export function parseSocketAddress(text: string): Address | null {
  const colon = text.lastIndexOf(':');
  const digits = text.slice(colon + 1);
  if (colon <= 0 || !/^\d{1,9}$/.test(digits)) return null;
  const port = Number(digits);
  if (port > portMax) return null;
  const host = text.slice(0, colon);
  if (isIPv4(host)) return { kind: 'ip', host, port };
  if (!host.startsWith('[') || !host.endsWith(']') || !isIPv6(host.slice(1, -1))) return null;
  return { kind: 'ip', host: canonicalIpv6(host.slice(1, -1)), port };
}

/** One address has one name, however it was written. */
function canonicalIpv6(text: string): string {
  const scope = text.indexOf('%');
  if (scope >= 0) return canonicalIpv6(text.slice(0, scope)) + text.slice(scope);
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}
