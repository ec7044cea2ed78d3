import { connect, type ClientHttp2Session } from 'node:http2';
import { onTestFinished } from 'vitest';
import { until } from './wait.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One request on a session of node:http2. Rejects where its stream ends in any other way than an answer's end. */
export function ask(session: ClientHttp2Session, path = '/'): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const stream = session.request({ ':path': path });
  let status = 0;
  let body = '';
  let isWhole = false;
  stream.setEncoding('latin1');
  stream.on('response', (headers) => (status = Number(headers[':status'])));
  stream.on('data', (text: string) => (body += text));
  stream.on('end', () => (isWhole = true));
  stream.on('error', () => {});
  stream.on('close', () => {
    if (isWhole && stream.rstCode === 0) resolve({ status, body });
    else reject(new Error(`${path} ended with code ${stream.rstCode} after ${status} and ${body.length} bytes`));
  });
  return promise;
}

/** Connected with prior knowledge; ends with the test. */
export async function openSession(url: string, options: object = {}): Promise<ClientHttp2Session> {
  const session = connect(url, options);
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  session.once('remoteSettings', () => resolve());
  session.once('close', () => reject(new Error('the connection closed before its first SETTINGS')));
  await promise;
  return session;
}

/**
 * Streams without a pause, some at the same time on each of some connections. A connection that has said GOAWAY is left
 * to finish, and another one takes its place while somebody listens.
 */
export class H2Traffic {
  readonly bodies: Map<string, number>;
  readonly failures: string[];
  goAways: number;
  private readonly url: string;
  private readonly lanesPerConnection: number;
  private isStopping: boolean;
  private readonly connections: Promise<void>[];

  constructor(url: string, connections: number, lanesPerConnection: number) {
    this.bodies = new Map();
    this.failures = [];
    this.goAways = 0;
    this.url = url;
    this.lanesPerConnection = lanesPerConnection;
    this.isStopping = false;
    this.connections = Array.from({ length: connections }, () => this.keepConnection());
  }

  /** Waits for so many more answers with this body. */
  async sees(body: string, count: number): Promise<void> {
    const before = this.bodies.get(body) ?? 0;
    await until(`answers '${body}' (failures: ${this.failures.slice(0, 5).join('; ')})`, () => {
      return (this.bodies.get(body) ?? 0) >= before + count;
    });
  }

  /** What went wrong, once everything under way has ended. */
  async stop(): Promise<readonly string[]> {
    this.isStopping = true;
    await Promise.all(this.connections);
    return this.failures;
  }

  private async keepConnection(): Promise<void> {
    while (!this.isStopping) {
      const session = await openSession(this.url).catch(() => null);
      if (session === null) return;
      session.on('goaway', () => this.goAways++);
      await Promise.all(Array.from({ length: this.lanesPerConnection }, () => this.drive(session)));
      session.close();
    }
  }

  private async drive(session: ClientHttp2Session): Promise<void> {
    while (!this.isStopping && !session.closed && !session.destroyed) {
      try {
        const { status, body } = await ask(session);
        if (status === 200) this.bodies.set(body, (this.bodies.get(body) ?? 0) + 1);
        else this.failures.push(`${status} ${body}`);
      } catch (error) {
        this.failures.push(String(error));
      }
    }
  }
}
