import { isDeepStrictEqual } from '../../../core/deep-equal.ts';
import type { HostSet } from '../../host/host-set.ts';
import type { UpstreamHost } from '../../host/host.ts';

/** Hosts with their shares of the traffic, which sum up to 1. */
export interface WeightedHosts {
  readonly hosts: readonly UpstreamHost[];
  readonly shares: readonly number[];
  readonly keys: readonly string[];
}

/**
 * The hosts of a priority that may be used, and what a table calls them: all of them in panic.
 * Source: Envoy `thread_aware_lb_impl.cc`, normalizeWeights; `hashKey`.
 */
export function weighHosts(
  set: HostSet,
  isInPanic: boolean,
  isLocalityWeighted: boolean,
  usesHostname: boolean,
): WeightedHosts {
  const hosts: UpstreamHost[] = [];
  const shares: number[] = [];
  const take = (list: readonly UpstreamHost[], whole: number): void => {
    const sum = list.reduce((all, host) => all + host.weight, 0);
    for (const host of list) {
      hosts.push(host);
      shares.push((host.weight * whole) / sum);
    }
  };
  if (isLocalityWeighted) {
    const sum = set.localities.reduce((all, { weight }) => all + weight, 0);
    for (const locality of set.localities)
      if (locality.weight > 0) take(isInPanic ? locality.hosts : locality.healthy, locality.weight / sum);
  } else take(isInPanic ? set.hosts : set.healthy, 1);
  return { hosts, shares, keys: hosts.map((host) => hashKey(host, usesHostname)) };
}

/** The same table comes of both. */
export function weighAlike(a: WeightedHosts, b: WeightedHosts): boolean {
  if (a.hosts.length !== b.hosts.length) return false;
  if (a.hosts.some((host, i) => host !== b.hosts[i])) return false;
  return isDeepStrictEqual(a.shares, b.shares) && isDeepStrictEqual(a.keys, b.keys);
}

/** `hash_key` of the host's `envoy.lb` metadata comes first. */
function hashKey(host: UpstreamHost, usesHostname: boolean): string {
  const lb = host.metadata?.['envoy.lb'];
  if (typeof lb === 'object' && lb !== null && 'hash_key' in lb) {
    const key = lb.hash_key;
    if (typeof key === 'string' && key !== '') return key;
  }
  return usesHostname ? host.hostname : host.addressText;
}
