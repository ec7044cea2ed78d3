import { once } from 'node:events';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { Connection } from '../../src/core/connection.ts';
import { ClosedByPeer, ClosedLocally } from '../../src/core/failures.ts';
import { RecordingSink } from '../unit/net/sockets.ts';

export interface ConnectionPair {
  readonly connection: Connection;
  /** The other end: nothing of ours. It neither reads nor ends by itself. */
  readonly peer: Socket;
  close(): void;
}

async function read(peer: Socket, size: number): Promise<string> {
  let text = '';
  for await (const chunk of peer.iterator({ destroyOnReturn: false })) {
    text += (chunk as Buffer).toString('latin1');
    if (text.length >= size) break;
  }
  return text;
}

/** Under TLS only the socket below can be reset. */
function breakOff(peer: Socket): void {
  const below = (peer as { _parent?: Socket })._parent;
  if (below === undefined && peer instanceof TLSSocket) peer.destroy();
  else (below ?? peer).resetAndDestroy();
}

/** What everybody who holds a `Connection` relies on, whatever carries it. */
export function connectionContract(name: string, open: () => Promise<ConnectionPair>): void {
  describe(`a connection: ${name}`, () => {
    const opened: ConnectionPair[] = [];
    const pair = async (): Promise<ConnectionPair & { sink: RecordingSink }> => {
      const made = await open();
      opened.push(made);
      return { ...made, sink: new RecordingSink() };
    };
    afterEach(() => {
      for (const made of opened.splice(0)) made.close();
    });

    it('has an identity, and counts nothing before bytes flow', async () => {
      const [one, two] = [await pair(), await pair()];
      expect(one.connection.id).not.toBe(two.connection.id);
      expect(one.connection).toMatchObject({ bytesRead: 0, bytesWritten: 0, bufferedBytes: 0, owner: null });
    });

    it('gives what the peer sends, and counts it', async () => {
      const { connection, peer, sink } = await pair();
      connection.attach(sink);
      peer.write('hello ');
      peer.write('world');
      await sink.received(11);
      expect(sink.text).toBe('hello world');
      expect(connection.bytesRead).toBe(11);
    });

    it('keeps bytes that came before there was a sink', async () => {
      const { connection, peer, sink } = await pair();
      peer.write('early');
      await new Promise(setImmediate);
      connection.attach(sink);
      await sink.received(5);
      expect(sink.text).toBe('early');
    });

    it('sends text and chunks of all sizes in the order of their writing', async () => {
      const { connection, peer, sink } = await pair();
      connection.attach(sink);
      const big = Buffer.alloc(10_000, 'b');
      connection.writeLatin1('head\xe9|');
      connection.write(Buffer.from('small|'));
      connection.write(big);
      connection.writeLatin1('|tail');
      connection.write(Buffer.from('|last'));
      const expected = `head\xe9|small|${big.toString()}|tail|last`;
      expect(await read(peer, expected.length)).toBe(expected);
      expect(connection.bytesWritten).toBe(expected.length);
    });

    it('sends small chunks between texts, before them and alone', async () => {
      const { connection, peer, sink } = await pair();
      connection.attach(sink);
      let expected = '';
      const gather = (...parts: readonly (string | number)[]): void => {
        for (const part of parts) {
          const text = typeof part === 'string' ? part : 'c'.repeat(part);
          if (typeof part === 'string') connection.writeLatin1(text);
          else connection.write(Buffer.from(text));
          expected += text;
        }
      };
      const turns = [
        [1],
        ['a', 1],
        [1, 'a'],
        [2, 3],
        ['a', 2, 'b', 3, 4, 'c'],
        ['a', 4095],
        ['a', 4096],
        [4096, 4097, 5],
      ];
      for (const parts of turns) {
        gather(...parts);
        expect(await read(peer, expected.length)).toBe(expected);
        expected = '';
      }
    });

    it('gives nothing while paused as often as not resumed', async () => {
      const { connection, peer, sink } = await pair();
      connection.attach(sink);
      connection.pause();
      connection.pause();
      peer.write('later');
      connection.resume();
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      expect(sink.bytes).toBe(0);
      connection.resume();
      await sink.received(5);
      expect(sink.text).toBe('later');
    });

    it('says when too much waits, and when it no longer does', async () => {
      const { connection, peer, sink } = await pair();
      connection.attach(sink);
      connection.bufferLimit = 100_000;
      const chunk = Buffer.alloc(64 * 1024, 'x');
      let sent = 0;
      // The kernels' buffers take a few MiB first.
      do {
        await new Promise(setImmediate);
        sent += chunk.length;
      } while (connection.write(chunk) && sent < 1 << 28);
      expect(connection.bufferedBytes).toBeGreaterThan(100_000);
      expect(sink.drains).toBe(0);
      peer.resume();
      await sink.drained();
      expect(connection.bufferedBytes).toBeLessThanOrEqual(50_000);
      expect(connection.write(chunk)).toBe(true);
    });

    it('half-closes after what was written, and goes on reading', async () => {
      const { connection, peer, sink } = await pair();
      connection.attach(sink);
      connection.writeLatin1('bye');
      connection.end();
      const ended = once(peer, 'end');
      expect(await read(peer, 3)).toBe('bye');
      peer.resume();
      await ended;
      peer.write('still here');
      await sink.received(10);
      expect(sink.events).toEqual([]);
      peer.end();
      await sink.closed;
      expect(sink.events).toEqual(['end', 'closed']);
    });

    it('tells of the half-close of the peer, and goes on writing', async () => {
      const { connection, peer, sink } = await pair();
      connection.attach(sink);
      peer.end();
      await sink.ended;
      connection.writeLatin1('answer');
      connection.end();
      expect(await read(peer, 6)).toBe('answer');
      await sink.closed;
      expect(sink.events).toEqual(['end', 'closed']);
    });

    it('tells of an end that comes while our own is still to be sent', async () => {
      const { connection, peer, sink } = await pair();
      const hear = sink.onBytes.bind(sink);
      sink.onBytes = (chunk) => {
        hear(chunk);
        connection.end();
      };
      peer.end('last words');
      connection.attach(sink);
      await sink.closed;
      expect(sink.text).toBe('last words');
      expect(sink.events).toEqual(['end', 'closed']);
    });

    it('is destroyed once, with the reason given, and told to its owner last', async () => {
      const { connection, peer, sink } = await pair();
      const order: string[] = [];
      connection.attach(sink);
      connection.owner = { onConnectionClosed: () => order.push(...sink.events, 'owner') };
      const gone = once(peer, 'close');
      peer.resume();
      peer.on('end', () => peer.end());
      connection.writeLatin1('dropped');
      connection.destroy(ClosedLocally);
      connection.destroy(ClosedByPeer);
      expect((await sink.closed).kind).toBe(ClosedLocally.kind);
      await gone;
      expect(order).toEqual(['closed', 'owner']);
    });

    it('closes when the peer breaks it off', async () => {
      const { connection, peer, sink } = await pair();
      connection.attach(sink);
      breakOff(peer);
      expect((await sink.closed).kind).toBe(ClosedByPeer.kind);
      expect(sink.events).toEqual(['closed']);
    });

    it('ends and lingers until the peer has closed too', async () => {
      const { connection, peer, sink } = await pair();
      connection.attach(sink);
      connection.writeLatin1('last words');
      connection.endAndLinger(60_000, ClosedLocally);
      peer.write('nobody listens');
      expect(await read(peer, 10)).toBe('last words');
      peer.end();
      expect((await sink.closed).kind).toBe(ClosedLocally.kind);
      expect(sink.bytes).toBe(0);
    });
  });
}
