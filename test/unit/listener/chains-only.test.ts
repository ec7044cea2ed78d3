import { describe, expect, test } from 'vitest';
import { changesChainsOnly } from '../../../src/listener/chains-only.ts';
import { KnownChains } from '../../../src/listener/known-chains.ts';
import type { FilterChain } from '../../../src/listener/listener.ts';
import type { FilterChainData, ListenerData } from '../../../src/listener/listener-data.ts';

function chain(name: string, port: number): FilterChainData {
  return { name, match: { destinationPort: port }, filters: [], transport: null } as unknown as FilterChainData;
}

function listener(changes: Partial<ListenerData> = {}): ListenerData {
  const base = { name: 'l', addresses: [], filterChains: [chain('a', 1)], defaultFilterChain: null, bufferLimit: 1 };
  return { ...base, ...changes } as unknown as ListenerData;
}

describe('a listener whose filter chains alone are others', () => {
  test.each<[Partial<ListenerData>, boolean]>([
    [{ filterChains: [chain('b', 2)] }, true],
    [{ defaultFilterChain: chain('d', 3) }, true],
    [{ filterChains: [] }, false],
    [{ filterChains: [chain('b', 2)], bufferLimit: 2 }, false],
  ])('with %j: %s', (changes, isInPlace) => {
    expect(changesChainsOnly(listener(), listener(changes))).toBe(isInPlace);
  });
});

test('chains are found again by what they are made of, wherever they stand', () => {
  const built = ['a', 'b', 'unnamed', 'default'].map((name) => ({ name }) as FilterChain);
  const data = listener({
    filterChains: [chain('a', 1), chain('a', 2), chain('', 3)],
    defaultFilterChain: chain('d', 4),
  });
  const known = new KnownChains({ data, chains: built });
  expect(known.find(chain('a', 2))).toBe(built[1]);
  expect(known.find(chain('', 3))).toBe(built[2]);
  expect(known.find(chain('d', 4))).toBe(built[3]);
  expect(known.find(chain('a', 3))).toBeNull();
  expect(known.find(chain('e', 1))).toBeNull();
});
