import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadFfi } from '../../../src/net/ffi.ts';
import { Loop } from '../../../src/net/loop.ts';
import { NodeNetwork } from '../../../src/net/node-network.ts';
import type { DialOptions, Network } from '../../../src/net/network.ts';
import type { Connection } from '../../../src/core/connection.ts';
import { ClosedLocally } from '../../../src/core/failures.ts';
import { noRing, openRingNetwork } from './uring/rings.ts';

const Level = { Socket: 1, Tcp: 6 } as const;
const Option = { KeepAlive: 9, KeepIdle: 4, KeepInterval: 5, KeepCount: 6 } as const;

const server = createServer((socket) => socket.on('error', () => {}));
const ffi = loadFfi();
const signature = { arguments: ['i32', 'i32', 'i32', 'u64', 'u64'], return: 'i32' };
const getsockopt = new ffi.DynamicLibrary(null).getFunction('getsockopt', signature as never) as unknown as (
  ...args: readonly (number | bigint)[]
) => number;

function option(fd: number, level: number, name: number): number {
  const [value, size] = [Buffer.alloc(4), Buffer.alloc(4)];
  size.writeInt32LE(4);
  expect(getsockopt(fd, level, name, ffi.getRawPointer(value), ffi.getRawPointer(size))).toBe(0);
  return value.readInt32LE();
}

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  server.close();
});

/** What the kernel says of a connection that was dialled so: on, idle time, interval and probes. */
async function dialled(network: Network, change: Partial<DialOptions>): Promise<number[]> {
  const options = { connectTimeoutMs: 5000, bufferLimit: 0, bindAddress: null, keepAliveSeconds: null, ...change };
  const address = { kind: 'ip', host: '127.0.0.1', port: (server.address() as AddressInfo).port } as const;
  const connection = await new Promise<Connection>((onConnected, onDialFailure) => {
    network.dial(address, options, { onConnected, onDialFailure });
  });
  const inside = connection as unknown as { fd?: number; socket?: { _handle: { fd: number } } };
  const fd = inside.fd ?? inside.socket!._handle.fd;
  const found = [
    option(fd, Level.Socket, Option.KeepAlive),
    option(fd, Level.Tcp, Option.KeepIdle),
    option(fd, Level.Tcp, Option.KeepInterval),
    option(fd, Level.Tcp, Option.KeepCount),
  ];
  connection.destroy(ClosedLocally);
  return found;
}

const networks: readonly (readonly [string, () => Network])[] = [
  ['node', () => new NodeNetwork(new Loop())],
  ...(noRing === '' ? [['io_uring', openRingNetwork] as const] : []),
];
if (noRing !== '') console.log(noRing);

describe.each(networks)('TCP keep-alive over %s', (_, open) => {
  const network = open();

  it('is off unless somebody wants it', async () => {
    expect((await dialled(network, {}))[0]).toBe(0);
  });

  it('is as configured', async () => {
    const all = { keepAliveSeconds: 30, keepAliveIntervalSeconds: 5, keepAliveProbes: 3 };
    expect(await dialled(network, all)).toEqual([1, 30, 5, 3]);
  });

  it('is the kernel’s where nobody says', async () => {
    expect(await dialled(network, { keepAliveSeconds: 0 })).toEqual([1, 7200, 75, 9]);
    expect(await dialled(network, { keepAliveSeconds: 40 })).toEqual([1, 40, 75, 9]);
  });
});
