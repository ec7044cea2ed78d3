import { expect, test } from 'vitest';
import { Loop } from '../../../src/net/loop.ts';
import { NodeNetwork } from '../../../src/net/node-network.ts';
import { PlacedNetwork } from '../../../src/net/placed-network.ts';
import type { Connection } from '../../../src/core/connection.ts';
import { dialOptions, listenOptions, RecordingSink } from './sockets.ts';

test('sockets of a place are connected to each other as others are', async () => {
  const network = new PlacedNetwork(new NodeNetwork(new Loop()), { namespaceFd: -1, mark: 0 });
  const accepted: Connection[] = [];
  const listening = await network.listen({ kind: 'ip', host: '127.0.0.1', port: 0 }, listenOptions, {
    onAccepted: (connection) => {
      accepted.push(connection);
      connection.attach(new RecordingSink());
    },
    onAcceptFailure: () => {},
  });
  const connection = await new Promise<Connection>((onConnected, reject) => {
    network.dial(listening.address, dialOptions, {
      onConnected,
      onDialFailure: (failure) => reject(new Error(failure.detail)),
    });
  });
  connection.attach(new RecordingSink());
  connection.write(Buffer.from('x'));
  await expect.poll(() => accepted[0]?.bytesRead).toBe(1);
  connection.end();
  accepted[0].end();
  listening.close();
});

test('a namespace that is none is refused before anything is opened', async () => {
  const network = new PlacedNetwork(new NodeNetwork(new Loop()), { namespaceFd: 0x3fff_ffff, mark: 0 });
  const handler = { onAccepted() {}, onAcceptFailure() {} };
  await expect(
    (async () => network.listen({ kind: 'ip', host: '127.0.0.1', port: 0 }, listenOptions, handler))(),
  ).rejects.toThrow('setns');
});

test('where the namespace is gone nothing is opened', async () => {
  const network = new PlacedNetwork(new NodeNetwork(new Loop()), { namespaceFd: -1, mark: 0 });
  network.close();
  const address = { kind: 'ip', host: '127.0.0.1', port: 1 } as const;
  const failure = await new Promise<string>((resolve, reject) => {
    network.dial(address, dialOptions, { onConnected: reject, onDialFailure: ({ detail }) => resolve(detail) });
  });
  expect(failure).toBe('the network namespace is gone');
  await expect(network.listen(address, listenOptions, { onAccepted() {}, onAcceptFailure() {} })).rejects.toThrow(
    'gone',
  );
  network.dial(address, dialOptions, { onConnected() {}, onDialFailure: () => expect.unreachable() }).cancel();
});
