import { buildValueMatcher } from '../../observe/access-log/filter.ts';
import { stateText } from '../../observe/filter-state.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { FilterStateMatcherData, MetadataMatcherData } from './matcher-data.ts';
import { StringMatcher } from './string-matcher.ts';

/** Asks what filters have noted of a request: one of `dynamic_metadata`. */
export class MetadataMatcher {
  private readonly data: MetadataMatcherData;
  private readonly test: (value: unknown) => boolean;

  constructor(data: MetadataMatcherData) {
    this.data = data;
    this.test = buildValueMatcher(data.value);
  }

  matches(outcome: Outcome | undefined): boolean {
    const { filter, path, invert } = this.data;
    let value: unknown = outcome?.dynamicMetadata?.get(filter);
    for (const key of path)
      value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
    // As in Envoy, what is missing meets no test, `present_match: false` included.
    return (value !== undefined && this.test(value)) !== invert;
  }
}

/** Asks for an object of the filter state by what it is as a string: one of `filter_state`. */
export class FilterStateMatcher {
  private readonly key: string;
  private readonly string: StringMatcher;

  constructor(data: FilterStateMatcherData) {
    this.key = data.key;
    this.string = new StringMatcher(data.string);
  }

  matches(outcome: Outcome | undefined): boolean {
    const text = stateText(outcome?.filterState?.get(this.key));
    return text !== null && this.string.matches(text);
  }
}
