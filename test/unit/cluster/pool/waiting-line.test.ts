import { describe, expect, it } from 'vitest';
import { WaitingLine } from '../../../../src/cluster/pool/waiting-line.ts';

describe('WaitingLine', () => {
  it('is first in, first out, and anybody may leave', () => {
    const line = new WaitingLine<{ name: string }>();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name }));
    for (const waiter of [a, b, c]) line.push(waiter);
    expect(line.leave(b)).toBe(true);
    expect(line.leave(b)).toBe(false);
    expect(line.size).toBe(2);
    expect([line.shift(), line.shift(), line.shift()]).toEqual([a, c, null]);
    expect(line.leave(a)).toBe(false);
    expect(line.size).toBe(0);
  });
});
