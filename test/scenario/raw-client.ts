import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { until, within } from './wait.ts';

/** A TCP client that writes what it is told and keeps what it hears. */
export class RawClient {
  readonly socket: Socket;
  /** Everything heard so far, latin1. */
  heard: string;
  hasEnded: boolean;
  hasClosed: boolean;
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.heard = '';
    this.hasEnded = false;
    this.hasClosed = false;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => (this.heard += text));
    socket.on('end', () => (this.hasEnded = true));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) =>
      socket.on('close', () => {
        this.hasClosed = true;
        resolve();
      }),
    );
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const client = new RawClient(socket);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return client;
  }

  write(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  async hears(pattern: RegExp): Promise<string> {
    try {
      await until(String(pattern), () => pattern.test(this.heard));
    } catch (error) {
      const state = this.hasClosed ? 'closed' : this.hasEnded ? 'ended' : 'open';
      throw new Error(`heard ${JSON.stringify(this.heard)} (${state}), wanted ${pattern}`, { cause: error });
    }
    return this.heard;
  }

  /** Waits until the other side has closed; everything that was heard. */
  async toEnd(): Promise<string> {
    await within(`the end of the connection; heard ${JSON.stringify(this.heard)}`, this.closed);
    return this.heard;
  }
}

/** Whether a connection is refused. */
export async function isRefused(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}
