import type { RuntimeView } from '../core/runtime-view.ts';
import type { RuntimeEntries } from './runtime-data.ts';

/**
 * The merged layers, as workers ask them. The main thread posts the whole map (it is structured-clone-able) and each
 * worker swaps it in with `update`.
 */
export class RuntimeValues implements RuntimeView {
  private entries: RuntimeEntries;

  constructor(entries: RuntimeEntries = new Map()) {
    this.entries = entries;
  }

  update(entries: RuntimeEntries): void {
    this.entries = entries;
  }

  number(key: string, otherwise: number): number {
    return this.entries.get(key)?.number ?? otherwise;
  }

  boolean(key: string, otherwise: boolean): boolean {
    return this.entries.get(key)?.boolean ?? otherwise;
  }

  /** A plain number is a percentage; a negative one or a text counts as absent. As Envoy's `featureEnabled`. */
  fraction(key: string, numerator: number, denominator: number, random: number): boolean {
    const value = this.entries.get(key);
    if (value !== undefined) {
      if (value.fraction !== null) return isBelow(random, value.fraction.numerator, value.fraction.denominator);
      if (value.number !== null && value.number >= 0 && Number.isInteger(value.number)) {
        return isBelow(random, value.number, 100);
      }
    }
    return isBelow(random, numerator, denominator);
  }
}

function isBelow(random: number, numerator: number, denominator: number): boolean {
  return random * denominator < numerator;
}
