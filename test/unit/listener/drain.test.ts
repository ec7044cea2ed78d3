import { describe, expect, it } from 'vitest';
import { Drain, type DrainOptions } from '../../../src/listener/drain.ts';
import { MemoryNetwork } from '../cluster/memory-network.ts';
import { seededRandom } from '../cluster/cluster-fixture.ts';

function open(options: DrainOptions) {
  const { clock } = new MemoryNetwork();
  const drain = new Drain(options, clock, seededRandom(7));
  /** Of a thousand answers, rounded to hundreds. */
  const asked = () => Math.round(Array.from({ length: 1000 }, () => drain.asksToGo).filter(Boolean).length / 100);
  return { clock, drain, asked };
}

describe('gradual', () => {
  it('asks more and more clients, second by second, and all of them in the end', () => {
    const { clock, drain, asked } = open({ strategy: 'gradual', timeMs: 10_000 });
    expect(asked()).toBe(0);
    drain.begin();
    expect(asked()).toBe(1);
    clock.now += 999;
    expect(asked()).toBe(1);
    clock.now += 4001;
    expect(asked()).toBe(6);
    clock.now += 4000;
    expect(asked()).toBe(10);
    clock.now += 60_000;
    expect(asked()).toBe(10);
  });

  it('does not begin again', () => {
    const { clock, drain, asked } = open({ strategy: 'gradual', timeMs: 10_000 });
    drain.begin();
    clock.now += 10_000;
    drain.begin();
    expect(asked()).toBe(10);
  });

  it('asks everybody where there is no time', () => {
    const { drain, asked } = open({ strategy: 'gradual', timeMs: 0 });
    drain.begin();
    expect(asked()).toBe(10);
  });
});

it('immediate asks everybody from the beginning', () => {
  const { drain, asked } = open({ strategy: 'immediate', timeMs: 600_000 });
  expect(asked()).toBe(0);
  drain.begin();
  expect(asked()).toBe(10);
});
