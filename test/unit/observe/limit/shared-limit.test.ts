import { describe, expect, it } from 'vitest';

import { SharedNumberDirectory, SharedNumbers } from '../../../../src/observe/limit/shared-limit.ts';

describe('SharedNumbers', () => {
  it('count over all threads on the index of a key', () => {
    const directory = new SharedNumberDirectory();
    const index = directory.allot('up/default/max_requests');
    expect(directory.allot('up/default/max_requests')).toBe(index);
    expect(directory.allot('up/high/max_requests')).not.toBe(index);
    const a = new SharedNumbers(directory.join('worker_0')).slot(index);
    const b = new SharedNumbers(directory.join('worker_1')).slot(index);
    expect(a.inc()).toBe(1);
    expect(b.inc()).toBe(2);
    expect(b.dec()).toBe(1);
    expect(a.load()).toBe(1);
    expect(directory.load('up/default/max_requests')).toBe(1);
    expect(directory.load('unknown')).toBe(0);
  });

  it('let nobody past a limit', () => {
    const directory = new SharedNumberDirectory();
    const number = new SharedNumbers(directory.join('w')).slot(directory.allot('k'));
    expect([number.tryInc(2), number.tryInc(2), number.tryInc(2)]).toEqual([true, true, false]);
    number.dec();
    expect(number.tryInc(2)).toBe(true);
  });

  it('get back what an ended thread still held', () => {
    const directory = new SharedNumberDirectory();
    const index = directory.allot('k');
    const a = new SharedNumbers(directory.join('a')).slot(index);
    const b = new SharedNumbers(directory.join('b')).slot(index);
    a.inc();
    a.tryInc(9);
    b.inc();
    directory.leave('a');
    expect(b.load()).toBe(1);
    const again = new SharedNumbers(directory.join('a')).slot(index);
    expect(again.inc()).toBe(2);
  });

  describe('of a released key', () => {
    it('give their index to the next', () => {
      const directory = new SharedNumberDirectory();
      const index = directory.allot('a');
      directory.release('a');
      directory.release('never');
      expect(directory.allot('b')).toBe(index);
      expect(directory.allot('a')).not.toBe(index);
    });

    it('keep it for as long as somebody counts on it', () => {
      const directory = new SharedNumberDirectory();
      const index = directory.allot('a');
      const number = new SharedNumbers(directory.join('w')).slot(index);
      number.inc();
      directory.release('a');
      expect(directory.allot('b')).not.toBe(index);
      number.dec();
      expect(directory.allot('c')).toBe(index);
    });

    it('keep it where the key is wanted again', () => {
      const directory = new SharedNumberDirectory();
      const index = directory.allot('a');
      directory.release('a');
      expect(directory.allot('a')).toBe(index);
      expect(directory.allot('b')).not.toBe(index);
    });

    it('do not pile up', () => {
      const directory = new SharedNumberDirectory();
      for (let i = 0; i < 100; i++) {
        expect(directory.allot(`cluster/${i}`)).toBeLessThan(2);
        directory.release(`cluster/${i}`);
      }
    });
  });

  it('tell whether anybody has ever counted', () => {
    const directory = new SharedNumberDirectory();
    const index = directory.allot('k');
    const number = new SharedNumbers(directory.join('w')).slot(index);
    expect(directory.isUsed('k')).toBe(false);
    number.inc();
    number.dec();
    expect([directory.load('k'), directory.isUsed('k')]).toEqual([0, true]);
    directory.leave('w');
    expect([directory.load('k'), directory.isUsed('k')]).toEqual([0, true]);
    expect(directory.isUsed('unknown')).toBe(false);
  });
});
