import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import type { HeaderMutationFilterData, MutationsData } from './header-mutation-data.ts';
import { HeaderMutations } from './header-mutations.ts';
import { QueryMutations } from './query-mutations.ts';

/** One level's mutations, built. */
export class Mutations {
  readonly request: HeaderMutations;
  readonly query: QueryMutations;
  readonly response: HeaderMutations;
  readonly requestTrailers: HeaderMutations;
  readonly responseTrailers: HeaderMutations;

  constructor(data: MutationsData) {
    this.request = new HeaderMutations(data.request, 'request');
    this.query = new QueryMutations(data.query);
    this.response = new HeaderMutations(data.response, 'response');
    this.requestTrailers = new HeaderMutations(data.requestTrailers, 'trailers');
    this.responseTrailers = new HeaderMutations(data.responseTrailers, 'trailers');
  }
}

/** `envoy.filters.http.header_mutation`: the filter's own mutations first, then those of the route's levels. */
export class HeaderMutationFilter implements HttpFilter, FilterFactory {
  private readonly own: Mutations;
  private readonly mostSpecificLast: boolean;
  private readonly filterName: string;

  constructor(data: HeaderMutationFilterData, context: FilterContext) {
    this.own = new Mutations(data.mutations);
    this.mostSpecificLast = data.mostSpecificWins;
    this.filterName = context.filterName;
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    this.mutateRequest(this.own, stream, head);
    const levels = this.levels(stream);
    for (let i = 0; i < levels.length; i++) this.mutateRequest(this.at(levels, i), stream, head);
    return Verdict.Continue;
  }

  onRequestTrailers(stream: Stream, trailers: Headers): Verdict {
    this.own.requestTrailers.apply(trailers, stream.outcome);
    const levels = this.levels(stream);
    for (let i = 0; i < levels.length; i++) this.at(levels, i).requestTrailers.apply(trailers, stream.outcome);
    return Verdict.Continue;
  }

  onResponseHead(stream: Stream, head: ResponseHead): Verdict {
    this.own.response.apply(head.headers, stream.outcome);
    const levels = this.levels(stream);
    for (let i = 0; i < levels.length; i++) this.at(levels, i).response.apply(head.headers, stream.outcome);
    return Verdict.Continue;
  }

  onResponseTrailers(stream: Stream, trailers: Headers): Verdict {
    this.own.responseTrailers.apply(trailers, stream.outcome);
    const levels = this.levels(stream);
    for (let i = 0; i < levels.length; i++) this.at(levels, i).responseTrailers.apply(trailers, stream.outcome);
    return Verdict.Continue;
  }

  private mutateRequest(mutations: Mutations, stream: Stream, head: RequestHead): void {
    mutations.request.apply(head.headers, stream.outcome);
    if (!mutations.query.isEmpty && head.path !== '') head.path = mutations.query.apply(head.path, stream.outcome);
  }

  /** Least specific first. */
  private levels(stream: Stream): readonly Mutations[] {
    return stream.perFilterConfigs(this.filterName) as readonly Mutations[];
  }

  private at(levels: readonly Mutations[], i: number): Mutations {
    return levels[this.mostSpecificLast ? i : levels.length - 1 - i];
  }
}
