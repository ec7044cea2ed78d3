import type { FilterBuilder } from '../filter.ts';
import { MatchDelegate } from './match-delegate.ts';
import { matchDelegateKind, type MatchDelegateData } from './match-delegate-data.ts';

export const matchDelegateBuilder: FilterBuilder = {
  kind: matchDelegateKind,
  build(data, context) {
    const delegate = data as MatchDelegateData;
    if (context.filterBuilder === undefined) throw new Error('a filter is to be built, and nobody knows how');
    return new MatchDelegate(delegate, context.filterBuilder(delegate.kind).build(delegate.data, context));
  },
};
