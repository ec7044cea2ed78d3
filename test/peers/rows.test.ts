import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { groups } from './all-rows.ts';
import { Judge, explain } from './judge.ts';
import { envoy, sekisho } from './proxy.ts';

const reason = envoy.unavailable() ?? sekisho.unavailable();
if (reason !== null) console.log(`peers ${reason}`);

/** Rows that were asked more than once. */
const again: string[] = [];
afterAll(() => {
  if (again.length > 0) console.log(`peers asked again, equal at last:\n  ${again.join('\n  ')}`);
});

// Most of a row is waiting: several groups, each with proxies and upstreams of its own, wait at the same time.
describe.skipIf(reason !== null).each(groups)('$name', { concurrent: true }, (group) => {
  let judge: Judge;

  beforeAll(async () => {
    judge = await Judge.open(group, envoy, sekisho);
  });

  afterAll(async () => {
    await judge?.close();
  });

  test.each(group.rows)('$name', { concurrent: false }, async (row) => {
    const verdict = await judge.compare(row);
    if (verdict.tries > 1) again.push([`${group.name} > ${row.name}`, ...verdict.chance].join(', by chance '));
    expect(explain(verdict, 'envoy', 'sekisho')).toBe('');
    expect(verdict.stale, 'listed as a difference, but equal').toEqual([]);
  });
});
