import { describe, expect, it } from 'vitest';
import { Loop } from '../../../../src/net/loop.ts';
import { HandshakeQueue } from '../../../../src/net/tls/handshake/handshake-queue.ts';
import type { TlsConnection } from '../../../../src/net/tls/tls-connection.ts';

const waiting = (): { connection: TlsConnection; continued: Promise<void> } => {
  let go: () => void;
  const continued = new Promise<void>((resolve) => (go = resolve));
  return { connection: { continueHandshake: () => go() } as unknown as TlsConnection, continued };
};

describe('handshakes of servers', () => {
  it('wait for another turn when this one has spent its time on them', async () => {
    const queue = new HandshakeQueue(new Loop());
    const [one, two] = [waiting(), waiting()];
    expect(queue.mayWork(one.connection)).toBe(true);
    queue.spent(1.5);
    expect(queue.mayWork(one.connection)).toBe(true);
    queue.spent(1.5);
    expect(queue.mayWork(one.connection)).toBe(false);
    expect(queue.mayWork(two.connection)).toBe(false);
    await Promise.all([one.continued, two.continued]);
    expect(queue.mayWork(one.connection)).toBe(true);
  });

  it('are limited in number', () => {
    const queue = new HandshakeQueue(new Loop());
    for (let i = 0; i < 16_384; i++) {
      expect(queue.isFull).toBe(false);
      queue.began();
    }
    expect(queue.isFull).toBe(true);
    queue.ended();
    expect(queue.isFull).toBe(false);
  });
});
