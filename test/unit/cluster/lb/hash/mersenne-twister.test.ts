import { expect, test } from 'vitest';
import { MersenneTwister } from '../../../../../src/cluster/lb/hash/mersenne-twister.ts';

test('the ten thousandth number of the default seed is what the C++ standard says', () => {
  const random = new MersenneTwister(5489);
  for (let i = 1; i < 10_000; i++) random.draw();
  expect(random.draw()).toBe(4123659995);
});
