import type { StreamFilters } from '../../../cluster/cluster.ts';
import type { FilterFactory, HttpFilter, Stream } from '../../../filter/filter.ts';
import type { RouterData } from '../../../filter/router/router-data.ts';
import type { Route } from '../../../route/route.ts';

/** A configured filter. */
export interface ChainEntry {
  readonly name: string;
  readonly factory: FilterFactory;
  /** Unless a route switches it on. */
  readonly isOff?: boolean;
}

/** A stream as the passes through its filters see it. */
export interface FilteredStream extends Stream {
  readonly chain: HttpFilterChain;
  /** In configured order. */
  readonly filters: readonly HttpFilter[];
  isFilterOff(index: number): boolean;
}

/** Where it is among the filters of a stream, itself or behind another. */
export function placeOf(filter: HttpFilter, filters: readonly HttpFilter[]): number {
  const place = filters.indexOf(filter);
  return place >= 0 ? place : filters.findIndex(({ inner }) => inner === filter);
}

/** Envoy's. */
const defaultRouter: RouterData = {
  dynamicStats: true,
  suppressEnvoyHeaders: false,
  respectExpectedRqTimeout: false,
  suppressGrpcRequestFailureCodeStats: false,
  strictCheckHeaders: [],
};

/**
 * The HTTP filters of one connection manager, compiled: for each hook the ranks of the filters that have it, so that
 * an absent hook costs nothing. Ranks count in running order: the first configured filter is rank 0 for requests and
 * the last rank for responses.
 */
export class HttpFilterChain {
  readonly names: readonly string[];
  /** Of filters behind the router. */
  readonly hostSelected: readonly number[];
  readonly requestHead: readonly number[];
  readonly requestData: readonly number[];
  readonly requestTrailers: readonly number[];
  readonly responseHead: readonly number[];
  readonly responseData: readonly number[];
  readonly responseTrailers: readonly number[];
  /** Positions in configured order. */
  readonly complete: readonly number[];
  /** A filter reads the whole outcome when a stream is complete. */
  readonly readsOutcome: boolean;
  /** Settings of the router at its end. */
  readonly router: RouterData;
  /** What requests pass behind that, to clusters that have no such filters themselves; null: nothing. */
  readonly upstream: StreamFilters | null;
  private readonly factories: readonly FilterFactory[];
  /** By position: filters that are off unless a route switches them on; null: none. */
  private readonly defaultOff: Uint8Array | null;
  private readonly offByLevels: WeakMap<ReadonlyMap<string, boolean>, Uint8Array>;
  /** The filters themselves where none of them keeps state per stream. */
  private readonly shared: readonly HttpFilter[] | null;

  constructor(
    entries: readonly ChainEntry[],
    router: RouterData = defaultRouter,
    upstream: StreamFilters | null = null,
  ) {
    this.router = router;
    this.upstream = upstream;
    this.defaultOff = entries.some(({ isOff }) => isOff === true)
      ? Uint8Array.from(entries, ({ isOff }) => (isOff === true ? 1 : 0))
      : null;
    this.offByLevels = new WeakMap();
    this.names = entries.map((entry) => entry.name);
    this.factories = entries.map((entry) => entry.factory);
    const probes = this.factories.map((factory) => factory.create());
    const isShared = this.factories.every((factory, i) => factory.create() === probes[i]);
    this.shared = isShared ? probes : null;
    const last = probes.length - 1;
    const having = (hook: keyof HttpFilter): number[] => probes.flatMap((probe, i) => (hook in probe ? [i] : []));
    const reversed = (hook: keyof HttpFilter): number[] =>
      having(hook)
        .map((i) => last - i)
        .toReversed();
    this.hostSelected = having('onHostSelected');
    this.requestHead = having('onRequestHead');
    this.requestData = having('onRequestData');
    this.requestTrailers = having('onRequestTrailers');
    this.responseHead = reversed('onResponseHead');
    this.responseData = reversed('onResponseData');
    this.responseTrailers = reversed('onResponseTrailers');
    this.complete = having('onComplete');
    this.readsOutcome = probes.some((probe) => probe.readsOutcome === true);
  }

  /**
   * Which filters are off for a stream on this route: the `FilterConfig.disabled` of its levels over the filters' own
   * default. `ofEntry`: where a weighted cluster adds a level, all levels together.
   */
  off(route: Route | null, ofEntry: ReadonlyMap<string, boolean> | null): Uint8Array | null {
    if (route === null) return this.defaultOff;
    const disabled = ofEntry ?? route.filterDisabled;
    if (disabled.size === 0) return this.defaultOff;
    let off = this.offByLevels.get(disabled);
    if (off === undefined) {
      const { names } = this;
      off = this.defaultOff === null ? new Uint8Array(names.length) : this.defaultOff.slice();
      for (let i = 0; i < names.length; i++) {
        const isOff = disabled.get(names[i]);
        if (isOff !== undefined) off[i] = isOff ? 1 : 0;
      }
      this.offByLevels.set(disabled, off);
    }
    return off;
  }

  /** The filters of one stream, in configured order. */
  instantiate(): readonly HttpFilter[] {
    if (this.shared !== null) return this.shared;
    const factories = this.factories;
    const filters: HttpFilter[] = [];
    for (let i = 0; i < factories.length; i++) filters.push(factories[i].create());
    return filters;
  }
}
