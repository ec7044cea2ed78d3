import { expect, test } from 'vitest';
import type { Certified } from '../../../../src/agent/identity/ca-client.ts';
import { GrowingWait, machineTime, type Later } from '../../../../src/agent/identity/later.ts';
import { renewalDelayMs, WorkloadCertificate } from '../../../../src/agent/identity/workload-certificate.ts';
import { KeptLog } from '../../../kept-log.ts';

/** Time that a test moves. */
class TestTime implements Later {
  private time = 1000;
  readonly waits: { readonly at: number; readonly run: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(delayMs: number, run: () => void): () => void {
    const wait = { at: this.time + delayMs, run };
    this.waits.push(wait);
    return () => void this.waits.splice(this.waits.indexOf(wait), 1);
  }

  /** Runs the next that waits. @returns how long it has waited */
  async next(): Promise<number> {
    const wait = this.waits.shift()!;
    const waited = wait.at - this.time;
    this.time = wait.at;
    wait.run();
    await new Promise((resolve) => setImmediate(resolve));
    return waited;
  }
}

const certified = (roots: string, expiresMs: number): Certified => ({ chain: 'chain', key: 'key', roots, expiresMs });

test('is renewed in the middle of its life, and says when roots are others', async () => {
  const time = new TestTime();
  const answers = [certified('one', 11_000), certified('one', 26_000), certified('two', 36_000)];
  const told: [number, boolean][] = [];
  const certificate = new WorkloadCertificate({
    certify: () => Promise.resolve(answers.shift()!),
    renewal: { graceRatio: 0.5, graceJitter: 0 },
    later: time,
    random: () => 0.5,
    log: new KeptLog(),
    onChanged: ({ expiresMs }, hasNewRoots) => told.push([expiresMs, hasNewRoots]),
  });
  await certificate.start();
  expect(await time.next()).toBe(5000);
  expect(await time.next()).toBe(10_000);
  expect(told).toEqual([
    [11_000, true],
    [26_000, false],
    [36_000, true],
  ]);
  certificate.close();
  expect(time.waits).toEqual([]);
});

test('one that cannot be renewed stays, and is asked for again and again, ever later', async () => {
  const time = new TestTime();
  let isRefused = false;
  const certificate = new WorkloadCertificate({
    certify: () => (isRefused ? Promise.reject(new Error('no')) : Promise.resolve(certified('one', 11_000))),
    renewal: { graceRatio: 0.5, graceJitter: 0 },
    later: time,
    random: () => 0.5,
    log: new KeptLog(),
    onChanged: () => {},
  });
  await certificate.start();
  isRefused = true;
  await time.next();
  expect([await time.next(), await time.next(), await time.next()]).toEqual([500, 750, 1125]);
  expect(certificate.current?.expiresMs).toBe(11_000);
  isRefused = false;
  await time.next();
  expect(time.waits).toHaveLength(1);
  certificate.close();
});

test('waits grow to a minute', () => {
  const wait = new GrowingWait(() => 0.5);
  const waits = Array.from({ length: 15 }, () => wait.next());
  expect(waits[0]).toBe(500);
  expect(waits.at(-1)).toBe(60_000);
  wait.reset();
  expect(wait.next()).toBe(500);
});

test.each([
  [0.5, 0, 0.5, 500],
  [0.5, 0.1, 1, 400],
  [0.5, 0.1, 0, 600],
  [0.9, 0.5, 1, 0],
])('ratio %d, jitter %d, chance %d: after %d of 1000', (graceRatio, graceJitter, chance, expected) => {
  expect(renewalDelayMs(0, 1000, 0, { graceRatio, graceJitter }, () => chance)).toBeCloseTo(expected);
});

test('the clock of the machine calls back, or not', async () => {
  const called: string[] = [];
  const callOff = machineTime.after(0, () => called.push('off'));
  callOff();
  await new Promise<void>((resolve) => void machineTime.after(1, resolve));
  expect(called).toEqual([]);
});
