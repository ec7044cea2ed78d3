import { buildFormat } from '../../observe/access-log/build.ts';
import { formatAddress } from '../../core/peer.ts';
import { parseSocketAddress } from '../../core/socket-address.ts';
import { AddressText, SharedAddress, SharedText } from '../../observe/filter-state.ts';
import type { Formatter } from '../../observe/format/formatter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { FilterStateValueData } from './set-filter-state-data.ts';

interface Value {
  readonly key: string;
  readonly formatter: Formatter;
  readonly skipsEmpty: boolean;
  readonly isAddress: boolean;
  readonly shared: FilterStateValueData['shared'];
}

/** Texts that a filter makes of what is known, for the filter state. */
export class StateValues {
  private readonly values: readonly Value[];

  constructor(values: readonly FilterStateValueData[]) {
    this.values = values.map(({ key, format, skipsEmpty, isAddress = false, shared }) => ({
      key,
      formatter: buildFormat(format),
      skipsEmpty,
      isAddress,
      shared,
    }));
  }

  /** Made of `outcome`, and set in its filter state. */
  set(outcome: Outcome): void {
    for (const { key, formatter, skipsEmpty, isAddress, shared } of this.values) {
      const text = formatter.format(outcome);
      if (text === '' && skipsEmpty) continue;
      const value = isAddress ? addressIn(text, shared) : textAs(text, shared);
      if (value === null) continue;
      outcome.filterState ??= new Map();
      outcome.filterState.set(key, value);
    }
  }
}

function textAs(text: string, shared: Value['shared']): string | SharedText {
  return shared === null ? text : new SharedText(text, shared.isHashable, shared.isTransitive);
}

/** In its one spelling; null: it is no address. */
function addressIn(text: string, shared: Value['shared']): AddressText | SharedText | null {
  const address = parseSocketAddress(text);
  if (address === null) return null;
  const told = formatAddress(address);
  return shared === null ? new AddressText(told) : new SharedAddress(told, shared.isHashable, shared.isTransitive);
}
