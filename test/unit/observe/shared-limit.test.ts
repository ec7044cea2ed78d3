import { describe, expect, it } from 'vitest';

import { SharedNumberDirectory, SharedNumbers } from '../../../src/observe/shared-limit.ts';

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

  it('reuse the index of a released key', () => {
    const directory = new SharedNumberDirectory();
    const index = directory.allot('a');
    directory.release('a');
    directory.release('never');
    expect(directory.allot('b')).toBe(index);
  });
});
