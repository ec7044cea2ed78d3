import { expect, test } from 'vitest';
import type { ConnectionWaiter } from '../../../../src/cluster/cluster.ts';
import { HostConnections, HostConnectionSlots } from '../../../../src/cluster/host/host-connections.ts';
import type { UpstreamHost } from '../../../../src/cluster/host/host.ts';
import { SharedNumberDirectory, SharedNumbers } from '../../../../src/observe/limit/shared-limit.ts';
import { anyHost, clusterData, hostData, World } from '../cluster-fixture.ts';

const limited = clusterData({ hostConnectionsMax: [1, 2] });

test('the connections of all workers and of both priorities count', () => {
  const directory = new SharedNumberDirectory();
  const [{ connectionsSlot }] = new HostConnectionSlots(directory).place(limited, [hostData('10.0.0.1')]);
  const [here, there] = ['worker_0', 'worker_1'].map(
    (name) => new HostConnections([1, 2], new SharedNumbers(directory.join(name)).slot(connectionsSlot!)),
  );
  here.inc();
  expect([there.mayConnect(0), there.mayConnect(1)]).toEqual([false, true]);
  there.inc();
  expect(here.mayConnect(1)).toBe(false);
  there.dec();
  here.dec();
  expect(here.mayConnect(0)).toBe(true);
});

test('a host that one worker has found counts for all once the main thread knows it', () => {
  const directory = new SharedNumberDirectory();
  const number = new SharedNumbers(directory.join('worker_0')).slot(directory.allot('host'));
  const connections = new HostConnections([1, 1], null);
  connections.inc();
  expect(connections.mayConnect(0)).toBe(false);
  connections.share(number);
  connections.share(number);
  expect(directory.load('host')).toBe(1);
  connections.dec();
  expect(directory.load('host')).toBe(0);
});

test('hosts keep their numbers, and without a limit have none', () => {
  const slots = new HostConnectionSlots(new SharedNumberDirectory());
  const [a, b] = [hostData('10.0.0.1'), hostData('10.0.0.2')];
  const placed = slots.place(limited, [a, b]);
  expect(slots.place(limited, [b, a])).toEqual([...placed].reverse());
  expect(slots.place(limited, [b])).toEqual([placed[1]]);
  expect(slots.place(clusterData(), placed)).toEqual([a, b]);
  expect(slots.place(clusterData(), [a])).toEqual([a]);
});

class Waiter implements ConnectionWaiter {
  onConnected(): void {}
  onConnectFailure(): void {}
}

test('a second connection waits where a host may have one, and each host may', () => {
  const world = new World();
  const cluster = world.cluster({
    hosts: ['10.0.0.1', '10.0.0.2'].map((host) => hostData(host)),
    hostConnectionsMax: [1, 2],
  });
  const [first, second] = [0, 1].map(() => cluster.pick(anyHost) as UpstreamHost);
  cluster.tcpPool(first, 0).newConnection(new Waiter());
  cluster.tcpPool(first, 0).newConnection(new Waiter());
  expect(world.network.dials).toHaveLength(1);
  cluster.tcpPool(second, 0).newConnection(new Waiter());
  expect(world.network.dials).toHaveLength(2);
  cluster.tcpPool(first, 1).newConnection(new Waiter());
  expect(world.network.dials).toHaveLength(3);
  expect(world.stats.counter('cluster.c.upstream_cx_overflow').value).toBe(1);
});
