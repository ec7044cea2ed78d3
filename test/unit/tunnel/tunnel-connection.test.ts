import { describe, expect, it } from 'vitest';
import { ClosedByPeer, ClosedLocally, ConnectionTermination, DelayedCloseTimeout } from '../../../src/core/failures.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { Loop } from '../../../src/net/loop.ts';
import { TunnelConnection, type CarryingStream } from '../../../src/tunnel/tunnel-connection.ts';
import { RecordingSink } from '../net/sockets.ts';
import { peer } from './peer.ts';

class Stream implements CarryingStream {
  readonly heard: string[] = [];
  pauses = 0;

  data(chunk: Uint8Array, end: boolean): void {
    this.heard.push(Buffer.from(chunk).toString() + (end ? '$' : ''));
  }

  reset(failure: Failure): void {
    this.heard.push(`reset: ${failure.kind.name}`);
  }

  pause(): void {
    this.pauses++;
  }

  resume(): void {
    this.pauses--;
  }
}

function open(): { stream: Stream; tunnel: TunnelConnection; sink: RecordingSink } {
  const stream = new Stream();
  const tunnel = new TunnelConnection(stream, peer, new Loop());
  return { stream, tunnel, sink: new RecordingSink() };
}

describe('a connection inside a stream', () => {
  it('holds the stream back until there is a sink, and counts what passes', () => {
    const { stream, tunnel, sink } = open();
    expect(stream.pauses).toBe(1);
    tunnel.attach(sink);
    expect(stream.pauses).toBe(0);
    tunnel.data(Buffer.from('hello'), false);
    tunnel.write(Buffer.from('world'));
    tunnel.writeLatin1('\xe9');
    expect(sink.text).toBe('hello');
    expect(stream.heard[0]).toBe('world');
    expect(Buffer.from(stream.heard[1]).length).toBeGreaterThan(0);
    expect(tunnel).toMatchObject({ bytesRead: 5, bytesWritten: 6, peer });
    expect(() => tunnel.attach(sink)).toThrow(/exactly once/);
  });

  it('half-closes both ways, and is closed when both have', async () => {
    const { stream, tunnel, sink } = open();
    tunnel.attach(sink);
    tunnel.end();
    tunnel.end();
    tunnel.write(Buffer.from('too late'));
    expect(stream.heard).toEqual(['$']);
    tunnel.data(Buffer.from('last'), true);
    expect(await sink.closed).toBe(ClosedByPeer);
    expect(sink.text).toBe('last');
    expect(sink.events).toEqual(['end', 'closed']);
  });

  it('passes the stream being full on, and that it no longer is', () => {
    const { tunnel, sink } = open();
    tunnel.attach(sink);
    expect(tunnel.write(Buffer.from('a'))).toBe(true);
    tunnel.onAboveHighWatermark();
    expect(tunnel.write(Buffer.from('b'))).toBe(false);
    tunnel.onBelowLowWatermark();
    expect(sink.drains).toBe(1);
    tunnel.pause();
    tunnel.resume();
  });

  it('resets the stream when it is destroyed, once, and tells the reason later and last', async () => {
    const { stream, tunnel, sink } = open();
    const owner: unknown[] = [];
    tunnel.owner = { onConnectionClosed: (closed) => owner.push(closed) };
    tunnel.attach(sink);
    tunnel.destroy(ClosedLocally);
    tunnel.reset(DelayedCloseTimeout);
    tunnel.broken(ConnectionTermination);
    tunnel.data(Buffer.from('nobody hears this'), true);
    expect(sink.events).toEqual([]);
    expect(await sink.closed).toBe(ClosedLocally);
    expect(stream.heard).toEqual(['reset: closed-locally']);
    expect(sink.events).toEqual(['closed']);
    expect(owner).toEqual([tunnel]);
  });

  it('tells when the stream broke', async () => {
    const { stream, tunnel, sink } = open();
    tunnel.attach(sink);
    tunnel.broken(ConnectionTermination);
    expect(await sink.closed).toBe(ConnectionTermination);
    expect(stream.heard).toEqual([]);
  });

  it('leaves after what was written: when the peer ends, or when that takes too long', async () => {
    const first = open();
    first.tunnel.attach(first.sink);
    first.tunnel.closeAfterFlush(60_000, ClosedLocally);
    first.tunnel.data(Buffer.from('not heard'), true);
    expect(await first.sink.closed).toBe(ClosedByPeer);
    expect(first.sink.text).toBe('');
    const second = open();
    second.tunnel.attach(second.sink);
    second.tunnel.endAndLinger(1, ClosedLocally);
    expect(await second.sink.closed).toBe(DelayedCloseTimeout);
    expect(second.stream.heard).toEqual(['reset: delayed-close-timeout']);
    const third = open();
    third.tunnel.attach(third.sink);
    third.tunnel.ended();
    third.tunnel.closeAfterFlush(60_000, ClosedLocally);
    expect((await third.sink.closed).kind).toBe(ClosedByPeer.kind);
  });
});

describe('a tunnel that a listener looks into', () => {
  it('is passed on with what was read, with what came behind it, and with its end', () => {
    const { stream, tunnel, sink } = open();
    const successor = new RecordingSink();
    sink.onBytes = (chunk) => {
      tunnel.detach(chunk);
      tunnel.attach(successor);
    };
    tunnel.attach(sink);
    tunnel.data(Buffer.from('first'), false);
    expect([successor.bytes, stream.pauses, tunnel.bytesRead]).toEqual([0, 1, 0]);
    tunnel.data(Buffer.from(' second'), true);
    expect(successor.events).toEqual([]);
    tunnel.tick();
    expect([successor.text, stream.pauses, tunnel.bytesRead]).toEqual(['first second', 0, 12]);
    expect(successor.events).toEqual(['end']);
  });

  it('gives nothing while paused', () => {
    const { stream, tunnel, sink } = open();
    const successor = new RecordingSink();
    sink.onBytes = (chunk) => {
      tunnel.detach(chunk);
      tunnel.pause();
      tunnel.attach(successor);
    };
    tunnel.attach(sink);
    tunnel.data(Buffer.from('hello'), false);
    tunnel.tick();
    expect(successor.bytes).toBe(0);
    tunnel.resume();
    tunnel.tick();
    expect([successor.text, stream.pauses]).toEqual(['hello', 0]);
  });

  it('forgets what was read when it leaves', () => {
    const { stream, tunnel, sink } = open();
    const successor = new RecordingSink();
    sink.onBytes = (chunk) => {
      tunnel.detach(chunk);
      tunnel.attach(successor);
    };
    tunnel.attach(sink);
    tunnel.data(Buffer.from('hello'), false);
    tunnel.endAndLinger(1000, ClosedLocally);
    tunnel.ended();
    tunnel.tick();
    expect([successor.bytes, successor.events, stream.pauses]).toEqual([0, ['closed'], -1]);
  });
});
