import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lentBytes } from '../../src/core/lent-bytes.ts';
import { DelayedCloseTimeout, ClosedLocally } from '../../src/core/failures.ts';
import { acceptedConnectionContract } from './accepted-connection.ts';
import { connectionContract } from './connection.ts';
import type { Network } from '../../src/net/network.ts';
import { Ground, listenOptions, RecordingSink } from '../unit/net/sockets.ts';

/** What is true of connections over sockets, beside the contract of all connections. */
export function socketConnectionContract(name: string, network: Network): void {
  acceptedConnectionContract(`accepted from a socket: ${name}`, async () => {
    const ground = await Ground.open(listenOptions, network);
    const { client, connection } = await ground.accept();
    return { connection, peer: client, close: () => ground.close() };
  });

  connectionContract(`dialled to a socket: ${name}`, async () => {
    const ground = await Ground.open(listenOptions, network);
    const { server, connection } = await ground.dial();
    return { connection, peer: server, close: () => ground.close() };
  });

  describe(`a TCP connection: ${name}`, () => {
    let ground: Ground;
    beforeAll(async () => {
      ground = await Ground.open(listenOptions, network);
    });
    afterAll(() => ground.close());

    it('sends what one turn of the loop has written in one segment', async () => {
      const { client, connection } = await ground.accept();
      connection.attach(new RecordingSink());
      const segments: number[] = [];
      client.on('data', (chunk) => segments.push(chunk.length));
      for (let i = 0; i < 10; i++) connection.writeLatin1('0123456789');
      await new Promise<void>((resolve) => client.once('data', () => resolve()));
      expect(segments).toEqual([100]);
    });

    it('has who gathers for it write before it sends, and before it closes', async () => {
      const { client, connection } = await ground.accept();
      connection.attach(new RecordingSink());
      const source = { flush: () => void connection.writeLatin1('late') };
      connection.writeLatin1('early, ');
      if (connection.flushLater === undefined) source.flush();
      else connection.flushLater(source);
      connection.closeAfterFlush(1000, ClosedLocally);
      let text = '';
      for await (const chunk of client) text += String(chunk);
      expect(text).toBe('early, late');
    });

    it('sends what was written before it hears that the peer has ended, whatever follows', async () => {
      const { client, connection } = await ground.accept();
      const sink = new RecordingSink();
      sink.onEnd = () => connection.destroy(ClosedLocally);
      sink.onBytes = () => connection.writeLatin1('answer');
      connection.attach(sink);
      client.end('question');
      let text = '';
      for await (const chunk of client) text += String(chunk);
      expect(text).toBe('answer');
    });

    it('closes for good when the peer does not in time', async () => {
      const { connection } = await ground.accept();
      const sink = new RecordingSink();
      connection.attach(sink);
      connection.endAndLinger(5, ClosedLocally);
      expect((await sink.closed).kind).toBe(DelayedCloseTimeout.kind);
    });

    it('is attached once', async () => {
      const { connection } = await ground.accept();
      connection.attach(new RecordingSink());
      expect(() => connection.attach(new RecordingSink())).toThrow(/exactly once/);
    });

    it('reads bulk into the same memory again only if the bytes were settled', async () => {
      const { client, connection } = await ground.accept();
      const settled: ArrayBufferLike[] = [];
      const kept: Uint8Array[] = [];
      const sink = new RecordingSink();
      const size = 8 << 20;
      let reads = 0;
      sink.onBytes = (chunk) => {
        RecordingSink.prototype.onBytes.call(sink, chunk);
        sink.chunks.length = 0;
        if (++reads % 2 === 0) {
          lentBytes.settle(chunk, chunk.length);
          settled.push(chunk.buffer);
        } else {
          kept.push(chunk);
        }
      };
      connection.attach(sink);
      client.write(Buffer.alloc(size, 'k'));
      await sink.received(size);
      expect(kept.every((chunk) => !chunk.some((byte) => byte !== 0x6b))).toBe(true);
      // What is kept is in memory that is never given out again.
      const big = kept.filter((chunk) => chunk.length > 4096).map((chunk) => chunk.buffer);
      expect(new Set(big).size).toBe(big.length);
      expect(settled.length).toBeGreaterThan(0);
    });
  });
}
