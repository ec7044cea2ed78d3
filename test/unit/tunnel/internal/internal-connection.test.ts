import { describe, expect, it } from 'vitest';
import { ClosedByPeer, ClosedLocally, DelayedCloseTimeout } from '../../../../src/core/failures.ts';
import { lentBytes } from '../../../../src/core/lent-bytes.ts';
import type { Peer } from '../../../../src/core/peer.ts';
import { Loop } from '../../../../src/net/loop.ts';
import { InternalConnection } from '../../../../src/tunnel/internal/internal-connection.ts';
import { RecordingSink } from '../../net/sockets.ts';

const address = { kind: 'internal', host: 'inside', port: 0 } as const;
const peer: Peer = {
  remote: address,
  local: address,
  directRemote: address,
  directLocal: address,
  serverName: '',
  alpn: '',
  transportProtocol: 'raw_buffer',
  applicationProtocols: [],
  ja3: '',
  ja4: '',
  tls: null,
};

class Pair {
  readonly loop: Loop;
  readonly near: InternalConnection;
  readonly far: InternalConnection;
  readonly nearSink: RecordingSink;
  readonly farSink: RecordingSink;

  constructor(bufferLimit = 0) {
    this.loop = new Loop();
    [this.near, this.far] = InternalConnection.pair(peer, peer, this.loop, bufferLimit);
    this.nearSink = new RecordingSink();
    this.farSink = new RecordingSink();
  }

  attached(): this {
    this.near.attach(this.nearSink);
    this.far.attach(this.farSink);
    return this;
  }

  /** The loop's turn is over. */
  async turn(): Promise<void> {
    for (let i = 0; i < 3; i++) await new Promise(setImmediate);
  }
}

