import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { AcceptedConnection } from '../../../../src/core/connection.ts';
import type { ExtensionData } from '../../../../src/core/extension.ts';
import type { Peer } from '../../../../src/core/peer.ts';
import { Discovered } from '../../../../src/listener/discovered.ts';
import type { DiscoveredExtension } from '../../../../src/listener/extension-sources.ts';
import { DiscoveredFilter } from '../../../../src/listener/filters/discovered-filter.ts';
import { Inspection, type InspectionParts, type InspectionUser } from '../../../../src/listener/filters/inspection.ts';
import { Verdict, type Inspected, type ListenerFilter } from '../../../../src/listener/filters/listener-filter.ts';
import { RecordingStats } from '../../cluster/recording-stats.ts';
import { Ground, RecordingSink } from '../../net/sockets.ts';

const grounds: Ground[] = [];
afterEach(() => {
  for (const ground of grounds.splice(0)) ground.close();
});

/** Wants so many bytes, and consumes some of them. */
class Wanting implements ListenerFilter {
  readonly seen: string[] = [];
  private readonly size: number;
  private readonly consumed: number;
  private readonly verdict: Verdict;

  constructor(size: number, consumed = 0, verdict: Verdict = Verdict.Continue) {
    this.size = size;
    this.consumed = consumed;
    this.verdict = verdict;
  }

  inspect(connection: Inspected): Verdict {
    this.seen.push(Buffer.from(connection.bytes).toString());
    if (connection.bytes.length < this.size) return Verdict.NeedMore;
    connection.consume(this.consumed);
    return this.verdict;
  }
}

class User implements InspectionUser {
  readonly sink = new RecordingSink();
  readonly done: Promise<boolean>;
  readonly failed: Promise<Peer>;
  private hearDone!: (hasUnread: boolean) => void;
  private hearFailed!: (peer: Peer) => void;

  constructor() {
    this.done = new Promise((resolve) => (this.hearDone = resolve));
    this.failed = new Promise((resolve) => (this.hearFailed = resolve));
  }

  onInspected(connection: AcceptedConnection, hasUnread: boolean): void {
    connection.attach(this.sink);
    this.hearDone(hasUnread);
  }

  onInspectionFailed(_connection: AcceptedConnection, peer: Peer): void {
    this.hearFailed(peer);
  }
}

async function begin(filters: readonly ListenerFilter[], more: Partial<InspectionParts> = {}) {
  const ground = await Ground.open();
  grounds.push(ground);
  const { client, connection } = await ground.accept();
  const [user, stats] = [new User(), new RecordingStats()];
  const { clock, timers } = ground.network;
  const inspection = new Inspection(user, {
    filters: filters.map((filter) => ({ filter, isDisabled: null })),
    scope: stats,
    clock,
    timers,
    timeoutMs: 0,
    continuesOnTimeout: false,
    ...more,
  });
  inspection.begin(connection);
  return { client, connection, user, stats, inspection };
}

