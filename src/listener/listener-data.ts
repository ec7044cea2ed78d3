import type { ExtensionData } from '../core/extension.ts';
import type { Address } from '../core/peer.ts';
import type { MatcherData } from '../match/matcher-data.ts';
import type { AccessLogData } from '../observe/access-log/access-log-data.ts';
import type { SocketOptionData } from '../net/socket-options/socket-option-data.ts';
import type { ExtensionRefData } from './extension-sources.ts';

/** A listener as plain data: what travels from the main thread to the workers. */
export interface ListenerData {
  readonly name: string;
  /** The first is `address`, the rest `additional_addresses`. */
  readonly addresses: readonly Address[];
  readonly statPrefix: string;
  /** `metadata.filter_metadata`, for %METADATA(LISTENER:…)%; null: none. */
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** False: connections come only from listeners that hand over. */
  readonly bindToPort: boolean;
  /** Of an internal listener: what a connection holds in each direction before its writer is told to wait; absent: it is none. */
  readonly internalBufferBytes?: number;
  /** `use_original_dst`: who was going to another listener's address is that one's; absent: no. */
  readonly handsOver?: boolean;
  /** `ignore_global_conn_limit`, `bypass_overload_manager`; absent: no. */
  readonly ignoresConnectionsMax?: boolean;
  readonly bypassesOverload?: boolean;
  readonly filterChains: readonly FilterChainData[];
  readonly defaultFilterChain: FilterChainData | null;
  /** Chooses chains by name, and what they ask for themselves does not count; null: it does. */
  readonly filterChainMatcher: MatcherData | null;
  readonly bufferLimit: number;
  readonly reusePort: boolean;
  /** -1: the kernel's maximum. */
  readonly backlog: number;
  readonly ipv6Only: boolean;
  readonly pipeMode: number | null;
  readonly keepAliveSeconds: number | null;
  /** `transparent`, `freebind`: of the sockets that are bound; absent: no. */
  readonly isTransparent?: boolean;
  readonly isFree?: boolean;
  /** What the kernel is told of them besides; absent: nothing. */
  readonly socketOptions?: readonly SocketOptionData[];
  /** Parallel to `addresses`: what it is told in place of that; null: nothing else. Absent: no address has its own. */
  readonly ownSocketOptions?: readonly (readonly SocketOptionData[] | null)[];
  readonly trafficDirection: 'UNSPECIFIED' | 'INBOUND' | 'OUTBOUND';
  readonly drainType: 'DEFAULT' | 'MODIFY_ONLY';
  readonly accessLogs: readonly AccessLogData[];
  readonly listenerFilters: readonly ListenerFilterData[];
  /** 0: none. */
  readonly listenerFiltersTimeoutMs: number;
  readonly continueOnListenerFiltersTimeout: boolean;
}

/** `kind` is the type URL's message name, `data` what that filter's decoder made. */
export interface ListenerFilterData extends ExtensionData {
  /** Comes by ECDS: then `kind` is empty; absent: it is what it is. */
  readonly discovery?: ExtensionRefData;
  /** Connections that it does not look at; null: it looks at all. */
  readonly disabled: PortPredicateData | null;
}

/** ListenerFilterChainMatchPredicate. */
export type PortPredicateData =
  | { readonly kind: 'any' }
  | { readonly kind: 'not'; readonly rule: PortPredicateData }
  | { readonly kind: 'and' | 'or'; readonly rules: readonly PortPredicateData[] }
  /** Destination ports, half open. */
  | { readonly kind: 'range'; readonly start: number; readonly end: number };

export interface FilterChainData {
  readonly name: string;
  readonly match: FilterChainMatchData;
  /** The terminal filter is last. */
  readonly filters: readonly NetworkFilterData[];
  /** Null: plain text. */
  readonly transport: ExtensionData | null;
  /** How long its handshake may take; 0: as long as it likes. */
  readonly transportSocketConnectTimeoutMs: number;
}

/** Empty lists and null match anything. */
export interface FilterChainMatchData {
  readonly destinationPort: number | null;
  readonly prefixRanges: readonly CidrData[];
  readonly serverNames: readonly string[];
  readonly transportProtocol: string;
  readonly applicationProtocols: readonly string[];
  readonly directSourcePrefixRanges: readonly CidrData[];
  readonly sourceType: 'ANY' | 'SAME_IP_OR_LOOPBACK' | 'EXTERNAL';
  readonly sourcePrefixRanges: readonly CidrData[];
  readonly sourcePorts: readonly number[];
}

export interface CidrData {
  readonly address: string;
  readonly length: number;
}

/** A configured filter: `kind` is the type URL's message name, `data` what that filter's decoder made. */
export interface NetworkFilterData {
  readonly name: string;
  readonly kind: string;
  readonly data: unknown;
  /** Comes by ECDS: then `kind` is empty; absent: it is what it is. */
  readonly discovery?: ExtensionRefData;
}
