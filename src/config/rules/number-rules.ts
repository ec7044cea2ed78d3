import { anyOf, isSet, type Rule } from './rule.ts';

/** What all of the number rules, and after conversion the time rules, share. */
export interface OrderRules<T> {
  readonly const: T;
  readonly lt: T;
  readonly lte: T;
  readonly gt: T;
  readonly gte: T;
  readonly in: readonly T[];
  readonly notIn: readonly T[];
}

/** `convert` makes a value comparable, `text` writes it as the configuration would. */
export function orderRules<T>(
  rules: OrderRules<T>,
  convert: (value: T) => number | bigint,
  text: (value: T) => string,
): Rule[] {
  const result: Rule[] = [];
  const add = (isRight: (value: number | bigint) => boolean, message: string): void => {
    result.push((value) => (isRight(convert(value as T)) ? null : message));
  };
  if (isSet(rules, 'const')) {
    const wanted = convert(rules.const);
    add((value) => value === wanted, `must be ${text(rules.const)}`);
  }
  addRange(rules, convert, text, add);
  if (rules.in.length > 0) {
    const wanted = new Set(rules.in.map(convert));
    add((value) => wanted.has(value), `must be ${anyOf(rules.in.map(text))}`);
  }
  if (rules.notIn.length > 0) {
    const unwanted = new Set(rules.notIn.map(convert));
    add((value) => !unwanted.has(value), `must not be ${anyOf(rules.notIn.map(text))}`);
  }
  return result;
}

type Add = (isRight: (value: number | bigint) => boolean, message: string) => void;

function addRange<T>(
  rules: OrderRules<T>,
  convert: (value: T) => number | bigint,
  text: (value: T) => string,
  add: Add,
): void {
  const upper = isSet(rules, 'lt') ? rules.lt : isSet(rules, 'lte') ? rules.lte : null;
  const lower = isSet(rules, 'gt') ? rules.gt : isSet(rules, 'gte') ? rules.gte : null;
  const max = upper === null ? null : convert(upper);
  const min = lower === null ? null : convert(lower);
  // Written so that NaN is never right.
  const isBelow = (value: number | bigint): boolean =>
    max !== null && (isSet(rules, 'lt') ? value < max : value <= max);
  const isAbove = (value: number | bigint): boolean =>
    min !== null && (isSet(rules, 'gt') ? value > min : value >= min);
  const below = upper === null ? '' : `${isSet(rules, 'lt') ? 'less than' : 'at most'} ${text(upper)}`;
  const above = lower === null ? '' : `${isSet(rules, 'gt') ? 'greater than' : 'at least'} ${text(lower)}`;
  if (max !== null && min !== null) {
    // An upper bound below the lower one means what is outside, as protoc-gen-validate defines it.
    if (max < min) add((value) => isBelow(value) || isAbove(value), `must be ${below} or ${above}`);
    else add((value) => isBelow(value) && isAbove(value), `must be ${above} and ${below}`);
  } else if (max !== null) {
    add(isBelow, `must be ${below}`);
  } else if (min !== null) {
    add(isAbove, `must be ${above}`);
  }
}
