import { describe, expect, it } from 'vitest';
import { Op, Ring, type RingUser } from '../../../../src/net/uring/ring.ts';
import { noRing } from './rings.ts';

/** IORING_OP_NOP: completes at once. */
const nothing = 0;

class Listening implements RingUser {
  readonly heard: number[] = [];

  onCompletion(what: number): void {
    this.heard.push(what);
  }
}

describe.skipIf(noRing !== '')('a ring', () => {
  it('takes more requests in a turn than it has places for, and answers each once, in order', () => {
    const ring = new Ring();
    const user = new Listening();
    const slot = ring.enlist(user);
    const count = 5000;
    for (let what = 1; what <= count; what++) ring.request(nothing, -1, 0, 0, 0, 0, 0, slot, what);
    ring.enter(0);
    ring.complete(() => {});
    expect(user.heard).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    ring.close();
  });

  it('loses no completion that its queue had no place for', () => {
    const ring = new Ring();
    const user = new Listening();
    const slot = ring.enlist(user);
    const count = 40_000;
    for (let what = 1; what <= count; what++) ring.request(nothing, -1, 0, 0, 0, 0, 0, slot, what);
    for (let turn = 0; turn < 10 && user.heard.length < count; turn++) {
      ring.enter(0);
      ring.complete(() => {});
    }
    expect(user.heard.length).toBe(count);
    expect(new Set(user.heard).size).toBe(count);
    ring.close();
  });

  it('gives a place again once it is dismissed', () => {
    const ring = new Ring();
    const first = ring.enlist(new Listening());
    const second = ring.enlist(new Listening());
    expect(second).not.toBe(first);
    ring.dismiss(first);
    expect(ring.enlist(new Listening())).toBe(first);
    ring.close();
  });

  it('says nothing of what nobody waits for, and reports what fails', () => {
    const ring = new Ring();
    const results: number[] = [];
    const slot = ring.enlist({ onCompletion: (_what, result) => results.push(result) });
    ring.request(Op.Close, -1, 0, 0, 0, 0, 0, 0, 0);
    ring.request(Op.Close, 1_000_000, 0, 0, 0, 0, 0, slot, 1);
    ring.enter(0);
    ring.complete(() => {});
    expect(results).toEqual([-9]);
    ring.close();
  });

  it('waits as long as it is told at most', () => {
    const ring = new Ring();
    ring.enter(1);
    expect(ring.complete(() => {})).toBe(0);
    ring.close();
  });
});
