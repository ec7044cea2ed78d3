import { expect, test } from 'vitest';
import { NeededResources, type NeededResource } from '../../../../src/control/resources/needed.ts';

class Thing implements NeededResource {
  isReady = false;
  starts = 0;
  stops = 0;

  start(): void {
    this.starts++;
  }

  stop(): void {
    this.stops++;
  }
}

function world() {
  const made = new Map<string, Thing>();
  const forgotten: string[] = [];
  const needed = new NeededResources<{ readonly key: string }, Thing>(
    ({ key }) => {
      const thing = new Thing();
      made.set(key, thing);
      return thing;
    },
    (key) => forgotten.push(key),
  );
  return { made, forgotten, needed };
}

test('one is there for as long as anybody needs it, and is asked for once', () => {
  const { made, forgotten, needed } = world();
  const a = [{ key: 'a' }];
  needed.need(a);
  needed.need([{ key: 'a' }, { key: 'b' }]);
  expect([...made.keys()]).toEqual(['a', 'b']);
  needed.start(a);
  needed.start(a);
  expect(made.get('a')!.starts).toBe(1);
  expect(made.get('b')!.starts).toBe(0);
  needed.drop(a);
  expect(forgotten).toEqual([]);
  needed.drop([...a, { key: 'unknown' }]);
  expect(forgotten).toEqual(['a']);
  expect(made.get('a')!.stops).toBe(1);
  expect(needed.get('a')).toBeNull();
  expect([...needed]).toEqual([made.get('b')]);
});

test('what nobody knows is not waited for', () => {
  const { made, needed } = world();
  needed.need([{ key: 'a' }, { key: 'b' }]);
  expect(needed.areReady([{ key: 'a' }])).toBe(false);
  made.get('a')!.isReady = true;
  expect(needed.areReady([{ key: 'a' }, { key: 'unknown' }])).toBe(true);
  expect(needed.areReady([{ key: 'a' }, { key: 'b' }])).toBe(false);
  needed.stop();
  expect(made.get('b')!.stops).toBe(1);
});
