import { formatIp, parseIp } from '../../core/ip-address.ts';

/** Where a CONNECT leads: an address, or a name that the other end knows. */
export interface TunnelTarget {
  readonly isAddress: boolean;
  /** An address in its canonical form, without brackets; or a name as it was written. */
  readonly host: string;
  readonly port: number;
}

/** A host name may be no longer (RFC 1035 section 2.3.4). */
const nameLengthMax = 255;

const nameCharacters = /^[A-Za-z0-9._-]+$/;

/** `1.2.3.4:80`, `[::1]:80` or `name:80`; null: it is none. A port is required, and 0 is none. */
export function parseAuthority(text: string): TunnelTarget | null {
  const colon = text.lastIndexOf(':');
  const digits = text.slice(colon + 1);
  if (colon <= 0 || !/^[0-9]{1,5}$/.test(digits)) return null;
  const port = Number(digits);
  if (port === 0 || port > 0xffff) return null;
  const named = text.slice(0, colon);
  if (named.startsWith('[')) return named.endsWith(']') ? addressTarget(named.slice(1, -1), port, 16) : null;
  const address = addressTarget(named, port, 4);
  if (address !== null) return address;
  // What looks like an address and is none is no name either.
  if (named.length > nameLengthMax || !nameCharacters.test(named) || /^[0-9.]+$/.test(named)) return null;
  return { isAddress: false, host: named, port };
}

/** As the other end reads it. */
export function formatAuthority(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function addressTarget(text: string, port: number, size: number): TunnelTarget | null {
  const bytes = parseIp(text);
  if (bytes === null || bytes.length !== size) return null;
  return { isAddress: true, host: plainIp(bytes), port };
}

/** An IPv4 address that was written as one of IPv6 (`::ffff:1.2.3.4`) is that IPv4 address. */
export function plainIp(bytes: Uint8Array): string {
  const isMapped = bytes.length === 16 && bytes.subarray(0, 10).every((byte) => byte === 0);
  return formatIp(isMapped && bytes[10] === 0xff && bytes[11] === 0xff ? bytes.subarray(12) : bytes);
}
