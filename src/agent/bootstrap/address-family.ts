import { isIPv4, isIPv6 } from 'node:net';

/** Where the bootstrap binds and connects, by the families of the node's addresses. */
export interface AddressFamily {
  readonly isIpv6Only: boolean;
  readonly localhost: string;
  readonly wildcard: string;
  /** Of the other family; null: one only. */
  readonly additionalLocalhost: string | null;
  readonly additionalWildcard: string | null;
  readonly dnsLookupFamily: string;
}

const v4 = { localhost: '127.0.0.1', wildcard: '0.0.0.0' };
const v6 = { localhost: '::1', wildcard: '::' };

/** @param isDualStack ISTIO_DUAL_STACK: without it a node of both families is one of IPv4 */
export function addressFamily(addresses: readonly string[], isDualStack: boolean): AddressFamily {
  const isIpv6Only = addresses.length > 0 && addresses.every((address) => isIPv6(address));
  if (isIpv6Only) return single(v6, true, 'V6_ONLY');
  if (!isDualStack || addresses.every((address) => isIPv4(address))) return single(v4, false, 'V4_ONLY');
  const [first, second] = isIPv6(addresses[0] ?? '') ? [v6, v4] : [v4, v6];
  return {
    isIpv6Only: false,
    ...first,
    additionalLocalhost: second.localhost,
    additionalWildcard: second.wildcard,
    dnsLookupFamily: 'ALL',
  };
}

function single(family: typeof v4, isIpv6Only: boolean, dnsLookupFamily: string): AddressFamily {
  return { isIpv6Only, ...family, additionalLocalhost: null, additionalWildcard: null, dnsLookupFamily };
}
