import { describe, expect, it } from 'vitest';
import { editDistance, nearName } from '../../../src/config/near-name.ts';

describe('editDistance', () => {
  it.each([
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['clutser', 'cluster', 1],
    ['abc', 'abc', 0],
    ['ca', 'abc', 3],
  ])('%s to %s', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe('nearName', () => {
  it('takes the nearest, whatever its case', () => {
    expect(nearName('conect_timeout', ['name', 'connect_timeout', 'reconnect_timeout'])).toBe('connect_timeout');
    expect(nearName('ROUNDROBIN', ['RANDOM', 'round_robin'])).toBe('round_robin');
  });

  it('says nothing when nothing is near, or the name is too short to tell', () => {
    expect(nearName('foo', ['listeners', 'clusters'])).toBeUndefined();
    expect(nearName('d', ['c'])).toBeUndefined();
  });
});
