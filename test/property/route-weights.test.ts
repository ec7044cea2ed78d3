import { expect, test } from 'vitest';
import { FixedCluster, WeightedClusters } from '../../src/route/action/cluster-specifier.ts';
import { fixedRuntime, request } from '../unit/route/fixture.ts';
import * as fc from './chance.ts';

const weights = fc
  .array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 6 })
  .filter((list) => list.some((weight) => weight > 0));

function specifier(list: readonly number[], header: string): WeightedClusters {
  const entries = list.map((weight, i) => ({ name: `c${i}`, weight, specifier: new FixedCluster(`c${i}`) }));
  return new WeightedClusters(entries, header, '', fixedRuntime);
}

test('each cluster gets exactly its share of all values', () => {
  fc.assert(
    fc.property(weights, (list) => {
      const total = list.reduce((sum, weight) => sum + weight, 0);
      const clusters = specifier(list, '');
      const counts = list.map(() => 0);
      for (let value = 0; value < total; value++) {
        counts[Number(clusters.choose(request('/'), (value + 0.5) / total).name.slice(1))]++;
      }
      expect(counts).toEqual(list);
    }),
  );
});

test('a value in a header counts modulo the sum, up to 64 bits', () => {
  fc.assert(
    fc.property(weights, fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (list, value) => {
      const total = BigInt(list.reduce((sum, weight) => sum + weight, 0));
      const plain = specifier(list, '').choose(request('/'), (Number(value % total) + 0.5) / Number(total)).name;
      expect(specifier(list, 'x-r').choose(request('/', `x-r: ${value}`), 0).name).toBe(plain);
    }),
  );
});
