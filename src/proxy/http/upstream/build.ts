import type { HttpPool, StreamFilters } from '../../../cluster/cluster.ts';
import type { StreamFilterData } from '../../../core/extension.ts';
import type { FilterBuilder, FilterContext } from '../../../filter/filter.ts';
import { HttpFilterChain } from '../stream/filter-chain.ts';
import type { HttpStream } from '../stream/stream.ts';
import { UpstreamPassage } from './upstream-passage.ts';

/** The filters between the router, or who else sends requests, and the pools. */
class FiltersBeforePools implements StreamFilters {
  private readonly chain: HttpFilterChain;
  private readonly context: Omit<FilterContext, 'filterName'>;

  constructor(chain: HttpFilterChain, context: Omit<FilterContext, 'filterName'>) {
    this.chain = chain;
    this.context = context;
  }

  before(pool: HttpPool, stream: object | null): HttpPool {
    return new UpstreamPassage(this.chain, pool, stream as HttpStream | null, this.context);
  }
}

/** `context.stats`: the scope that the filters count in. */
export function buildStreamFilters(
  filters: readonly StreamFilterData[],
  context: Omit<FilterContext, 'filterName'>,
  builder: (kind: string) => FilterBuilder,
): StreamFilters {
  const entries = filters.map(({ name, kind, data, disabled }) => ({
    name,
    factory: builder(kind).build(data, { ...context, filterName: name, isUpstream: true }),
    isOff: disabled,
  }));
  return new FiltersBeforePools(new HttpFilterChain(entries), context);
}
