import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { filled, type Ports, type Segment } from './row.ts';

/** A raw socket that remembers everything and can be waited for. */
export class Line {
  received = Buffer.alloc(0);
  end: 'closed' | 'reset' | 'open' = 'open';
  private readonly socket: Socket;
  private readonly ports: Ports;
  private wake: () => void = () => {};

  constructor(ports: Ports) {
    this.ports = ports;
    this.socket = connect({ port: ports.listen, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    this.socket.on('end', () => this.finish('closed'));
    this.socket.on('error', () => this.finish('reset'));
    this.socket.on('close', () => this.finish('closed'));
  }

  private finish(how: 'closed' | 'reset'): void {
    if (this.end === 'open') this.end = how;
    this.wake();
  }

  async send(segments: readonly (Segment | Buffer)[]): Promise<void> {
    for (const segment of segments) {
      if (typeof segment === 'number') await sleep(segment);
      else if (segment === 'end') this.socket.end();
      else if (segment === 'reset') this.socket.resetAndDestroy();
      else if (typeof segment !== 'string') this.socket.write(segment);
      else this.socket.write(Buffer.from(filled(segment, this.ports), 'latin1'));
    }
  }

  /** Waits until the condition holds or the time is up. */
  async until(condition: () => boolean, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!condition()) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, left);
      this.wake = resolve;
      await promise;
      clearTimeout(timer);
    }
  }

  destroy(): void {
    this.socket.destroy();
  }
}
