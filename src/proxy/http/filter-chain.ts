import type { FilterFactory, HttpFilter } from '../../filter/filter.ts';

/**
 * The HTTP filters of one connection manager, compiled: for each hook the ranks of the filters that have it, so that
 * an absent hook costs nothing. Ranks count in running order: the first configured filter is rank 0 for requests and
 * the last rank for responses.
 */
export class HttpFilterChain {
  readonly names: readonly string[];
  readonly requestHead: readonly number[];
  readonly requestData: readonly number[];
  readonly requestTrailers: readonly number[];
  readonly responseHead: readonly number[];
  readonly responseData: readonly number[];
  readonly responseTrailers: readonly number[];
  /** Positions in configured order. */
  readonly complete: readonly number[];
  private readonly factories: readonly FilterFactory[];
  /** The filters themselves where none of them keeps state per stream. */
  private readonly shared: readonly HttpFilter[] | null;

  constructor(entries: readonly { readonly name: string; readonly factory: FilterFactory }[]) {
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
    this.requestHead = having('onRequestHead');
    this.requestData = having('onRequestData');
    this.requestTrailers = having('onRequestTrailers');
    this.responseHead = reversed('onResponseHead');
    this.responseData = reversed('onResponseData');
    this.responseTrailers = reversed('onResponseTrailers');
    this.complete = having('onComplete');
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
