import type { ConfigObject } from '../../config/config-value.ts';
import type { RouteRuntime } from '../../route/route.ts';
import type { CaseInput } from './route-case.ts';

/** Stands for a fraction that no key of the runtime decides: the case's random value alone does. */
export const noKey = '(none)';

/**
 * The runtime of one case after the other: a key that the case names holds what the table says by default, all others
 * are off. Numbers are those of the tests file.
 */
export class CaseRuntime implements RouteRuntime {
  private readonly numbers: ConfigObject;
  private key: string;
  private random: bigint;

  constructor(numbers: ConfigObject) {
    this.numbers = numbers;
    this.key = '';
    this.random = 0n;
  }

  take({ runtimeKey, randomValue }: CaseInput): void {
    this.key = runtimeKey;
    this.random = randomValue;
  }

  number(key: string, otherwise: number): number {
    const value = this.numbers[key];
    return typeof value === 'number' ? value : otherwise;
  }

  fraction(key: string, numerator: number, denominator: number): boolean {
    return (key === noKey || key === this.key) && this.random % BigInt(denominator) < BigInt(numerator);
  }
}