describe('listener filters', () => {
  it('look one after the other, and the chain hears what they did not consume', async () => {
    const [first, second] = [new Wanting(3, 2), new Wanting(4)];
    const { client, connection, user, stats } = await begin([first, second]);
    expect(stats.read('')).toEqual({ downstream_pre_cx_active: 1 });
    client.write('abcd');
    while (second.seen.length === 0) await new Promise(setImmediate);
    client.write('efgh');
    expect(await user.done).toBe(true);
    client.write('ij');
    await user.sink.received(8);
    expect(user.sink.text).toBe('cdefghij');
    expect(second.seen).toEqual(['cd', 'cdefgh']);
    expect(connection.bytesRead).toBe(8);
    expect(stats.read('')).toEqual({});
  });

  it('do not mind that the client ends right behind what they want', async () => {
    const { client, user } = await begin([new Wanting(5)]);
    client.end('hello');
    await user.sink.ended;
    expect(user.sink.text).toBe('hello');
  });

  it('that want nothing cost the connection nothing', async () => {
    const { client, user } = await begin([new Wanting(0)]);
    expect(await user.done).toBe(false);
    client.write('hello');
    await user.sink.received(5);
    expect(user.sink.text).toBe('hello');
  });

  it('are skipped where they are disabled', async () => {
    const filter = new Wanting(100);
    const { user } = await begin([], { filters: [{ filter, isDisabled: () => true }] });
    expect(await user.done).toBe(false);
    expect(filter.seen).toEqual([]);
  });

  it('gather bytes that come one by one', async () => {
    const { client, user } = await begin([new Wanting(2000)]);
    for (let i = 0; i < 2000; i++) client.write(String.fromCharCode(97 + (i % 26)));
    await user.sink.received(2000);
    expect(user.sink.text).toBe(Array.from({ length: 2000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join(''));
  });

  it('may close, and then bytes that nobody took make a reset', async () => {
    const { client, user, stats } = await begin([new Wanting(1, 0, Verdict.Close)]);
    client.write('x');
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    await user.failed;
    expect(stats.read('')).toEqual({});
  });
});

describe('a connection that does not say enough', () => {
  it('is closed when its time is up', async () => {
    const { client, user, stats } = await begin([new Wanting(5)], { timeoutMs: 20 });
    client.resume();
    await user.failed;
    await once(client, 'end');
    expect(stats.read('')).toEqual({ downstream_pre_cx_timeout: 1 });
  });

  it('goes on when its time is up, if it may', async () => {
    const { client, user, stats } = await begin([new Wanting(5)], { timeoutMs: 20, continuesOnTimeout: true });
    client.write('abc');
    expect(await user.done).toBe(true);
    await user.sink.received(3);
    expect([user.sink.text, stats.read('')]).toEqual(['abc', { downstream_pre_cx_timeout: 1 }]);
  });

  it('and ends, is closed', async () => {
    const { client, user, stats } = await begin([new Wanting(5)]);
    client.end('abc');
    await user.failed;
    expect(stats.read('')).toEqual({ downstream_listener_filter_remote_close: 1 });
  });

  it('and breaks off, is counted as an error', async () => {
    const { client, user, stats } = await begin([new Wanting(5)]);
    client.write('abc', () => client.resetAndDestroy());
    await user.failed;
    expect(stats.read('')).toEqual({ downstream_listener_filter_error: 1 });
  });

  it('is closed when the listener ends, unless it has begun to speak', async () => {
    const filter = new Wanting(5);
    const { client, user, inspection } = await begin([filter]);
    client.write('abc');
    while (filter.seen.length < 2) await new Promise(setImmediate);
    inspection.end();
    client.write('de');
    await user.done;
    const silent = await begin([new Wanting(5)]);
    silent.inspection.end();
    await silent.user.failed;
    const slow = await begin([new Wanting(5)]);
    slow.client.write('abc');
    slow.inspection.closeAll();
    await slow.user.failed;
  });

  it('that come by ECDS: none for as long as one is missing', async () => {
    const { connection, user, stats } = await begin([], { filters: [{ filter: null, isDisabled: null }] });
    expect((await user.failed).remote).toEqual(connection.peer.remote);
    expect(stats.read('')).toEqual({ extension_config_missing: 1 });
  });

  it('that come by ECDS: a connection has those that there were when it came', async () => {
    const found = new Discovered<DiscoveredExtension>();
    const filters = new Map([
      ['one', new Wanting(2)],
      ['two', new Wanting(0)],
    ]);
    const build = ({ data }: ExtensionData): ListenerFilter => filters.get(data as string)!;
    found.set('k', { config: { name: 'f', kind: 'a.B', data: 'one' } });
    const changing = new DiscoveredFilter(null, 'k', found, build);
    const { client, user, inspection } = await begin([], { filters: [changing] });
    found.set('k', { config: { name: 'f', kind: 'a.B', data: 'two' } });
    client.write('ab');
    await user.done;
    expect(filters.get('one')!.seen.at(-1)).toBe('ab');
    expect(filters.get('two')!.seen).toEqual([]);
    expect(changing.filter).toBe(filters.get('two'));
    inspection.release();
    found.set('k', { config: null });
    expect(changing.filter).toBe(filters.get('two'));
  });
});
