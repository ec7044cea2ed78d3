import { expect, it } from 'vitest';
import { StatNamesInUse } from '../../../../src/cluster/stats/stat-names-in-use.ts';
import type { StatsScope } from '../../../../src/observe/stats/stats.ts';

it('a name is forgotten with the last cluster that counts under it', () => {
  const forgotten: string[] = [];
  const names = new StatNamesInUse({ forget: (name: string) => void forgotten.push(name) } as unknown as StatsScope);
  names.enter('a');
  names.enter('a');
  expect([names.leave('a'), forgotten]).toEqual([false, []]);
  expect([names.leave('a'), forgotten]).toEqual([true, ['a']]);
});
