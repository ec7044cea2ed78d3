import { expect, test } from 'vitest';
import { NetworkFilterBuilders, networkFilterKinds } from '../../../../src/filter/network/builders.ts';

test.each(networkFilterKinds)('%s leads to the filter that takes it', async (kind) => {
  const builders = new NetworkFilterBuilders();
  expect(builders.get(kind)).toBeUndefined();
  await builders.load([kind, 'anything']);
  expect(builders.get(kind)!.kind).toBe(kind);
  await builders.load([kind]);
  expect(builders.get('anything')).toBeUndefined();
});
