import { expect, test } from 'vitest';
import type { Outcome } from '../../../../src/observe/outcome.ts';
import { anyHost, outcomeOf, request, tableFrom } from '../fixture.ts';

function matches(condition: string, fill: (outcome: Outcome) => void): boolean {
  const table = tableFrom(anyHost(`{ match: { prefix: /, ${condition} }, route: { cluster: c } }`));
  const head = request('/');
  const outcome = outcomeOf(head);
  fill(outcome);
  return table.match(head, { random: 0, outcome }) !== null;
}

const noted = (outcome: Outcome): void => {
  outcome.dynamicMetadata = new Map([['f', { a: { b: 'x' }, n: 1 }]]);
};
const nothing = (): void => {};
const metadata = (value: string, path = '[{ key: a }, { key: b }]', more = ''): string =>
  `dynamic_metadata: [{ filter: f, path: ${path}, value: ${value} ${more} }]`;

test.each<[string, boolean, boolean]>([
  [metadata('{ string_match: { exact: x } }'), true, false],
  [metadata('{ string_match: { exact: y } }'), false, false],
  [metadata('{ string_match: { exact: y } }', undefined, ', invert: true'), true, true],
  [metadata('{ present_match: true }'), true, false],
  [metadata('{ present_match: true }', undefined, ', invert: true'), false, true],
  [metadata('{ present_match: false }'), false, false],
  [metadata('{ double_match: { exact: 1 } }', '[{ key: n }]'), true, false],
  [metadata('{ or_match: { value_matchers: [{ bool_match: true }, { present_match: true }] } }'), true, false],
])('%s: %s where it is, %s without', (condition, whenNoted, otherwise) => {
  expect(matches(condition, noted)).toBe(whenNoted);
  expect(matches(condition, nothing)).toBe(otherwise);
});

test('filter_state', () => {
  const condition = 'filter_state: [{ key: k, string_match: { prefix: x } }]';
  const holding =
    (value: unknown) =>
    (outcome: Outcome): void => {
      outcome.filterState = new Map([['k', value]]);
    };
  expect(matches(condition, holding('xy'))).toBe(true);
  expect(matches(condition, holding('y'))).toBe(false);
  expect(matches(condition, holding(1))).toBe(false);
  expect(matches(condition, nothing)).toBe(false);
});
