import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Timed } from '../../src/core/clock.ts';
import type { Connection } from '../../src/core/connection.ts';
import {
  ClosedLocally,
  ConnectionTimeout,
  LocalConnectionFailure,
  RemoteConnectionFailure,
} from '../../src/core/failures.ts';
import type { Failure } from '../../src/core/failure.ts';
import type { Address } from '../../src/core/peer.ts';
import type { AcceptHandler, DialOptions, Network } from '../../src/net/network.ts';
import { dialOptions, listenOptions, RecordingSink } from '../unit/net/sockets.ts';

const loopback = (port: number): Address => ({ kind: 'ip', host: '127.0.0.1', port });

class Acceptor implements AcceptHandler {
  readonly accepted: Connection[] = [];
  private waiter: ((connection: Connection) => void) | null = null;

  onAccepted(connection: Connection): void {
    connection.attach(new RecordingSink());
    if (this.waiter === null) this.accepted.push(connection);
    else this.waiter(connection);
  }

  onAcceptFailure(): void {}

  next(): Promise<Connection> {
    return new Promise((resolve) => (this.waiter = resolve));
  }
}

/** What listeners and pools rely on, whoever talks to the operating system. */
export function networkContract(name: string, network: Network): void {
  const dial = (address: Address, options: Partial<DialOptions> = {}): Promise<Connection | Failure> =>
    new Promise((resolve) => {
      const handler = { onConnected: resolve, onDialFailure: resolve };
      network.dial(address, { ...dialOptions, ...options }, handler);
    });

  describe(`listening: ${name}`, () => {
    it('tells the port where 0 was asked for, and both ends of what it accepts', async () => {
      const acceptor = new Acceptor();
      const listening = await network.listen(loopback(0), listenOptions, acceptor);
      const accepted = acceptor.next();
      const client = connect(listening.address.port, '127.0.0.1');
      const { peer } = await accepted;
      expect(peer.local).toEqual(listening.address);
      expect(peer.remote).toEqual(loopback(client.localPort!));
      client.destroy();
      listening.close();
    });

    it('says in words why it cannot', async () => {
      const first = await network.listen(loopback(0), listenOptions, new Acceptor());
      await expect(network.listen(first.address, listenOptions, new Acceptor())).rejects.toThrow(
        'Address already in use',
      );
      first.close();
    });

    it('shares a port with other listeners if asked to', async () => {
      const options = { ...listenOptions, reusePort: true };
      const first = await network.listen(loopback(0), options, new Acceptor());
      const second = await network.listen(first.address, options, new Acceptor());
      expect(second.address).toEqual(first.address);
      first.close();
      second.close();
    });

    it('hands over to another handler without closing', async () => {
      const [before, after] = [new Acceptor(), new Acceptor()];
      const listening = await network.listen(loopback(0), listenOptions, before);
      listening.handler = after;
      const accepted = after.next();
      const client = connect(listening.address.port, '127.0.0.1');
      await accepted;
      expect(before.accepted).toEqual([]);
      client.destroy();
      listening.close();
    });
  });

  describe(`Unix sockets: ${name}`, () => {
    let directory: string;
    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), 'sekisho-net-'));
    });
    afterAll(() => rmSync(directory, { recursive: true }));

    it('are made with their mode, replace what a dead process left, and have no name', async () => {
      const address: Address = { kind: 'pipe', host: join(directory, 'socket'), port: 0 };
      const stale = await network.listen(address, listenOptions, new Acceptor());
      const acceptor = new Acceptor();
      const listening = await network.listen(address, { ...listenOptions, pipeMode: 0o600 }, acceptor);
      expect(statSync(address.host).mode & 0o777).toBe(0o600);
      const accepted = acceptor.next();
      const dialled = (await dial(address)) as Connection;
      expect(dialled.peer.remote).toEqual(address);
      expect((await accepted).peer.remote).toEqual({ kind: 'pipe', host: '', port: 0 });
      dialled.attach(new RecordingSink());
      dialled.destroy(ClosedLocally);
      stale.close();
      listening.close();
    });

    it('may be abstract', async () => {
      const address: Address = { kind: 'pipe', host: `@sekisho-test-${process.pid}`, port: 0 };
      const acceptor = new Acceptor();
      const listening = await network.listen(address, listenOptions, acceptor);
      const accepted = acceptor.next();
      const dialled = (await dial(address)) as Connection;
      await accepted;
      dialled.attach(new RecordingSink());
      dialled.destroy(ClosedLocally);
      listening.close();
    });
  });

  describe(`dialling: ${name}`, () => {
    it('knows whose fault it is', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      server.close();
      await once(server, 'close');
      const refused = (await dial(loopback(port))) as Failure;
      expect(refused).toMatchObject({
        kind: RemoteConnectionFailure.kind,
        detail: 'delayed connect error: Connection refused',
      });
      const unbindable = (await dial(loopback(port), { bindAddress: { host: '192.0.2.1', port: 0 } })) as Failure;
      expect(unbindable.kind).toBe(LocalConnectionFailure.kind);
      expect(unbindable.detail).toContain('Cannot assign requested address');
    });

    it('binds to the address that it is told', async () => {
      const acceptor = new Acceptor();
      const listening = await network.listen(loopback(0), listenOptions, acceptor);
      const accepted = acceptor.next();
      const dialled = (await dial(listening.address, { bindAddress: { host: '127.0.0.2', port: 0 } })) as Connection;
      expect((await accepted).peer.remote.host).toBe('127.0.0.2');
      dialled.attach(new RecordingSink());
      dialled.destroy(ClosedLocally);
      listening.close();
    });

    it('gives up when its time has come, and says it once', async () => {
      const listening = await network.listen(loopback(0), listenOptions, new Acceptor());
      const heard: unknown[] = [];
      const handler = {
        onConnected: (one: unknown) => heard.push(one),
        onDialFailure: (one: unknown) => heard.push(one),
      };
      const dialing = network.dial(listening.address, dialOptions, handler) as unknown as Timed;
      dialing.tick(network.clock.now);
      const dialled = (await dial(listening.address)) as Connection;
      dialled.attach(new RecordingSink());
      dialled.destroy(ClosedLocally);
      expect(heard).toEqual([ConnectionTimeout]);
      listening.close();
    });

    it('is silent once cancelled', async () => {
      const acceptor = new Acceptor();
      const listening = await network.listen(loopback(0), listenOptions, acceptor);
      const heard: unknown[] = [];
      const handler = {
        onConnected: (one: unknown) => heard.push(one),
        onDialFailure: (one: unknown) => heard.push(one),
      };
      network.dial(listening.address, dialOptions, handler).cancel();
      network.dial(loopback(1), dialOptions, handler).cancel();
      const dialled = (await dial(listening.address)) as Connection;
      dialled.attach(new RecordingSink());
      dialled.destroy(ClosedLocally);
      expect(heard).toEqual([]);
      listening.close();
    });
  });
}
