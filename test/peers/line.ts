import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { filled, type Ports, type Segment } from './row.ts';
import { handshakeSeen, sessionFrom, tlsOptions, type HandshakeSeen, type TlsClient } from './tls/client.ts';

const handshakeWaitMs = 3000;

/** A socket to the proxy. */
function dial(ports: Ports): Socket {
  return connect({ port: ports.listen, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
}

/** A raw socket, or one with TLS over it, that remembers everything and can be waited for. */
export class Line {
  received = Buffer.alloc(0);
  end: 'closed' | 'reset' | 'open' = 'open';
  /** How the handshake went; null: there was none. */
  handshake: HandshakeSeen | null = null;
  /** What the bytes go through, for whoever does without this class. */
  readonly socket: Socket;
  private readonly raw: Socket;
  private readonly ports: Ports;
  private wake: () => void = () => {};

  /** @param alpn what is offered where the row says nothing */
  static async open(ports: Ports, tls: TlsClient | null | undefined, alpn: readonly string[] = []): Promise<Line> {
    if (tls === null || tls === undefined) return new Line(ports, dial(ports), null);
    const options = await tlsOptions(tls, alpn);
    const session = tls.resumes === true ? await sessionFrom(dial(ports), options) : undefined;
    const raw = dial(ports);
    if (tls.before !== undefined) raw.write(Buffer.from(filled(tls.before, ports), 'latin1'));
    const line = new Line(ports, raw, { ...options, ...(session === undefined ? {} : { session }) });
    await line.until(() => line.handshake !== null || line.end !== 'open', handshakeWaitMs);
    return line;
  }

  private constructor(ports: Ports, raw: Socket, tls: ConnectionOptions | null) {
    this.ports = ports;
    this.raw = raw;
    this.socket = tls === null ? raw : this.secured(raw, tls);
    this.socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    this.socket.on('end', () => this.finish('closed'));
    this.socket.on('error', () => this.finish('reset'));
    this.socket.on('close', () => this.finish('closed'));
  }

  private secured(raw: Socket, options: ConnectionOptions): Socket {
    const socket = connectTls({ ...options, socket: raw });
    const staple = { ocsp: '-' };
    socket.on('OCSPResponse', (response: Buffer | null) => {
      staple.ocsp = response === null || response.length === 0 ? '-' : `${response.length} bytes`;
    });
    socket.on('secureConnect', () => {
      this.handshake = { ...handshakeSeen(socket), ...(options.requestOCSP === true ? staple : {}) };
      this.wake();
    });
    // TLS 1.3: a client's certificate is refused when the client has long been content.
    socket.on('error', ({ code = 'unknown' }: NodeJS.ErrnoException) => {
      this.handshake = { failure: code };
    });
    return socket;
  }

  private finish(how: 'closed' | 'reset'): void {
    if (this.end === 'open') this.end = how;
    this.wake();
  }

  async send(segments: readonly (Segment | Buffer)[]): Promise<void> {
    for (const segment of segments) {
      if (typeof segment === 'number') await sleep(segment);
      else if (segment === 'end') this.socket.end();
      else if (segment === 'reset') this.raw.resetAndDestroy();
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
    this.raw.destroy();
  }
}