describe('a connection in memory', () => {
  it('gives what the other end writes, in order and never from within the call', async () => {
    const pair = new Pair().attached();
    pair.near.writeLatin1('one ');
    pair.near.write(Buffer.from('two'));
    expect(pair.farSink.bytes).toBe(0);
    expect(pair.near.bufferedBytes).toBe(7);
    await pair.turn();
    expect(pair.farSink.text).toBe('one two');
    pair.far.writeLatin1('answer');
    await pair.turn();
    expect(pair.nearSink.text).toBe('answer');
    expect([pair.near.bytesWritten, pair.near.bytesRead, pair.near.bufferedBytes]).toEqual([7, 6, 0]);
    expect([pair.far.bytesWritten, pair.far.bytesRead]).toEqual([6, 7]);
    expect(pair.near.id).not.toBe(pair.far.id);
  });

  it('copies small pieces of what is lent', async () => {
    const pair = new Pair().attached();
    const memory = Buffer.from('lent');
    lentBytes.lend(memory);
    pair.near.write(memory);
    expect(lentBytes.end(4)).toBe(true);
    memory.fill('x');
    await pair.turn();
    expect(pair.farSink.text).toBe('lent');
  });

  it('holds larger pieces in the memory that they were lent in, which comes back when they are settled', async () => {
    const pair = new Pair().attached();
    const memory = Buffer.alloc(10_000, 'l');
    let isBack = false;
    lentBytes.lend(memory, { giveBack: () => (isBack = true) });
    pair.near.write(memory);
    expect(lentBytes.end(memory.length)).toBe(false);
    await pair.turn();
    expect([pair.farSink.text, isBack]).toEqual(['l'.repeat(10_000), false]);
    lentBytes.settle(memory, memory.length);
    expect(isBack).toBe(true);
  });

  it('keeps what comes before there is a sink, and while it is paused', async () => {
    const pair = new Pair();
    pair.near.writeLatin1('early');
    await pair.turn();
    pair.far.pause();
    pair.far.attach(pair.farSink);
    await pair.turn();
    expect(pair.farSink.bytes).toBe(0);
    pair.near.end();
    pair.far.resume();
    await pair.turn();
    expect([pair.farSink.text, pair.farSink.events]).toEqual(['early', ['end']]);
  });

  it('is passed on with what was read of it', async () => {
    const pair = new Pair();
    const first = new RecordingSink();
    pair.far.attach(first);
    pair.near.writeLatin1('hello');
    await pair.turn();
    pair.near.writeLatin1(' world');
    pair.far.detach(Buffer.from(first.text));
    pair.far.attach(pair.farSink);
    expect(pair.farSink.bytes).toBe(0);
    await pair.turn();
    expect(pair.farSink.text).toBe('hello world');
    expect(pair.far.bytesRead).toBe(11);
  });

  it('says when too much waits, and when it no longer does', async () => {
    const pair = new Pair(1000).attached();
    pair.far.pause();
    expect(pair.near.write(Buffer.alloc(1000))).toBe(true);
    expect(pair.near.write(Buffer.alloc(1))).toBe(false);
    await pair.turn();
    expect([pair.near.bufferedBytes, pair.nearSink.drains]).toEqual([1001, 0]);
    pair.far.resume();
    await pair.turn();
    expect([pair.near.bufferedBytes, pair.nearSink.drains, pair.farSink.bytes]).toEqual([0, 1, 1001]);
    expect(pair.near.write(Buffer.alloc(1))).toBe(true);
  });

  it('half-closes after what was written, and closes when both halves have ended', async () => {
    const pair = new Pair().attached();
    pair.near.writeLatin1('bye');
    pair.near.end();
    pair.near.writeLatin1('too late');
    await pair.turn();
    expect([pair.farSink.text, pair.farSink.events]).toEqual(['bye', ['end']]);
    pair.far.writeLatin1('still here');
    pair.far.end();
    await pair.turn();
    expect([pair.nearSink.text, pair.nearSink.events]).toEqual(['still here', ['end', 'closed']]);
    expect(pair.farSink.events).toEqual(['end', 'closed']);
  });

  it('is destroyed once, with the reason given, and told to its owner last', async () => {
    const pair = new Pair().attached();
    const order: string[] = [];
    pair.near.owner = { onConnectionClosed: () => order.push(...pair.nearSink.events, 'owner') };
    pair.near.writeLatin1('last');
    pair.near.destroy(ClosedLocally);
    pair.near.destroy(ClosedByPeer);
    expect((await pair.nearSink.closed).kind).toBe(ClosedLocally.kind);
    expect(order).toEqual(['closed', 'owner']);
    // What was written arrives, and the end behind it.
    expect([pair.farSink.text, pair.farSink.events]).toEqual(['last', ['end']]);
    // What is written then finds nobody.
    pair.far.writeLatin1('hello?');
    expect((await pair.farSink.closed).kind).toBe(ClosedByPeer.kind);
  });

  it('drops what is under way when it is reset', async () => {
    const pair = new Pair().attached();
    pair.near.writeLatin1('dropped');
    pair.near.reset(ClosedLocally);
    expect((await pair.farSink.closed).detail).toBe('Connection reset by peer');
    expect([pair.farSink.bytes, pair.farSink.events]).toEqual([0, ['closed']]);
    expect(pair.nearSink.events).toEqual(['closed']);
  });

  it('ends and lingers until the other end has closed too, or too long', async () => {
    const pair = new Pair().attached();
    pair.near.writeLatin1('last words');
    pair.near.endAndLinger(60_000, ClosedLocally);
    pair.far.writeLatin1('nobody listens');
    await pair.turn();
    expect([pair.farSink.text, pair.nearSink.bytes]).toEqual(['last words', 0]);
    pair.far.end();
    expect((await pair.nearSink.closed).kind).toBe(ClosedLocally.kind);
    const slow = new Pair().attached();
    slow.near.endAndLinger(1, ClosedLocally);
    expect((await slow.nearSink.closed).kind).toBe(DelayedCloseTimeout.kind);
  });

  it('closes behind what was written, and waits for a reader only so long', async () => {
    const pair = new Pair().attached();
    pair.near.closeAfterFlush(1000, ClosedLocally);
    expect((await pair.nearSink.closed).kind).toBe(ClosedLocally.kind);
    const slow = new Pair();
    slow.near.attach(slow.nearSink);
    slow.near.writeLatin1('unread');
    slow.near.closeAfterFlush(1, ClosedLocally);
    expect((await slow.nearSink.closed).kind).toBe(DelayedCloseTimeout.kind);
  });
});
