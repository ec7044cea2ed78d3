import { networkInterfaces } from 'node:os';

/** Envoy's local address: the first of this machine's that is not loopback. */
export function firstPublicAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) if (family === 'IPv4' && !internal) return address;
  }
  return '127.0.0.1';
}
