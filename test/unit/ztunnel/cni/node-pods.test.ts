import { openSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Later } from '../../../../src/agent/identity/later.ts';
import { NodePods } from '../../../../src/ztunnel/cni/node-pods.ts';

const info = { name: 'a', namespace: 'b', serviceAccount: 'c' };

/** Proxies that begin when the test says so. */
function node() {
  const calls: string[] = [];
  const tells: ((problem: string) => void)[] = [];
  const retries: (() => void)[] = [];
  const later: Later = {
    now: () => 0,
    after: (_ms, run) => {
      retries.push(run);
      return () => void retries.splice(retries.indexOf(run), 1);
    },
  };
  let pending = 0;
  const pods = new NodePods(
    {
      addProxy: (uid, _info, _fd, tell) => {
        calls.push(`add ${uid}`);
        tells.push(tell);
      },
      removeProxy: (uid) => void calls.push(`remove ${uid}`),
    },
    later,
    (count) => (pending = count),
  );
  const acks: string[] = [];
  return {
    calls,
    tells,
    retries,
    acks,
    pods,
    pending: () => pending,
    add: (uid: string, path: string) =>
      pods.add(uid, info, openSync(path, 'r'), (error) => acks.push(`${uid} ${error}`)),
  };
}

const [one, other] = ['/proc/self/status', '/proc/self/stat'];

test('a pod that is named twice begins once; with another namespace, anew', () => {
  const { calls, tells, add, acks } = node();
  add('p', one);
  tells[0]('');
  add('p', one);
  expect(calls).toEqual(['add p']);
  add('p', other);
  expect(calls).toEqual(['add p', 'add p']);
  tells[1]('');
  expect(acks).toEqual(['p ', 'p ', 'p ']);
});

test('what a snapshot does not name is gone', () => {
  const { calls, tells, pods, add } = node();
  pods.begin();
  add('p', one);
  add('q', other);
  for (const tell of tells) tell('');
  pods.snapshotSent();
  pods.begin();
  pods.keep('q');
  pods.snapshotSent();
  expect(calls).toEqual(['add p', 'add q', 'remove p']);
  expect(pods.count).toBe(1);
});

test('one that cannot begin is tried again, and counts as pending', () => {
  const { calls, tells, retries, add, acks, pending } = node();
  add('p', one);
  tells[0]('no port');
  expect(acks).toEqual(['p failed to start proxy: no port']);
  expect(pending()).toBe(1);
  retries[0]();
  expect(calls).toEqual(['add p', 'add p']);
  tells[1]('');
  expect(pending()).toBe(0);
});

test('one that is deleted while it begins is not there afterwards', () => {
  const { tells, pods, add, acks, pending } = node();
  add('p', one);
  pods.remove('p');
  tells[0]('');
  expect(acks).toEqual(['p the workload has gone']);
  expect([pods.count, pending()]).toEqual([0, 0]);
});
