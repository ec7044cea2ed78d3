import { Verdict, type FilterBuilder, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import type { SetFilterStateData } from './set-filter-state-data.ts';
import { StateValues } from './state-values.ts';

/** `envoy.filters.http.set_filter_state`: texts for the filters behind, for logs and for routes. No state. */
class SetFilterStateFilter implements HttpFilter, FilterFactory {
  private readonly values: StateValues;
  private readonly clearsRoute: boolean;

  constructor({ values, clearsRoute }: SetFilterStateData) {
    this.values = new StateValues(values);
    this.clearsRoute = clearsRoute;
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream): Verdict {
    this.values.set(stream.outcome);
    if (this.clearsRoute) stream.clearRoute();
    return Verdict.Continue;
  }
}

export const setFilterStateBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.set_filter_state.v3.Config',
  build: (data) => new SetFilterStateFilter(data as SetFilterStateData),
};
