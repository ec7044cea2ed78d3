import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { groups } from './all-rows.ts';
import { Judge, explain } from './judge.ts';
import { envoy, sekisho } from './proxy.ts';

const reason = envoy.unavailable() ?? sekisho.unavailable();
if (reason !== null) console.log(`peers ${reason}`);

describe.skipIf(reason !== null).each(groups)('$name', (group) => {
  let judge: Judge;

  beforeAll(async () => {
    judge = await Judge.open(group, envoy, sekisho);
  });

  afterAll(async () => {
    await judge?.close();
  });

  test.each(group.rows)('$name', async (row) => {
    const verdict = await judge.compare(row);
    expect(explain(verdict, 'envoy', 'sekisho')).toBe('');
    const stale = Object.keys(row.differs ?? {}).filter(
      (prefix) => !verdict.differences.some(({ path }) => path.startsWith(prefix)),
    );
    expect(stale, 'listed as a difference, but equal').toEqual([]);
  });
});
