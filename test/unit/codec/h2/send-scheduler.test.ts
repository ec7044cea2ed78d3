import { expect, test } from 'vitest';
import { SendScheduler, type Sender } from '../../../../src/codec/h2/flow/send-scheduler.ts';

class Counted implements Sender {
  nextSender: Sender | null = null;
  previousSender: Sender | null = null;
  private readonly name: string;
  private readonly log: string[];
  private frames: number;

  constructor(name: string, frames: number, log: string[]) {
    this.name = name;
    this.frames = frames;
    this.log = log;
  }

  sendFrame(): boolean {
    this.log.push(this.name);
    return --this.frames > 0;
  }
}

function run(scheduler: SendScheduler): void {
  while (!scheduler.isIdle) scheduler.step();
}

test('senders take turns', () => {
  const log: string[] = [];
  const scheduler = new SendScheduler();
  for (const sender of [new Counted('a', 3, log), new Counted('b', 1, log), new Counted('c', 2, log)])
    scheduler.add(sender);
  run(scheduler);
  expect(log.join('')).toBe('abcaca');
});

test('who is added twice has one turn', () => {
  const log: string[] = [];
  const scheduler = new SendScheduler();
  const a = new Counted('a', 1, log);
  scheduler.add(a);
  scheduler.add(a);
  run(scheduler);
  expect(log).toEqual(['a']);
});

test('who is removed has none, wherever it stands', () => {
  for (const gone of [0, 1, 2]) {
    const log: string[] = [];
    const scheduler = new SendScheduler();
    const senders = ['a', 'b', 'c'].map((name) => new Counted(name, 2, log));
    for (const sender of senders) scheduler.add(sender);
    scheduler.remove(senders[gone]);
    scheduler.remove(senders[gone]);
    run(scheduler);
    const rest = 'abc'.replace('abc'[gone], '');
    expect(log.join('')).toBe(rest + rest);
  }
});

test('one that comes back goes to the end', () => {
  const log: string[] = [];
  const scheduler = new SendScheduler();
  const [a, b] = [new Counted('a', 2, log), new Counted('b', 2, log)];
  scheduler.add(a);
  scheduler.add(b);
  scheduler.step();
  scheduler.remove(a);
  scheduler.add(a);
  run(scheduler);
  expect(log.join('')).toBe('abab');
});
