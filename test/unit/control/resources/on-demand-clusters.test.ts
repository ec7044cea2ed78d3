import { describe, expect, it } from 'vitest';
import { absentMax, OnDemandClusters } from '../../../../src/control/resources/on-demand-clusters.ts';
import type { OpenedResource, Subscription } from '../../../../src/control/xds/resource-kind.ts';

const cluster = (name: string): OpenedResource => ({ name, packed: Buffer.from(name), version: '1', aliases: [] });

/** What comes is taken, but for `bad`. */
class World {
  readonly asked: string[][] = [];
  readonly missing: string[] = [];
  readonly there = new Set<string>();
  isStopped = false;
  readonly onDemand: OnDemandClusters;

  constructor() {
    const clusters = {
      onDelta: (set: readonly OpenedResource[], removed: readonly string[]) => {
        for (const { name } of set) if (name !== 'bad') this.there.add(name);
        for (const name of removed) this.there.delete(name);
        return set.some(({ name }) => name === 'bad') ? 'bad' : '';
      },
    };
    const subscription: Subscription = {
      start: () => {},
      stop: () => (this.isStopped = true),
      setNames: (names) => this.asked.push([...names]),
    };
    this.onDemand = new OnDemandClusters({
      clusters,
      has: (name) => this.there.has(name),
      open: (names) => {
        this.asked.push([...names]);
        return subscription;
      },
      missing: (name, worker) => this.missing.push(`${name} ${worker}`),
    });
  }

  get names(): readonly string[] | undefined {
    return this.asked.at(-1);
  }
}

describe('clusters that are asked for by name', () => {
  it('are asked for once, however many workers want them, and not where they are', () => {
    const { onDemand, asked, there } = new World();
    there.add('known');
    onDemand.want('known', 0);
    expect(asked).toEqual([]);
    onDemand.want('a', 0);
    onDemand.want('a', 1);
    onDemand.want('b', 0);
    expect(asked).toEqual([['a'], ['a', 'b']]);
    expect(onDemand.onResources([cluster('a')], '1')).toBe('');
    onDemand.want('a', 1);
    expect(asked).toHaveLength(2);
  });

  it('that there are none of are told to those who wait, and asked for anew when they are wanted again', () => {
    const world = new World();
    const { onDemand, asked, missing } = world;
    onDemand.want('a', 0);
    onDemand.want('a', 1);
    onDemand.want('b', 1);
    onDemand.onDelta([], ['a', 'never asked for'], '1');
    onDemand.onDelta([], ['a'], '2');
    expect(missing).toEqual(['a 0', 'a 1']);
    onDemand.want('a', 1);
    expect(asked.slice(-2)).toEqual([['b'], ['b', 'a']]);
  });

  it('that came and went are asked for anew', () => {
    const { onDemand, asked } = new World();
    onDemand.want('a', 0);
    onDemand.want('b', 0);
    onDemand.onDelta([cluster('a')], [], '1');
    onDemand.onDelta([], ['a'], '2');
    onDemand.want('a', 0);
    expect(asked.slice(-2)).toEqual([['b'], ['b', 'a']]);
  });

  it('that are refused are waited for', () => {
    const { onDemand, missing, asked } = new World();
    onDemand.want('bad', 0);
    onDemand.onGivenUp();
    expect(onDemand.onDelta([cluster('bad')], [], '1')).toBe('bad');
    onDemand.want('bad', 0);
    expect([missing, asked]).toEqual([[], [['bad']]]);
  });

  it('are bounded: the oldest that never came is forgotten', () => {
    const world = new World();
    world.onDemand.want('here', 0);
    world.onDemand.onDelta([cluster('here')], [], '1');
    for (let i = 0; i <= absentMax; i++) world.onDemand.want(`c${i}`, 1);
    expect(world.missing).toEqual(['c0 1']);
    expect(world.names).toHaveLength(absentMax + 1);
    world.onDemand.stop();
    expect(world.isStopped).toBe(true);
  });
});
