import type { RequestHead } from '../../core/head.ts';
import { Descriptors, type Descriptor, type DescriptorWish, type LimitedStream } from './descriptors.ts';
import type { RateLimitData } from './rate-limit-data.ts';

/** What a filter does with the entries of virtual hosts, where the route does not say that they count. */
export type VirtualHostLimits = 'OVERRIDE' | 'INCLUDE' | 'IGNORE';

/** `rate_limits` of a route and of its virtual host. */
export class RateLimits {
  private readonly route: Descriptors;
  private readonly virtualHost: Descriptors;
  private readonly includesVirtualHost: boolean;

  constructor(route: readonly RateLimitData[], virtualHost: readonly RateLimitData[], includesVirtualHost: boolean) {
    this.route = new Descriptors(route);
    this.virtualHost = new Descriptors(virtualHost);
    this.includesVirtualHost = includesVirtualHost;
  }

  /** Adds to `found`. */
  add(
    stream: LimitedStream,
    head: RequestHead,
    wish: DescriptorWish,
    virtualHosts: VirtualHostLimits,
    found: Descriptor[],
  ): void {
    this.route.add(stream, head, wish, found);
    const counts =
      this.includesVirtualHost || virtualHosts === 'INCLUDE' || (virtualHosts === 'OVERRIDE' && this.route.isEmpty);
    if (counts) this.virtualHost.add(stream, head, wish, found);
  }
}
