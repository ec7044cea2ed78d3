import { expect, it } from 'vitest';
import { RecentRequests } from '../../../../src/cluster/limit/recent-requests.ts';
import { SharedNumberDirectory, SharedNumbers } from '../../../../src/observe/limit/shared-limit.ts';
import { MemoryNetwork } from '../memory-network.ts';

function build() {
  const network = new MemoryNetwork();
  const directory = new SharedNumberDirectory();
  const index = directory.allot('recent');
  const join = (name: string) => new RecentRequests(new SharedNumbers(directory.join(name)).slot(index), 1000, network);
  return { network, directory, here: join('here'), there: join('there'), load: () => directory.load('recent') };
}

it('forgets what is older than the interval, a tenth of it at a time', () => {
  const { network, here, there, load } = build();
  here.began();
  there.began();
  network.advance(500);
  here.began();
  network.advance(400);
  expect(load()).toBe(3);
  network.advance(100);
  expect(load()).toBe(1);
  network.advance(500);
  expect(load()).toBe(0);
  expect(here.deadline).toBe(Infinity);
});

it('forgets everything when it wakes late', () => {
  const { network, here, load } = build();
  for (let i = 0; i < 5; i++) here.began();
  network.advance(60_000);
  expect(load()).toBe(0);
  here.began();
  network.advance(900);
  expect(load()).toBe(1);
});

it('loses what a worker counted that has ended', () => {
  const { directory, here, there, load } = build();
  here.began();
  there.began();
  directory.leave('here');
  expect(load()).toBe(1);
});
