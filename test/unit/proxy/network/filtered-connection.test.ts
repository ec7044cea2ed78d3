import { describe, expect, it } from 'vitest';
import type { Connection, ConnectionSink } from '../../../../src/core/connection.ts';
import { ClosedByPeer } from '../../../../src/core/failures.ts';
import {
  NetworkVerdict,
  type FilteredStream,
  type NetworkFilter,
} from '../../../../src/filter/network/network-filter.ts';
import type { ActiveConnection, ConnectionHandler } from '../../../../src/listener/network-filter.ts';
import type { ConnectionNotes } from '../../../../src/observe/connection-notes.ts';
import { FilteredHandler } from '../../../../src/proxy/network/filtered-handler.ts';
import { MemoryConnection } from '../../cluster/memory-network.ts';

/** The terminal filter, and what it heard. */
class Terminal implements ConnectionHandler, ConnectionSink {
  readonly heard: string[] = [];
  connection: Connection | null = null;
  notes: ConnectionNotes | null = null;
  isPausedFirst = false;

  handle(connection: Connection, _name: string, notes: ConnectionNotes | null = null): ActiveConnection {
    this.connection = connection;
    this.notes = notes;
    if (this.isPausedFirst) connection.pause();
    connection.attach(this);
    return { isIdle: true };
  }

  refused(_connection: Connection, _name: string, notes: ConnectionNotes): void {
    this.notes = notes;
    this.heard.push('refused');
  }

  drain(): void {}
  end(): void {}
  closeAll(): void {}

  onBytes(chunk: Uint8Array): void {
    this.heard.push(Buffer.from(chunk).toString());
  }

  onDrain(): void {
    this.heard.push('drain');
  }

  onEnd(): void {
    this.heard.push('end');
  }

  onClosed(): void {
    this.heard.push('closed');
  }
}

/** Answers as it is told, Continue when it is told nothing. */
class Filter implements NetworkFilter {
  readonly seen: string[] = [];
  stream: FilteredStream | null = null;
  readonly verdicts: NetworkVerdict[];
  onOpened: NetworkVerdict;

  constructor(verdicts: NetworkVerdict[] = [], onOpened: NetworkVerdict = NetworkVerdict.Continue) {
    this.verdicts = verdicts;
    this.onOpened = onOpened;
  }

  onNewConnection(stream: FilteredStream): NetworkVerdict {
    this.stream = stream;
    this.seen.push('new');
    return this.onOpened;
  }

  onData(_stream: FilteredStream, chunk: Uint8Array, end: boolean): NetworkVerdict {
    this.seen.push(end ? 'end' : Buffer.from(chunk).toString());
    return this.verdicts.shift() ?? NetworkVerdict.Continue;
  }

  onClosed(): void {
    this.seen.push('closed');
  }
}

const { Continue, Stop } = NetworkVerdict;

function world(filters: readonly NetworkFilter[], terminal = new Terminal()) {
  const client = new MemoryConnection(1, { kind: 'ip', host: '10.0.0.1', port: 5 });
  const handler = new FilteredHandler(
    filters.map((filter) => ({ create: () => filter })),
    terminal,
  );
  const active = handler.handle(client, 'chain');
  return { client, handler, terminal, active };
}

