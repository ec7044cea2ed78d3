import { ResponseFlag } from '../../../core/failure.ts';
import type { StreamFilters } from '../../../cluster/cluster.ts';
import type { Discovered } from '../../../listener/discovered.ts';
import type { DiscoveredExtension } from '../../../listener/extension-sources.ts';
import { Verdict, type FilterFactory, type HttpFilter, type Stream } from '../../../filter/filter.ts';
import type { RouterData } from '../../../filter/router/router-data.ts';
import { HttpFilterChain, type ChainEntry } from './filter-chain.ts';

/** In the place of a filter whose configuration has not come. Source: Envoy `MissingConfigFilter`. */
class MissingFilter implements HttpFilter, FilterFactory {
  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream): Verdict {
    stream.reply({ status: 500, body: '', details: '', flags: ResponseFlag.NoFilterConfigFound });
    return Verdict.Stop;
  }
}

export const missingFilter = new MissingFilter();

/** A chain some of whose filters come by ECDS: another of one makes another chain, in which all others are as they were. */
export class ChangingChain {
  chain: HttpFilterChain;
  private readonly entries: ChainEntry[];
  private readonly router: RouterData;
  private readonly upstream: StreamFilters | null;

  constructor(entries: readonly ChainEntry[], router: RouterData, upstream: StreamFilters | null) {
    this.entries = [...entries];
    this.router = router;
    this.upstream = upstream;
    this.chain = new HttpFilterChain(entries, router, upstream);
  }

  /** The filter at `index` is what `key` says, from here on and whenever it becomes another. @returns what ends that */
  follow(
    index: number,
    key: string,
    discovered: Discovered<DiscoveredExtension>,
    build: (config: NonNullable<DiscoveredExtension['config']>) => FilterFactory,
    onChanged: () => void,
  ): () => void {
    const take = ({ config }: DiscoveredExtension): void => {
      const factory = config === null ? missingFilter : build(config);
      this.entries[index] = { ...this.entries[index], factory };
      this.chain = new HttpFilterChain(this.entries, this.router, this.upstream);
      onChanged();
    };
    const now = discovered.get(key);
    if (now !== null) take(now);
    return discovered.follow(key, take);
  }
}
