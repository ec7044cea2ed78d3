import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { AcceptedConnection } from '../../src/core/connection.ts';
import { ClosedLocally } from '../../src/core/failures.ts';
import { RecordingSink } from '../unit/net/sockets.ts';
import { connectionContract } from './connection.ts';

export interface AcceptedPair {
  readonly connection: AcceptedConnection;
  /** The client: nothing of ours. It neither reads nor ends by itself. */
  readonly peer: Socket;
  close(): void;
}

/** Looks at so many bytes, and passes the connection on at once. */
class Inspector extends RecordingSink {
  readonly successor: RecordingSink;
  private readonly connection: AcceptedConnection;
  private readonly size: number;
  private readonly prepare: () => void;
  /** What the successor had heard when the call that attached it returned. */
  heardAtOnce = NaN;

  constructor(connection: AcceptedConnection, size: number, prepare = (): void => {}) {
    super();
    this.connection = connection;
    this.size = size;
    this.prepare = prepare;
    this.successor = new RecordingSink();
  }

  override onBytes(chunk: Uint8Array): void {
    super.onBytes(chunk);
    if (this.bytes < this.size) return;
    this.connection.detach(Buffer.concat(this.chunks));
    this.prepare();
    this.connection.attach(this.successor);
    this.heardAtOnce = this.successor.bytes;
  }
}

/** What listeners rely on, beside the contract of all connections. */
export function acceptedConnectionContract(name: string, open: () => Promise<AcceptedPair>): void {
  connectionContract(name, open);

  describe(`an accepted connection: ${name}`, () => {
    const opened: AcceptedPair[] = [];
    const pair = async (): Promise<AcceptedPair> => {
      const made = await open();
      opened.push(made);
      return made;
    };
    afterEach(() => {
      for (const made of opened.splice(0)) made.close();
    });

    it('is passed on with what was read of it, and goes on from there', async () => {
      const { connection, peer } = await pair();
      const inspector = new Inspector(connection, 5);
      connection.attach(inspector);
      peer.write('hello ');
      await inspector.successor.received(6);
      expect(inspector.heardAtOnce).toBe(0);
      peer.write('world');
      await inspector.successor.received(11);
      expect(inspector.successor.text).toBe('hello world');
      expect(inspector.text).toBe('hello ');
      expect(connection.bytesRead).toBe(11);
    });

    it('is passed on after several pieces, and again', async () => {
      const { connection, peer } = await pair();
      const second = new Inspector(connection, 8);
      const first = new Inspector(connection, 4);
      Object.defineProperty(first, 'successor', { value: second });
      connection.attach(first);
      for (const piece of ['ab', 'cd', 'ef', 'gh', 'ij']) {
        peer.write(piece);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await second.successor.received(10);
      expect(second.successor.text).toBe('abcdefghij');
    });

    it('keeps the order of much that comes at once', async () => {
      const { connection, peer } = await pair();
      const inspector = new Inspector(connection, 1);
      connection.attach(inspector);
      const text = Array.from({ length: 100_000 }, (_, i) => `${i},`).join('');
      peer.write(text);
      await inspector.successor.received(text.length);
      expect(inspector.successor.text).toBe(text);
    });

    it('gives nothing while paused', async () => {
      const { connection, peer } = await pair();
      const inspector = new Inspector(connection, 5, () => connection.pause());
      connection.attach(inspector);
      peer.write('hello');
      await inspector.received(5);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      expect(inspector.successor.bytes).toBe(0);
      connection.resume();
      await inspector.successor.received(5);
      expect(inspector.successor.text).toBe('hello');
    });

    it('tells of the end behind what was read', async () => {
      const { connection, peer } = await pair();
      const inspector = new Inspector(connection, 5);
      connection.attach(inspector);
      peer.end('hello');
      await inspector.successor.ended;
      expect(inspector.successor.text).toBe('hello');
    });

    it('forgets what was read when it is destroyed, and tells the last sink alone', async () => {
      const { connection, peer } = await pair();
      const inspector = new Inspector(connection, 5);
      connection.attach(inspector);
      peer.write('hello');
      await inspector.received(5);
      connection.destroy(ClosedLocally);
      await inspector.successor.closed;
      expect(inspector.events).toEqual([]);
      expect(inspector.successor.events).toEqual(['closed']);
    });

    it('lingers without telling what was read', async () => {
      const { connection, peer } = await pair();
      const inspector = new Inspector(connection, 5, () => connection.pause());
      connection.attach(inspector);
      peer.write('hello');
      await inspector.received(5);
      connection.endAndLinger(60_000, ClosedLocally);
      peer.end();
      expect((await inspector.successor.closed).kind).toBe(ClosedLocally.kind);
      expect(inspector.successor.bytes).toBe(0);
    });
  });
}
