import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { AtEnd } from './scope.ts';
import { until } from './wait.ts';

export interface OriginOptions {
  readonly host?: string;
  readonly port?: number;
  /** When it ends; with the test unless told otherwise. */
  readonly atEnd?: AtEnd;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Node's HTTP server as the upstream. */
export class Origin {
  readonly server: Server;
  /** Requests that have been received, in order. */
  readonly requests: IncomingMessage[];
  readonly responses: ServerResponse[];
  readonly sockets: Set<Socket>;

  private constructor(handler: Handler) {
    this.requests = [];
    this.responses = [];
    this.sockets = new Set();
    this.server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
      this.requests.push(request);
      this.responses.push(response);
      handler(request, response);
    });
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(handler: Handler = hello, options: OriginOptions = {}): Promise<Origin> {
    const origin = new Origin(handler);
    origin.server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
    await once(origin.server, 'listening');
    (options.atEnd ?? onTestFinished)(() => origin.stop());
    return origin;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Waits until so many requests have arrived. */
  async received(count: number): Promise<void> {
    await until(`${count} requests at the origin`, () => this.requests.length >= count);
  }

  /** Answers a request that its handler has left open. */
  answer(index: number, body: string): void {
    this.responses[index].end(body);
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

export const hello: Handler = (request, response) => {
  request.resume();
  response.end('hello');
};

/** Answers that wait until the test lets them go. */
export class Held {
  private readonly responses: ServerResponse[] = [];

  readonly handler: Handler = (request, response) => {
    request.resume();
    this.responses.push(response);
  };

  get count(): number {
    return this.responses.length;
  }

  async arrived(count: number): Promise<void> {
    await until(`${count} held requests`, () => this.responses.length >= count);
  }

  /** Answers those that are held now. */
  release(body = 'held'): void {
    for (const response of this.responses.splice(0)) response.end(body);
  }
}

/** A TCP server that tells the test of every connection. */
export class TcpOrigin {
  readonly server: TcpServer;
  readonly sockets: Socket[];

  private constructor(onConnection: (socket: Socket) => void) {
    this.sockets = [];
    this.server = createTcpServer({ allowHalfOpen: true }, (socket) => {
      this.sockets.push(socket);
      socket.on('error', () => {});
      onConnection(socket);
    });
  }

  static async start(onConnection: (socket: Socket) => void): Promise<TcpOrigin> {
    const origin = new TcpOrigin(onConnection);
    origin.server.listen(0, '127.0.0.1');
    await once(origin.server, 'listening');
    onTestFinished(() => {
      origin.server.close();
      for (const socket of origin.sockets) socket.destroy();
    });
    return origin;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }
}
