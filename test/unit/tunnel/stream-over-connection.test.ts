import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClosedLocally } from '../../../src/core/failures.ts';
import type { Failure } from '../../../src/core/failure.ts';
import type { ResponseHead } from '../../../src/core/head.ts';
import type { StreamUser } from '../../../src/core/message-sink.ts';
import { StreamOverConnection } from '../../../src/tunnel/stream-over-connection.ts';
import { Ground } from '../net/sockets.ts';

class User implements StreamUser<ResponseHead> {
  readonly heard: string[] = [];
  readonly over = Promise.withResolvers<void>();

  head(head: ResponseHead, end: boolean): void {
    this.heard.push(`${head.status}${end ? '$' : ''}`);
  }

  data(chunk: Uint8Array, end: boolean): void {
    if (chunk.length > 0) this.heard.push(Buffer.from(chunk).toString());
    if (end) {
      this.heard.push('$');
      this.over.resolve();
    }
  }

  trailers(): void {}

  reset(failure: Failure): void {
    this.heard.push(`reset: ${failure.kind.name}`);
    this.over.resolve();
  }

  onAboveHighWatermark(): void {
    this.heard.push('full');
  }

  onBelowLowWatermark(): void {
    this.heard.push('not full');
    this.over.resolve();
  }
}

describe('a stream over a bare connection', () => {
  let ground: Ground;
  beforeAll(async () => {
    ground = await Ground.open();
  });
  afterAll(() => ground.close());

  it('answers at once, and passes bytes and half-closes both ways', async () => {
    const { server, connection } = await ground.dial();
    const user = new User();
    const stream = new StreamOverConnection<null>(connection, user, Buffer.from('PROXY|'));
    stream.head(null, false);
    expect(user.heard).toEqual(['200']);
    stream.data(Buffer.from('ping'), true);
    let text = '';
    for await (const chunk of server.iterator({ destroyOnReturn: false })) text += String(chunk);
    expect(text).toBe('PROXY|ping');
    server.end('pong');
    await user.over.promise;
    expect(user.heard).toEqual(['200', 'pong', '$']);
  });

  it('is reset when the connection breaks', async () => {
    const { server, connection } = await ground.dial();
    const user = new User();
    new StreamOverConnection<null>(connection, user).head(null, false);
    server.resetAndDestroy();
    await user.over.promise;
    expect(user.heard).toEqual(['200', 'reset: connection-termination']);
  });

  it('breaks the connection off when it is reset', async () => {
    const { server, connection } = await ground.dial();
    const user = new User();
    const stream = new StreamOverConnection<null>(connection, user);
    stream.head(null, false);
    stream.reset(ClosedLocally);
    stream.data(Buffer.from('nobody hears this'), true);
    server.resume();
    await once(server, 'end');
    expect(user.heard).toEqual(['200']);
  });

  it('says when the connection is full, and when it no longer is', async () => {
    const { server, connection } = await ground.dial();
    connection.bufferLimit = 100_000;
    const user = new User();
    const stream = new StreamOverConnection<null>(connection, user);
    stream.head(null, false);
    for (let i = 0; i < 4096 && !user.heard.includes('full'); i++) {
      stream.data(Buffer.alloc(65_536), false);
      await new Promise(setImmediate);
    }
    expect(user.heard).toEqual(['200', 'full']);
    server.resume();
    await user.over.promise;
    expect(user.heard).toEqual(['200', 'full', 'not full']);
    stream.reset(ClosedLocally);
  });
});
