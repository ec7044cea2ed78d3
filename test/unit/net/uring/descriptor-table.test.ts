import { openSync } from 'node:fs';
import { readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DescriptorTable } from '../../../../src/net/uring/descriptor-table.ts';
import { closeLeftOpen } from '../../../../src/net/uring/left-open.ts';
import { noRing } from './rings.ts';

describe('a table of descriptors', () => {
  it('knows what is open and mapped, from another thread too, and forgets what it has told', () => {
    const mine = new DescriptorTable();
    for (const fd of [0, 31, 32, 4711]) mine.opened(fd);
    mine.closed(32);
    const area = { address: 0x7fff_1234_5678n, size: 4096 };
    mine.mapped([area]);
    const others = new DescriptorTable(mine.shared);
    expect(others.takeAll()).toEqual({ descriptors: [0, 31, 4711], areas: [area] });
    expect(mine.takeAll()).toEqual({ descriptors: [], areas: [] });
  });

  it.skipIf(noRing !== '')('is what a thread that is gone is cleaned up by', () => {
    const table = new DescriptorTable();
    const fd = openSync('/dev/null', 'r');
    table.opened(fd);
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe('/dev/null');
    expect(closeLeftOpen(table.shared)).toBe(1);
    expect(() => readlinkSync(`/proc/self/fd/${fd}`)).toThrow(/ENOENT/);
  });
});
