import { buildFormat } from '../../observe/access-log-build.ts';
import type { Formatter } from '../../observe/formatter.ts';
import { Verdict, type FilterBuilder, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import type { SetFilterStateData } from './set-filter-state-data.ts';

interface Value {
  readonly key: string;
  readonly formatter: Formatter;
  readonly skipsEmpty: boolean;
}

/** `envoy.filters.http.set_filter_state`: texts for the filters behind, for logs and for routes. No state. */
class SetFilterStateFilter implements HttpFilter, FilterFactory {
  private readonly values: readonly Value[];
  private readonly clearsRoute: boolean;

  constructor({ values, clearsRoute }: SetFilterStateData) {
    this.values = values.map(({ key, format, skipsEmpty }) => ({ key, formatter: buildFormat(format), skipsEmpty }));
    this.clearsRoute = clearsRoute;
  }

  create(): HttpFilter {
    return this;
  }

  onRequestHead(stream: Stream): Verdict {
    const { outcome } = stream;
    for (const { key, formatter, skipsEmpty } of this.values) {
      const text = formatter.format(outcome);
      if (text === '' && skipsEmpty) continue;
      outcome.filterState ??= new Map();
      outcome.filterState.set(key, text);
    }
    if (this.clearsRoute) stream.clearRoute();
    return Verdict.Continue;
  }
}

export const setFilterStateBuilder: FilterBuilder = {
  kind: 'envoy.extensions.filters.http.set_filter_state.v3.Config',
  build: (data) => new SetFilterStateFilter(data as SetFilterStateData),
};
