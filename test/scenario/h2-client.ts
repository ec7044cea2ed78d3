import { once } from 'node:events';
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type Settings } from 'node:http2';
import { onTestFinished } from 'vitest';
import { until, within } from './wait.ts';

/** One stream of an HTTP/2 connection, and what has come back on it. */
export class H2Exchange {
  readonly stream: ClientHttp2Stream;
  status: number;
  headers: Record<string, unknown>;
  trailers: Record<string, unknown>;
  body: string;
  bytes: number;
  hasEnded: boolean;
  hasClosed: boolean;

  constructor(stream: ClientHttp2Stream, reads: boolean) {
    this.stream = stream;
    this.status = 0;
    this.headers = {};
    this.trailers = {};
    this.body = '';
    this.bytes = 0;
    this.hasEnded = false;
    this.hasClosed = false;
    stream.on('error', () => {});
    stream.on('response', (headers) => {
      this.status = headers[':status'] ?? 0;
      this.headers = headers;
    });
    stream.on('trailers', (trailers) => (this.trailers = trailers));
    stream.on('end', () => (this.hasEnded = true));
    stream.on('close', () => (this.hasClosed = true));
    if (reads) this.read();
  }

  /** Code of the RST_STREAM that ended it; 0: none, or NO_ERROR. */
  get resetCode(): number {
    return this.stream.rstCode ?? 0;
  }

  read(): void {
    this.stream.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (this.bytes <= 65_536) this.body += chunk.toString('latin1');
    });
  }

  async closed(): Promise<this> {
    await until(`the end of a stream with status ${this.status}`, () => this.hasClosed);
    return this;
  }
}

/** Node's HTTP/2 client (nghttp2) with prior knowledge; it ends with the test. */
export class H2Client {
  readonly session: ClientHttp2Session;
  /** Codes of the GOAWAY frames and the last streams that they name. */
  readonly goAways: [number, number][];
  hasClosed: boolean;

  private constructor(session: ClientHttp2Session) {
    this.session = session;
    this.goAways = [];
    this.hasClosed = false;
    session.on('error', () => {});
    session.on('goaway', (code, last) => this.goAways.push([code, last]));
    session.on('close', () => (this.hasClosed = true));
  }

  static async open(port: number, settings: Settings = {}): Promise<H2Client> {
    const session = connect(`http://127.0.0.1:${port}`, { settings, maxSessionMemory: 1000 });
    const client = new H2Client(session);
    onTestFinished(() => session.destroy());
    await within('the settings of the proxy', once(session, 'remoteSettings'));
    return client;
  }

  /** Asks, and leaves the request open where `body` is null. */
  ask(path: string, headers: Record<string, string> = {}, body: string | null = '', reads = true): H2Exchange {
    const stream = this.session.request({ ':path': path, ...headers }, { endStream: body === '' });
    if (body !== null && body !== '') stream.end(body);
    return new H2Exchange(stream, reads);
  }

  async closed(): Promise<void> {
    await until('the end of the connection', () => this.hasClosed);
  }
}
