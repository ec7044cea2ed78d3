import type { Clock, Timers } from '../../core/clock.ts';
import type { Peer } from '../../core/peer.ts';
import type { RuntimeView } from '../../core/runtime-view.ts';
import type { Connection } from '../../core/connection.ts';
import type { ConnectionNotes } from '../../observe/connection-notes.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { StatsScope } from '../../observe/stats/stats.ts';
import type { CallOuts } from '../call-outs.ts';
import type { TrafficDirection } from '../filter.ts';
import type { WorkloadLookup } from '../istio/workload/workload-lookup.ts';

/** Stop: the filters behind hear nothing before `proceed`. */
export const NetworkVerdict = { Continue: 0, Stop: 1 } as const;
export type NetworkVerdict = (typeof NetworkVerdict)[keyof typeof NetworkVerdict];

/** One connection, as its filters may know it. */
export interface FilteredStream {
  readonly id: number;
  /** That of TLS knows the rest once bytes flow. */
  readonly peer: Peer;
  readonly notes: ConnectionNotes;
  /** Goes on behind the filter that stopped. Only after Stop, and not within the hook that says so. */
  proceed(): void;
  /** Leaves the client's bytes unread, as many times as it is resumed. Those that came on the way here count as unread. */
  pause(): void;
  resume(): void;
  /**
   * Within `onData`: what goes on in place of the chunk, to the filters behind and the terminal one; empty: nothing of
   * it. Absent: chunks go on as they are.
   */
  replace?(chunk: Uint8Array): void;
  /** Writes to the client, past the other filters. */
  send?(chunk: Uint8Array): void;
  /** What the terminal filter knows so far; absent: nothing. */
  connectionOutcome?(): Outcome;
  /** Closes it at once. `reason`: why, for logs of the connection. What goes before, such as flags, is in the notes. */
  close(reason: string): void;
}

/**
 * A filter in front of a chain's terminal one. Implement only the hooks that are needed: without `onData` and `onClosed`
 * the bytes of a connection do not pass here at all.
 */
export interface NetworkFilter {
  /** Accepted; before a TLS handshake. */
  onNewConnection?(stream: FilteredStream): NetworkVerdict;
  /** Bytes of the client, after a handshake; `end`: it sends nothing more. Stop holds them back, and those to come. */
  onData?(stream: FilteredStream, chunk: Uint8Array, end: boolean): NetworkVerdict;
  /** Something is about to be written to the client. */
  onWrite?(stream: FilteredStream): void;
  onClosed?(stream: FilteredStream): void;
}

/** What stands between upstream connections and those who use them; one per cluster and worker. */
export interface UpstreamFilter {
  /**
   * It has just opened. What is used in its place; the same where there is nothing to do. What is found out of the other
   * end goes into `found`, by keys of filter state.
   */
  connected(connection: Connection, host: UpstreamOf, found: Map<string, unknown>): Connection;
}

/** The host of an upstream connection. */
export interface UpstreamOf {
  readonly addressText: string;
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

/** One per filter chain and worker. A filter without state per connection returns itself. */
export interface NetworkFilterFactory {
  create(): NetworkFilter;
}

/** The name has an address, or none; or the cache has no room for it. */
export type LookupEnd = 'cached' | 'unresolved' | 'full';

/** Who waits for a name to be resolved. */
export interface NameWaiter {
  /** Once. `details`: why there is no address, else empty. */
  onLookup(how: LookupEnd, details: string): void;
}

/** The DNS caches of dynamic forward proxies. */
export interface NameLookups {
  /** `name`: `cachedName`. `waiting`: the waiter will be told; `full`: too many wait. */
  want(
    cache: { readonly name: string; readonly maxPending: number },
    name: string,
    waiter: NameWaiter,
  ): 'cached' | 'waiting' | 'full';
  cancel(cache: string, name: string, waiter: NameWaiter): void;
}

/** What filters are built with. */
export interface NetworkFilterTools {
  readonly stats: StatsScope;
  readonly runtime: RuntimeView;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly lookups: NameLookups;
  /** Calls to clusters; absent where there are none to call. */
  readonly callOuts?: CallOuts;
  /** Of the bootstrap; absent: not known. */
  readonly node?: {
    readonly id: string;
    readonly metadata?: Readonly<Record<string, unknown>>;
    readonly locality?: { readonly region: string; readonly zone: string };
  };
  /** Of the listener; absent: it says nothing of that. */
  readonly trafficDirection?: TrafficDirection;
  /** Who is at which address, as a control plane tells; absent: none does. */
  readonly workloads?: WorkloadLookup | undefined;
  /** Of the bootstrap's node; absent: none. */
  readonly nodeMetadata?: Readonly<Record<string, unknown>> | undefined;
  /** What this filter of this chain counts over all workers; absent: the worker counts alone. */
  sharedNumber?(): { inc(): number; dec(): number };
}

export interface NetworkFilterBuilder {
  /** Message name of its configuration. */
  readonly kind: string;
  build(data: unknown, tools: NetworkFilterTools): NetworkFilterFactory;
  /** As one of a cluster's `filters`; absent: it is none. */
  buildUpstream?(data: unknown, tools: UpstreamFilterTools): UpstreamFilter;
}

/** What filters of clusters are built with. */
export type UpstreamFilterTools = Pick<NetworkFilterTools, 'stats' | 'node' | 'workloads'>;
