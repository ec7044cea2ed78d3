import { expect, test } from 'vitest';
import { Discovered } from '../../../src/listener/discovered.ts';

test('followers hear of every other one, and those that come late ask what there is', () => {
  const discovered = new Discovered<string>();
  const heard: string[] = [];
  const unfollow = discovered.follow('k', (data) => heard.push(data));
  expect(discovered.get('k')).toBeNull();
  discovered.set('k', 'one');
  discovered.set('other', 'x');
  discovered.set('k', 'two');
  expect(discovered.get('k')).toBe('two');
  unfollow();
  discovered.set('k', 'three');
  expect(heard).toEqual(['one', 'two']);
  expect(discovered.get('k')).toBe('three');
});

test('what is removed is not there for who comes later, and comes again for who stayed', () => {
  const discovered = new Discovered<string>();
  const heard: string[] = [];
  discovered.set('k', 'one');
  discovered.follow('k', (data) => heard.push(data));
  discovered.remove('k');
  discovered.remove('unknown');
  expect(discovered.get('k')).toBeNull();
  discovered.set('k', 'two');
  expect(heard).toEqual(['two']);
});