describe('filters in front of the terminal one', () => {
  it('leave the connection alone where they want none of its bytes', () => {
    const filter: NetworkFilter = {
      onNewConnection({ notes }) {
        notes.filterState.set('a', 'b');
        return Continue;
      },
    };
    const { client, terminal, active } = world([filter]);
    expect(terminal.connection).toBe(client);
    expect(terminal.notes!.filterState.get('a')).toBe('b');
    expect(active.isIdle).toBe(true);
  });

  it('see bytes, the end and the close in their order', () => {
    const first = new Filter();
    const second = new Filter();
    const { client, terminal } = world([first, second]);
    client.receive('a');
    client.peerEnded();
    client.close(ClosedByPeer);
    for (const { seen } of [first, second]) expect(seen).toEqual(['new', 'a', 'end', 'closed']);
    expect(terminal.heard).toEqual(['a', 'end', 'closed']);
  });

  it('hold back the connection, and what it says meanwhile', () => {
    const first = new Filter([], Stop);
    const second = new Filter();
    const { client, terminal, active } = world([first, second]);
    client.receive('a');
    client.receive('b');
    expect(terminal.connection).toBeNull();
    expect(active.isIdle).toBe(false);
    expect(second.seen).toEqual([]);
    first.stream!.proceed();
    client.receive('c');
    expect(second.seen).toEqual(['new', 'a', 'b', 'c']);
    expect(terminal.heard).toEqual(['a', 'b', 'c']);
  });

  it('hold back bytes for those behind, who then have them once', () => {
    const first = new Filter([Continue, Stop]);
    const second = new Filter();
    const { client, terminal } = world([first, second]);
    for (const text of ['a', 'b', 'c']) client.receive(text);
    client.peerEnded();
    expect(terminal.heard).toEqual(['a']);
    first.stream!.proceed();
    expect(first.seen).toEqual(['new', 'a', 'b', 'c', 'end']);
    expect(second.seen).toEqual(['new', 'a', 'b', 'c', 'end']);
    expect(terminal.heard).toEqual(['a', 'b', 'c', 'end']);
  });

  it('hold back the end as well', () => {
    const filter = new Filter([Stop]);
    const { client, terminal } = world([filter]);
    client.peerEnded();
    expect(terminal.heard).toEqual([]);
    filter.stream!.proceed();
    expect(terminal.heard).toEqual(['end']);
  });

  it('wait for a terminal filter that reads nothing yet', () => {
    const terminal = new Terminal();
    terminal.isPausedFirst = true;
    const filter = new Filter([], Stop);
    const { client } = world([filter], terminal);
    client.receive('a');
    filter.stream!.proceed();
    expect(filter.seen).toEqual(['new']);
    terminal.connection!.resume();
    expect(filter.seen).toEqual(['new', 'a']);
    expect(terminal.heard).toEqual(['a']);
    expect(client.pauses).toBe(0);
  });

  it('tell how many bytes they kept, of those that were to be read', () => {
    const reading = new Filter([Stop]);
    const read = world([reading]);
    read.client.receive('abc');
    read.client.close(ClosedByPeer);
    expect(read.terminal.notes!.keptBytes).toBe(3);
    const pausing = new Filter([], Stop);
    const unread = world([pausing]);
    pausing.stream!.pause();
    expect(unread.client.pauses).toBe(1);
    // What a listener filter has looked at comes nevertheless.
    unread.client.receive('abc');
    pausing.stream!.resume();
    unread.client.close(ClosedByPeer);
    expect(unread.terminal.notes!.keptBytes).toBe(0);
    expect(unread.client.pauses).toBe(0);
  });

  it('hold back no more than the limit', () => {
    const filter = new Filter([], Stop);
    const { client, terminal } = world([filter]);
    client.bufferLimit = 4;
    client.receive('abc');
    expect(client.pauses).toBe(0);
    client.receive('de');
    expect(client.pauses).toBe(1);
    filter.stream!.proceed();
    expect(client.pauses).toBe(0);
    expect(terminal.heard).toEqual(['abc', 'de']);
  });
});

describe('a filter that closes', () => {
  it('does so before anybody has the connection', () => {
    const filter = new Filter([], Continue);
    filter.onNewConnection = (stream) => {
      stream.notes.terminationDetails = 'denied';
      stream.close('filter_says_no');
      return Stop;
    };
    const { client, terminal } = world([filter]);
    expect(client.destroyedWith!.detail).toBe('filter_says_no');
    expect(terminal.heard).toEqual(['refused']);
    expect(terminal.notes!.terminationDetails).toBe('denied');
    expect(filter.seen).toEqual(['closed']);
  });

  it('does so at the first bytes', () => {
    const filter = new Filter();
    filter.onData = (stream) => {
      stream.close('filter_says_no');
      return Stop;
    };
    const { client, terminal } = world([filter]);
    client.receive('a');
    expect(client.isOpen).toBe(false);
    expect(terminal.heard).toEqual(['closed']);
  });

  it('or the client goes while it is held back', () => {
    const filter = new Filter([], Stop);
    const { client, terminal } = world([filter]);
    client.close(ClosedByPeer);
    filter.stream!.proceed();
    expect(filter.seen).toEqual(['new', 'closed']);
    expect(terminal.heard).toEqual(['refused']);
  });
});

it('a chain that ends closes those whom nobody has yet', () => {
  for (const how of ['end', 'closeAll'] as const) {
    const { client, handler } = world([new Filter([], Stop)]);
    handler[how]();
    expect(client.isOpen).toBe(false);
  }
});

it('what the terminal filter does, it does to the connection', () => {
  const filter = new Filter();
  const { client, terminal } = world([filter]);
  const connection = terminal.connection!;
  connection.write(Buffer.from('a'));
  connection.writeLatin1('b');
  client.drained();
  connection.bufferLimit = 9;
  connection.end();
  expect(client.take()).toBe('ab');
  expect([client.bufferLimit, client.hasEnded, connection.bytesWritten, connection.bytesRead]).toEqual([9, true, 2, 0]);
  expect([connection.id, connection.peer, connection.bufferedBytes]).toEqual([client.id, client.peer, 0]);
  expect(terminal.heard).toEqual(['drain']);
  connection.destroy(ClosedByPeer);
  expect(client.destroyedWith).toBe(ClosedByPeer);
});
