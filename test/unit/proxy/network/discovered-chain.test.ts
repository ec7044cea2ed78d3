import { expect, test } from 'vitest';
import type { Connection, ConnectionSink } from '../../../../src/core/connection.ts';
import { ClosedByPeer } from '../../../../src/core/failures.ts';
import type { ExtensionData } from '../../../../src/core/extension.ts';
import { NetworkVerdict, type NetworkFilter } from '../../../../src/filter/network/network-filter.ts';
import { Discovered } from '../../../../src/listener/discovered.ts';
import type { DiscoveredExtension } from '../../../../src/listener/extension-sources.ts';
import type { NetworkFilterData } from '../../../../src/listener/listener-data.ts';
import type { ActiveConnection, ConnectionHandler } from '../../../../src/listener/network-filter.ts';
import { DiscoveredChain } from '../../../../src/proxy/network/discovered-chain.ts';
import { MemoryConnection } from '../../cluster/memory-network.ts';
import { RecordingStats } from '../../cluster/recording-stats.ts';

class Terminal implements ConnectionHandler, ConnectionSink {
  readonly name: string;
  private readonly heard: string[];

  constructor(name: string, heard: string[]) {
    this.name = name;
    this.heard = heard;
  }

  handle(connection: Connection): ActiveConnection {
    connection.attach(this);
    this.heard.push(`${this.name} has it`);
    return { isIdle: true };
  }

  drain(): void {
    this.heard.push(`${this.name} drains`);
  }

  end(): void {
    this.heard.push(`${this.name} ends`);
  }

  closeAll(): void {
    this.heard.push(`${this.name} closes`);
  }

  release(): void {
    this.heard.push(`${this.name} is released`);
  }

  onBytes(): void {}
  onDrain(): void {}
  onEnd(): void {}
  onClosed(): void {}
}

/** A chain of a filter `f` and a terminal one `t`, both of which come. */
function world() {
  const heard: string[] = [];
  const stats = new RecordingStats();
  const discovered = new Discovered<DiscoveredExtension>();
  const coming = (name: string): NetworkFilterData => {
    return { name, kind: '', data: null, discovery: { key: name, kinds: [] } };
  };
  const chain = new DiscoveredChain([coming('f'), coming('t')], {
    discovered,
    buildTerminal: ({ data }) => new Terminal(data as string, heard),
    buildFilter: ({ data }: ExtensionData) => ({
      create: (): NetworkFilter => ({
        onNewConnection: () => {
          heard.push(`${data as string} sees it`);
          return NetworkVerdict.Continue;
        },
      }),
    }),
    missing: stats.counter('missing'),
  });
  const set = (key: string, data: string | null): void =>
    discovered.set(key, { config: data === null ? null : { name: key, kind: 'a.B', data } });
  const connect = (): MemoryConnection => {
    const client = new MemoryConnection(1, { kind: 'ip', host: '10.0.0.1', port: 5 });
    chain.handle(client, 'chain');
    return client;
  };
  const hears = (): string[] => heard.splice(0);
  return { chain, set, connect, hears, read: () => stats.read('') };
}

test('there are no connections while something is missing', () => {
  const { set, connect, hears, read } = world();
  const clients = [connect()];
  set('t', 'echo');
  clients.push(connect());
  set('f', 'guard');
  set('t', null);
  clients.push(connect());
  expect(clients.map(({ destroyedWith }) => destroyedWith !== null)).toEqual([true, true, true]);
  expect(read()).toEqual({ missing: 3 });
  set('t', 'echo');
  hears();
  connect();
  expect(hears()).toEqual(['guard sees it', 'echo has it']);
});

test('a connection keeps what it began with, and that is let go when nobody has it any more', () => {
  const { chain, set, connect, hears } = world();
  set('f', 'first');
  set('t', 'one');
  const client = connect();
  set('f', 'second');
  set('t', 'two');
  connect();
  expect(hears()).toEqual(['first sees it', 'one has it', 'second sees it', 'two has it']);
  chain.drain(true);
  expect(hears()).toEqual(['one drains', 'two drains']);
  client.close(ClosedByPeer);
  expect(hears()).toEqual(['one is released']);
  chain.end();
  chain.closeAll();
  chain.release();
  expect(hears()).toEqual(['two ends', 'two closes', 'two is released']);
  set('t', 'three');
  connect();
  expect(hears()).not.toContain('three has it');
});

test('who owns a connection hears of its end', () => {
  const { chain, set } = world();
  set('f', 'first');
  set('t', 'one');
  const client = new MemoryConnection(1, { kind: 'ip', host: '10.0.0.1', port: 5 });
  const closed: Connection[] = [];
  client.owner = { onConnectionClosed: (connection) => closed.push(connection) };
  chain.handle(client, 'chain');
  client.close(ClosedByPeer);
  expect(closed).toEqual([client]);
});
