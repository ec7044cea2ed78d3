import { formatAddress, type Address } from '../../core/peer.ts';
import type { Outcome } from '../outcome.ts';
import { maskAddress } from './cidr.ts';
import { NumberOperator, TextOperator, type Operator } from './operator.ts';

export type AddressReader = (outcome: Outcome) => Address | null;

/** `10.1.2.3:80`, `[::1]:80`, a path, or `envoy://name/`. */
export function addressOperator(read: AddressReader): Operator {
  return new TextOperator((outcome) => {
    const address = read(outcome);
    return address === null ? null : formatAddress(address);
  });
}

/** Without its port; with a number as parameter the network of that many bits, `10.1.2.0/24`. */
export function hostOperator(read: AddressReader, parameter: string): Operator {
  const bits = /^\d+$/.test(parameter) ? Number(parameter) : -1;
  return new TextOperator((outcome) => {
    const address = read(outcome);
    if (address === null) return null;
    if (address.kind !== 'ip') return formatAddress(address);
    return bits < 0 ? address.host : maskAddress(address.host, bits);
  });
}

/** The port alone, a number in JSON. */
export function portOperator(read: AddressReader): Operator {
  return new NumberOperator((outcome) => {
    const address = read(outcome);
    return address === null || address.kind !== 'ip' ? NaN : address.port;
  });
}

/** An internal listener's endpoint id: empty for an IP address. */
export function endpointIdOperator(read: AddressReader): Operator {
  return new TextOperator((outcome) => (read(outcome) === null ? null : ''));
}

/** `host:port` without its port; a name or an address, brackets included. */
export function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':');
  if (colon < 0 || authority.indexOf(']', colon) >= 0) return authority;
  if (authority.charCodeAt(0) !== 0x5b /* [ */ && authority.indexOf(':') !== colon) return authority;
  return /^\d+$/.test(authority.slice(colon + 1)) ? authority.slice(0, colon) : authority;
}
