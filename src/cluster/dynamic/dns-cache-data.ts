import type { DnsLookupFamily, DnsResolverOptions } from '../../net/dns-resolver.ts';

/** `DnsCacheConfig` as plain data: names that requests and connections ask for, resolved once for all. Milliseconds. */
export interface DnsCacheData {
  /** Those with one name are one cache. */
  readonly name: string;
  readonly family: DnsLookupFamily;
  /** Where an answer says no TTL. */
  readonly refreshMs: number;
  /** Floor of a TTL. */
  readonly refreshMinMs: number;
  /** Base and maximum of the jittered back-off after a failure; null: `refreshMs`. */
  readonly failureRefresh: { readonly baseMs: number; readonly maxMs: number } | null;
  /** A name whose question failed is forgotten, instead of asked for again. */
  readonly forgetsFailures: boolean;
  /** A name that nobody has used for so long is forgotten when it is to be asked for again. */
  readonly hostTtlMs: number;
  readonly maxHosts: number;
  /** How many may wait for answers at a time, in one worker. */
  readonly maxPending: number;
  /** 0: none. */
  readonly queryTimeoutMs: number;
  readonly resolver: DnsResolverOptions;
  /** Asked for from the start; `host:port`. */
  readonly preresolved: readonly string[];
}
