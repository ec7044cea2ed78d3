import type { HttpVersion, RequestHead, ResponseHead } from '../core/head.ts';
import type { Headers } from '../core/headers.ts';
import type { Clock, Timers } from '../core/clock.ts';
import type { RuntimeView } from '../core/runtime-view.ts';
import type { Outcome } from '../observe/outcome.ts';
import type { StatsScope } from '../observe/stats/stats.ts';
import type { Route } from '../route/route.ts';
import type { NameLookups } from './network/network-filter.ts';
import type { CallOuts, CallTrace } from './call-outs.ts';
import type { WorkloadLookup } from './istio/workload/workload-lookup.ts';
import type { ClusterLookups, RouteWaiter } from './on-demand/on-demand-data.ts';

/** What a hook answers. */
export const Verdict = {
  /** On to the next filter. */
  Continue: 0,
  /** Stop here until `resumeRequest`/`resumeResponse`; data that arrives meanwhile is held and then given to this filter's data hook. */
  Stop: 1,
  /**
   * For data hooks: keep this chunk in the stream's buffer, whole body limited by the buffer limit (413 / 500 above).
   * For head hooks: the head waits, but what follows it comes to this filter's hooks all the same (Envoy's StopIteration).
   */
  StopAndBuffer: 2,
  /**
   * For data hooks: the filter keeps this chunk and gives it on itself, as it was or as something else, with
   * `injectRequestData`/`injectResponseData`. Nothing is stopped: later chunks come to its hook too. (Envoy's
   * StopIterationNoBuffer, and its filters that change data in place.)
   */
  Take: 3,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Of names and values together, and of fields, pseudo fields among them. */
export interface HeadLimits {
  readonly headerBytesMax: number;
  readonly headerCountMax: number;
}

/** One request and its response, as filters see it. Implemented by `proxy/http`. */
export interface Stream {
  readonly outcome: Outcome;
  readonly requestHead: RequestHead;
  /** Null until the response has begun. */
  readonly responseHead: ResponseHead | null;
  /** Decided before the first filter runs, null where none matched; cleared and decided anew by `clearRoute`. */
  readonly route: Route | null;
  /** Stable random of this stream, 64 bits as two 32-bit words would be; here 53 bits. */
  readonly random: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** For what is asked on its behalf; absent, null: it is not traced. */
  readonly trace?: CallTrace | null;
  clearRoute(): void;
  /** `cluster.<name>.` of the cluster that the route chose; null: it does not forward, or to no cluster that there is. */
  readonly clusterStats: StatsScope | null;
  /** Most specific per-route configuration for this filter (route entry, virtual host, route configuration), built, or undefined. */
  perFilterConfig(filterName: string): unknown;
  /** All levels, least specific first (cors, header_mutation merge them). */
  perFilterConfigs(filterName: string): readonly unknown[];
  /** After `Stop` on the request (response) path: go on with the next filter. Idempotent. */
  resumeRequest(filter: HttpFilter): void;
  resumeResponse(filter: HttpFilter): void;
  /**
   * Gives data on behind `filter`: for what it took with `Verdict.Take`, or a body that the message had not (from its
   * head hook or its trailers hook). It goes behind a head that the filter still holds, and before trailers.
   */
  injectRequestData(filter: HttpFilter, chunk: Uint8Array, end: boolean): void;
  injectResponseData(filter: HttpFilter, chunk: Uint8Array, end: boolean): void;
  /** Ends the message with trailers that it had not, in place of an end that `filter` took with its last data. */
  injectRequestTrailers?(filter: HttpFilter, trailers: Headers): void;
  injectResponseTrailers?(filter: HttpFilter, trailers: Headers): void;
  /** A filter holds more of the response than `bufferLimit`: the upstream is to wait until the other call. Counted. */
  onResponseAboveHighWatermark(): void;
  onResponseBelowLowWatermark(): void;
  /** Likewise of the request: the client is to wait. */
  onRequestAboveHighWatermark?(): void;
  onRequestBelowLowWatermark?(): void;
  /** What the cluster that the route chose is spoken to in; null or absent: there is none. */
  readonly upstreamVersion?: HttpVersion | null;
  /** Of a cluster whose hosts are the names that are asked for: the port where a name says none. 0 or absent: it is another. */
  readonly namedHostsPort?: number;
  /** The name that the route chose and that there is no cluster of; empty or absent: it is another. */
  readonly missingCluster?: string;
  /**
   * Asks for what there is no route for want of, of a stream that has none.
   * @returns how to ask no more; null: nobody is told, for there is nothing to ask for
   */
  wantRoute?(waiter: RouteWaiter): (() => void) | null;
  /**
   * The request begins anew, as if it had just come, with the routes that there are now and all that waits at `filter`.
   * False: it goes on as it is, for it has not come whole, or the routes are those that it has.
   */
  beginAnew?(filter: HttpFilter): boolean;
  /** How large the heads of that cluster's answers may be; null or absent: there is none. */
  readonly answerLimits?: HeadLimits | null | undefined;
  /** Bytes of one half that may be held; 0: no limit. */
  readonly bufferLimit: number;
  /** Set by a filter: bytes of the request that may be held in place of `bufferLimit`; -1: nobody has. */
  requestBytesMax: number;
  /** Answers the client from here; the filters' response hooks run, the rest of the request is dropped. */
  reply(reply: LocalReply): void;
  /** The host that is to be tried first, by its address; strict: no other will do. Null or absent: the balancer chooses. */
  overrideHost?: { readonly address: string; readonly isStrict: boolean; readonly notFoundStatus?: number } | null;
  /** The body held so far on the request path. */
  readonly bufferedRequestBody: readonly Uint8Array[];
}

export interface LocalReply {
  readonly status: number;
  readonly body: string;
  /** RESPONSE_CODE_DETAILS; spaces become `_`. */
  readonly details: string;
  /** Bits of ResponseFlag to add. */
  readonly flags?: number;
  /** For gRPC requests; default: Envoy's map from the HTTP status. */
  readonly grpcStatus?: number;
  readonly headers?: readonly (readonly [string, string])[];
  /** The filter made the whole answer: local_reply_config and the gRPC form do not apply. */
  readonly asIs?: true;
}

/** Implement only the hooks you need; a chain is compiled into one array per hook. */
export interface HttpFilter {
  /** Behind the router alone: a host has been chosen, and no connection to it is asked for yet. False: it has replied. */
  onHostSelected?(stream: Stream): boolean;
  onRequestHead?(stream: Stream, head: RequestHead, end: boolean): Verdict;
  onRequestData?(stream: Stream, chunk: Uint8Array, end: boolean): Verdict;
  onRequestTrailers?(stream: Stream, trailers: Headers): Verdict;
  onResponseHead?(stream: Stream, head: ResponseHead, end: boolean): Verdict;
  onResponseData?(stream: Stream, chunk: Uint8Array, end: boolean): Verdict;
  onResponseTrailers?(stream: Stream, trailers: Headers): Verdict;
  /** It stands in its chain for this one, which speaks to the stream for itself; absent: for itself. */
  readonly inner?: HttpFilter;
  /** `onComplete` reads what passed on the wire, which nobody counts otherwise. The same for all filters of a factory. */
  readonly readsOutcome?: true | undefined;
  /** Exactly once, whatever happened: drop timers and call-outs. */
  onComplete?(stream: Stream): void;
}

/** Built once per configuration. A stateless filter returns itself from `create`. */
export interface FilterFactory {
  create(): HttpFilter;
}

/** Which way a listener's traffic goes, seen from the workload that this process stands beside. */
export type TrafficDirection = 'UNSPECIFIED' | 'INBOUND' | 'OUTBOUND';

/** What a filter is given when it is built in a worker. */
export interface FilterContext {
  /** The filter stands behind the router; absent: before it. */
  readonly isUpstream?: true;
  /** As configured: what per-route configurations refer to. */
  readonly filterName: string;
  /** `http.<stat_prefix>.` */
  readonly stats: StatsScope;
  /** The scope of all, for filters whose stats stand under a prefix of their own. */
  readonly rootStats?: StatsScope;
  readonly clock: Clock;
  readonly timers: Timers;
  /** 0 ≤ x < 1. */
  random(): number;
  readonly runtime: RuntimeView;
  readonly localNode: {
    readonly cluster: string;
    readonly id: string;
    /** As the bootstrap has it; absent: none. */
    readonly metadata?: Readonly<Record<string, unknown>>;
    readonly locality?: { readonly region: string; readonly zone: string };
  };
  /** Of the listener; absent: it says nothing of that. */
  readonly trafficDirection?: TrafficDirection;
  /** Who is at which address, as a control plane tells; absent: none does. */
  readonly workloads?: WorkloadLookup | undefined;
  /** How large the heads of requests may be; absent: no limit. */
  readonly requestLimits?: HeadLimits;
  /** The DNS caches of dynamic forward proxies; absent: there are none. */
  readonly lookups?: NameLookups | undefined;
  /** Clusters that come when they are asked for; absent: none do. */
  readonly onDemand?: ClusterLookups | undefined;
  /** The process is failed by hand (admin's /healthcheck/fail); absent: it never is. */
  isHealthFailed?(): boolean;
  /** Hosts of a cluster, and the healthy ones of them; null: there is no such cluster. Absent: there are no clusters. */
  membership?(cluster: string): { readonly total: number; readonly healthy: number } | null;
  /** Of the kinds that a configuration names, for filters around others; absent: there are none. */
  filterBuilder?(kind: string): FilterBuilder;
  /** Calls to clusters; absent where there are none to call. */
  readonly callOuts?: CallOuts;
  /**
   * A number counted over all workers (`max_active_faults`), one per connection manager and `key`, which must stand in
   * `sharedNumbersOfFilters`; absent: the worker counts alone.
   */
  sharedNumber?(key: string): { load(): number; inc(): number; dec(): number };
}

/** Plain data → what the hot path uses; worker side, one per filter kind. */
export interface FilterBuilder {
  /** Message name of the filter's configuration. */
  readonly kind: string;
  build(data: unknown, context: FilterContext): FilterFactory;
  /** Message name and builder of the per-route configuration, where there is one. */
  readonly perRouteKind?: string;
  buildPerRoute?(data: unknown, context: FilterContext): unknown;
}
