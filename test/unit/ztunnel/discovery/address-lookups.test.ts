import { expect, test } from 'vitest';
import { Loop } from '../../../../src/net/loop.ts';
import { AddressLookups, lookupMs } from '../../../../src/ztunnel/discovery/address-lookups.ts';
import type { AddressSource, LookupOutcome } from '../../../../src/ztunnel/proxy/address-source.ts';
import { ThreadLookups } from '../../../../src/ztunnel/thread/thread-lookups.ts';
import { discover, type Request } from './discover.ts';
import { addressType, OnDemandAnswers, uidOf } from './on-demand-answers.ts';

const a = { name: 'a', ip: '10.0.0.1' };

const ask = (addresses: AddressSource, key: string): Promise<LookupOutcome> =>
  new Promise((resolve) => addresses.request(key, resolve));

/** Names that were asked for, but for none. */
const asked = (requests: readonly Request[]): string[] =>
  requests.filter(({ typeUrl }) => typeUrl === addressType).flatMap(({ subscribed }) => subscribed);

test('nothing is asked for at first but policies, and an address once, by however many', async () => {
  const answers = new OnDemandAnswers([a]);
  const { mesh, requests, until, first, addresses } = await discover((request) => answers.answer(request), true);
  await until(() => requests.some(({ typeUrl, nonce }) => typeUrl !== addressType && nonce !== ''));
  const begin = requests.find(({ typeUrl }) => typeUrl === addressType)!;
  expect([begin.subscribed, begin.unsubscribed]).toEqual([['*'], ['*']]);
  expect(await Promise.all([ask(addresses, '/10.0.0.1'), ask(addresses, '/10.0.0.1')])).toEqual(['told', 'told']);
  expect(mesh.workloadByIp('', '10.0.0.1')?.uid).toBe(uidOf('a'));
  expect(await ask(addresses, '/10.0.0.1')).toBe('told');
  expect(await ask(addresses, uidOf('a'))).toBe('told');
  expect(asked(requests)).toEqual(['*', '/10.0.0.1']);
  expect(first).not.toContain(addressType);
});

test('what istiod does not know is left, and asked for again when it is wanted again', async () => {
  const answers = new OnDemandAnswers([]);
  const { mesh, requests, until, addresses } = await discover((request) => answers.answer(request), true);
  expect(await ask(addresses, '/10.0.0.1')).toBe('unknown');
  expect(addresses.size).toBe(0);
  await until(() => requests.some(({ unsubscribed }) => unsubscribed.includes('/10.0.0.1')));
  answers.workloads.push(a);
  expect(await ask(addresses, '/10.0.0.1')).toBe('told');
  expect(mesh.knows('/10.0.0.1')).toBe(true);
});

test('what is gone is asked for again', async () => {
  const answers = new OnDemandAnswers([a]);
  const { mesh, requests, until, addresses } = await discover((request) => {
    // The end of a workload, told with the answer to another name.
    if (!request.subscribed.includes('/10.0.0.9')) return answers.answer(request);
    answers.workloads.length = 0;
    answers.answer(request);
    return answers.response(addressType, [], [uidOf('a'), '/10.0.0.9']);
  }, true);
  expect(await ask(addresses, '/10.0.0.1')).toBe('told');
  expect(await ask(addresses, '/10.0.0.9')).toBe('unknown');
  expect([mesh.knows('/10.0.0.1'), addresses.size]).toEqual([false, 0]);
  await until(() => requests.some(({ unsubscribed }) => unsubscribed.includes('/10.0.0.1')));
  answers.workloads.push({ name: 'b', ip: a.ip });
  expect(await ask(addresses, '/10.0.0.1')).toBe('told');
  expect(mesh.workloadByIp('', a.ip)?.name).toBe('b');
});

test('a new stream asks for what was wanted on the old one, and says what is known', async () => {
  const answers = new OnDemandAnswers([a]);
  let hasEnded = false;
  const { requests, until, addresses } = await discover((request) => {
    if (!request.subscribed.includes('/10.0.0.2') || hasEnded) return answers.answer(request);
    hasEnded = true;
    return 'end';
  }, true);
  expect(await ask(addresses, '/10.0.0.1')).toBe('told');
  // Its answer comes over the second stream.
  expect(await ask(addresses, '/10.0.0.2')).toBe('unknown');
  await until(() => requests.some(({ versions }) => versions.length > 0));
  const again = requests.find(({ versions }) => versions.length > 0)!;
  expect(again.versions).toEqual([uidOf('a')]);
  expect(new Set(again.subscribed)).toEqual(new Set(['*', '/10.0.0.1', '/10.0.0.2']));
  expect(again.unsubscribed).toEqual(['*']);
});

test('an answer is waited for so long, and so many are asked for at a time', () => {
  const watched: string[] = [];
  const conversation = {
    watch: ({ names }: { names: ReadonlySet<string> }) => void watched.push(...names),
    unwatch: ({ names }: { names: ReadonlySet<string> }) => void watched.splice(watched.indexOf([...names][0]), 1),
    rename() {},
    onReleased() {},
  };
  const loop = new Loop();
  const kind = { typeUrl: addressType, streamMethod: '', deltaMethod: '' };
  const lookups = new AddressLookups(conversation, kind, loop, () => false, 2);
  const outcomes: LookupOutcome[] = [];
  const tell = (outcome: LookupOutcome): void => void outcomes.push(outcome);
  for (const key of ['/1', '/2', '/2', '/3']) lookups.request(key, tell);
  expect([outcomes, watched]).toEqual([['full'], ['/1', '/2']]);
  loop.timers.run(loop.clock.now + lookupMs - 1);
  expect(outcomes).toEqual(['full']);
  loop.timers.run(loop.clock.now + lookupMs + 1000);
  expect([outcomes, watched]).toEqual([['full', 'late', 'late', 'late'], []]);
});

test('a thread asks once for however many wait, and so many wait', () => {
  const wanted: string[] = [];
  const lookups = new ThreadLookups((key) => wanted.push(key), 2);
  const outcomes: LookupOutcome[] = [];
  const tell = (outcome: LookupOutcome): void => void outcomes.push(outcome);
  for (let i = 0; i < 3; i++) lookups.request('/1', tell);
  expect([wanted, outcomes]).toEqual([['/1'], ['full']]);
  lookups.answered('/1', 'told');
  lookups.answered('/1', 'told');
  expect(outcomes).toEqual(['full', 'told', 'told']);
  lookups.request('/1', tell);
  expect(wanted).toEqual(['/1', '/1']);
});
