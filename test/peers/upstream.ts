import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { H2Upstream } from './h2-upstream.ts';
import type { Pairs, Step } from './row.ts';
import { tlsListener, tlsSeen, type TlsOrigin } from './tls/origin.ts';
import { serveTunnels } from './tunnel.ts';

/** A request as the upstream saw it. */
export interface Seen {
  readonly upstream: string;
  readonly line: string;
  headers: Pairs;
  body: string;
  trailers: Pairs;
  /** The whole request arrived. */
  isComplete: boolean;
  /** Which connection of this row it came on, counted from 0. */
  readonly connection: number;
  /** Of an origin that speaks TLS: its handshake. */
  readonly tls?: Readonly<Record<string, string>>;
}

/** What the upstreams of one proxy share: the steps of the row that runs, and what they saw of it. */
export class Script {
  seen: Seen[] = [];
  /** By name of the origin: the last active check, and what is answered to the next. */
  readonly checks = new Map<string, Seen>();
  health: Readonly<Record<string, Step>> = {};
  private steps: readonly Step[] = [];
  private connections: Socket[] = [];
  private readonly spoilt: Socket[] = [];
  private readonly upstreams: { hangUp(): void }[] = [];

  /** An origin that plays this script. */
  join(upstream: { hangUp(): void }): void {
    this.upstreams.push(upstream);
  }

  /** A row begins; what the one before left of connections is closed, so that both proxies begin it alike. */
  begin(steps: readonly Step[]): void {
    for (const upstream of this.upstreams) upstream.hangUp();
    this.steps = steps;
    this.seen = [];
    this.connections = [];
  }

  /** Closes what the row has left in a state that no further request could use. */
  end(): void {
    for (const socket of this.spoilt.splice(0)) socket.destroy();
  }

  /** node:http still waits for an answer on this connection, because the row wrote it past node:http. */
  spoil(socket: Socket): void {
    this.spoilt.push(socket);
  }

  /** An origin has a request, or an active check, whose user agent tells. @returns what it is to do */
  take(seen: Seen): Step {
    if (!this.isCheck(seen.headers)) {
      this.seen.push(seen);
      return this.next();
    }
    this.checks.set(seen.upstream, seen);
    return this.health[seen.upstream] ?? {};
  }

  isCheck(headers: Pairs): boolean {
    return headers.some(([name, value]) => name.toLowerCase() === 'user-agent' && value === 'Envoy/HC');
  }

  next(): Step {
    return this.steps[Math.min(this.seen.length, this.steps.length) - 1] ?? {};
  }

  connectionNumber(socket: Socket): number {
    const known = this.connections.indexOf(socket);
    return known >= 0 ? known : this.connections.push(socket) - 1;
  }
}

/** An origin on node:http, or node:http2 where the proxy speaks that, which does what the running row's steps say. */
export class Upstream {
  readonly name: string;
  private listener: TcpServer | null = null;
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private readonly script: Script;
  private readonly h2: H2Upstream;

  constructor(name: string, script: Script) {
    this.name = name;
    this.script = script;
    script.join(this);
    this.h2 = new H2Upstream(name, script, (socket) => this.sockets.delete(socket));
    const settings = { insecureHTTPParser: true, maxHeaderSize: 1 << 20, requireHostHeader: false };
    this.server = createServer(settings, (request, response) => void this.serve(request, response));
    this.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      response.writeContinue();
      void this.serve(request, response);
    });
    serveTunnels(this.server, name, script);
    this.server.keepAliveTimeout = 0;
    this.server.requestTimeout = 0;
    this.server.headersTimeout = 0;
    this.server.maxHeadersCount = 0;
    this.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      void this.serve(request, response);
    });
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // node:http knows fewer methods than a proxy may pass on.
      if (error.code === 'HPE_INVALID_METHOD') socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      else socket.destroy();
    });
  }

  /** @param tls null: plain */
  async listen(port: number, tls: TlsOrigin | null = null): Promise<number> {
    const take = (socket: Socket) => this.take(socket);
    const listener = tls === null ? createTcpServer(take) : await tlsListener(tls, take);
    this.listener = listener;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    listener.once('error', reject);
    listener.listen(port, '127.0.0.1', resolve);
    await promise;
    return (listener.address() as AddressInfo).port;
  }

  close(): void {
    this.listener?.close();
    this.server.close();
    this.hangUp();
  }

  /** Closes every connection. */
  hangUp(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** A new connection: its first bytes say whether it is HTTP/2. */
  private take(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      if (first.toString('latin1', 0, 5) === 'PRI *') {
        // node:http2 reads what is there itself: whoever lets it flow loses it.
        this.h2.take(socket);
        return;
      }
      this.server.emit('connection', socket);
      socket.resume();
    });
    socket.on('error', () => {});
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = pairs(request.rawHeaders);
    const isCheck = this.script.isCheck(headers);
    const seen: Seen = {
      upstream: this.name,
      line: `${request.method} ${request.url} HTTP/${request.httpVersion}`,
      headers,
      body: '',
      trailers: [],
      isComplete: false,
      connection: isCheck ? 0 : this.script.connectionNumber(request.socket),
      ...tlsSeen(request.socket),
    };
    const step = this.script.take(seen);
    // Rows come and go while checks go on.
    if (isCheck) this.sockets.delete(request.socket);
    const body = readBody(request, seen);
    if (!step.isEarly) await body;
    if (step.delayMs !== undefined) await sleep(step.delayMs);
    if (request.socket.destroyed) return;
    if (step.raw !== undefined) {
      request.socket.write(Buffer.from(step.raw, 'latin1'));
      this.script.spoil(request.socket);
    } else await this.answer(response, step);
    if (step.ending === 'reset') setTimeout(() => request.socket.resetAndDestroy(), 20);
    if (step.ending === 'close') request.socket.end();
  }

  private async answer(response: ServerResponse, step: Step): Promise<void> {
    for (const status of step.interim ?? []) {
      if (status === 100) response.writeContinue();
      else response.socket?.write(`HTTP/1.1 ${status} Interim\r\nlink: </style.css>; rel=preload\r\n\r\n`);
    }
    const body = step.body ?? `from ${this.name}\n`;
    const headers = (step.headers ?? [['content-type', 'text/plain']]).flat();
    response.sendDate = false;
    const hasLength = headers.some((name) => /^(content-length|transfer-encoding)$/i.test(name));
    if (step.chunks === undefined && step.trailers === undefined) {
      const length =
        hasLength || step.status === 204 || step.status === 304 ? [] : ['content-length', `${body.length}`];
      response.writeHead(step.status ?? 200, [...headers, ...length]);
      response.end(body, 'latin1');
      return;
    }
    response.writeHead(step.status ?? 200, [...headers, 'transfer-encoding', 'chunked']);
    for (const chunk of step.chunks ?? [body]) response.write(chunk, 'latin1');
    response.addTrailers((step.trailers ?? []).map(([name, value]): [string, string] => [name, value]));
    response.end();
  }
}

function readBody(request: IncomingMessage, seen: Seen): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.once('close', resolve);
  request.once('error', () => resolve());
  request.once('end', () => {
    seen.body = Buffer.concat(chunks).toString('latin1');
    seen.trailers = pairs(request.rawTrailers);
    seen.isComplete = request.complete;
    resolve();
  });
  return promise;
}

function pairs(raw: readonly string[]): Pairs {
  const result: [string, string][] = [];
  for (let index = 0; index < raw.length; index += 2) result.push([raw[index], raw[index + 1]]);
  return result;
}
