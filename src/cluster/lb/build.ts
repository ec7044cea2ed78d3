import type { HostSet } from '../host/host-set.ts';
import type { Balancer, BalancerParts } from './balancer.ts';
import { HashBalancer } from './hash/hash-balancer.ts';
import type { LbData } from './lb-data.ts';
import { PriorityLoadBalancer } from './load-balancer.ts';
import { OverrideBalancer } from './override-balancer.ts';
import { SubsetBalancer } from './subset/subset-balancer.ts';

/** The balancer that the data describe, over these hosts. Index of `sets`: priority. */
export function buildBalancer(sets: readonly HostSet[], lb: LbData, parts: BalancerParts): Balancer {
  const { policy } = lb;
  switch (policy.kind) {
    case 'ring-hash':
    case 'maglev':
      return new HashBalancer(sets, lb, policy, parts);
    case 'subset':
      return new SubsetBalancer(sets, lb, policy, parts, (some, inner) => buildBalancer(some, inner, parts));
    case 'override-host':
      return new OverrideBalancer(sets, policy, buildBalancer(sets, { ...lb, ...policy.inner }, parts));
    default:
      return new PriorityLoadBalancer(sets, { ...lb, policy }, parts);
  }
}
