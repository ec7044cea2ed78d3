import { describe, expect, test } from 'vitest';
import { StreamTable } from '../../../../src/codec/h2/flow/stream-table.ts';
import * as fc from '../../../property/chance.ts';

describe('a table of streams', () => {
  test('is what a map is, whatever comes and goes', () => {
    const id = fc.oneof(
      fc.nat(40),
      fc.nat(40).map((n) => n * 64),
      fc.nat(0x7fffffff),
    );
    const step = fc.record({ id, isAdded: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const table = new StreamTable<{ id: number }>();
        const map = new Map<number, { id: number }>();
        for (const { id, isAdded } of steps) {
          if (isAdded && !map.has(id)) {
            const stream = { id };
            map.set(id, stream);
            table.add(stream);
          } else if (!isAdded) {
            map.delete(id);
            table.delete(id);
          }
          expect(table.size).toBe(map.size);
          expect(table.get(id)).toBe(map.get(id));
        }
        const inOrder = [...map.values()].toSorted((one, other) => one.id - other.id);
        expect([...table.values()]).toEqual(inOrder);
        for (const stream of inOrder) expect(table.has(stream.id)).toBe(true);
      }),
    );
  });

  test('keeps up with a connection that opens and ends streams for long', () => {
    const table = new StreamTable<{ id: number }>();
    const old = { id: 1 };
    table.add(old);
    for (let id = 3; id < 20_000; id += 2) {
      table.add({ id });
      if (id > 201) table.delete(id - 200);
    }
    expect(table.get(1)).toBe(old);
    expect(table.size).toBe(101);
    expect(table.get(20_001)).toBeUndefined();
  });

  test('leaves out of its walk what has left it', () => {
    const table = new StreamTable<{ id: number }>();
    for (const id of [5, 1, 3]) table.add({ id });
    const seen: number[] = [];
    for (const { id } of table.values()) {
      seen.push(id);
      table.delete(3);
    }
    expect(seen).toEqual([1, 5]);
  });
});
