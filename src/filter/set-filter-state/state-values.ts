import { buildFormat } from '../../observe/access-log-build.ts';
import { SharedText } from '../../observe/filter-state.ts';
import type { Formatter } from '../../observe/formatter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { FilterStateValueData } from './set-filter-state-data.ts';

interface Value {
  readonly key: string;
  readonly formatter: Formatter;
  readonly skipsEmpty: boolean;
  readonly shared: FilterStateValueData['shared'];
}

/** Texts that a filter makes of what is known, for the filter state. */
export class StateValues {
  private readonly values: readonly Value[];

  constructor(values: readonly FilterStateValueData[]) {
    this.values = values.map(({ key, format, skipsEmpty, shared }) => ({
      key,
      formatter: buildFormat(format),
      skipsEmpty,
      shared,
    }));
  }

  /** Made of `outcome`, and set in its filter state. */
  set(outcome: Outcome): void {
    for (const { key, formatter, skipsEmpty, shared } of this.values) {
      const text = formatter.format(outcome);
      if (text === '' && skipsEmpty) continue;
      outcome.filterState ??= new Map();
      const value = shared === null ? text : new SharedText(text, shared.isHashable, shared.isTransitive);
      outcome.filterState.set(key, value);
    }
  }
}
