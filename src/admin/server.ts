import { once } from 'node:events';
import { chmodSync, rmSync, statSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Address } from '../core/peer.ts';
import type { AccessLog } from '../observe/access-log/access-log.ts';
import type { Log } from '../observe/log/log.ts';
import { beginOutcome, endOutcome } from './admin-outcome.ts';
import { text, type PageResponse } from './page.ts';
import type { AdminPages } from './respond.ts';

/** Longest request head: Envoy's default. */
const headerBytesMax = 60 * 1024;
/** Longest form; `/runtime_modify` is the only page that has one. */
const formBytesMax = 64 * 1024;
/** Open connections: scrapers, probes and people, not traffic. */
const connectionsMax = 128;
/** A request must be complete after this time. */
const requestTimeoutMs = 30_000;
/** Pieces of a long page are written together up to this length. */
const pieceLength = 64 * 1024;

/** The admin pages on the network. */
export class AdminServer {
  private readonly pages: AdminPages;
  private readonly accessLogs: readonly AccessLog[];
  private readonly log: Log;
  private readonly server: Server;

  constructor(pages: AdminPages, accessLogs: readonly AccessLog[], log: Log) {
    this.pages = pages;
    this.accessLogs = accessLogs;
    this.log = log;
    // An import would run every getter of the module, of which one loads all of fetch: 30 ms and 12 MB at start-up.
    this.server = process.getBuiltinModule('node:http').createServer({
      maxHeaderSize: headerBytesMax,
      requestTimeout: requestTimeoutMs,
      requireHostHeader: false,
    });
    this.server.maxConnections = connectionsMax;
    this.server.on('request', (request, response) => void this.handle(request, response));
  }

  /**
   * Binds and begins to answer.
   * @param pipeMode mode bits of a Unix socket; null: leave
   * @returns the bound address: the port where 0 was asked for
   * @throws Error when the address cannot be bound
   */
  async listen(address: Address, pipeMode: number | null = null): Promise<Address> {
    if (address.kind === 'pipe') removeStaleSocket(address.host);
    if (address.kind === 'pipe') this.server.listen({ path: address.host });
    else this.server.listen({ host: address.host, port: address.port });
    await once(this.server, 'listening');
    if (address.kind === 'pipe') {
      if (pipeMode !== null) chmodSync(address.host, pipeMode);
      return address;
    }
    const bound = this.server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the admin listener has no address');
    return { kind: 'ip', host: bound.address, port: bound.port };
  }

  /** Stops accepting and ends what is idle; answers under way are completed. */
  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeIdleConnections();
    await closed;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const outcome = this.accessLogs.length === 0 ? null : beginOutcome(request);
    const form = new Form();
    let bytesSent = 0;
    try {
      const answer = await this.respond(request, response, form);
      bytesSent = await write(response, answer);
      answer.after?.();
    } catch (error) {
      // A bug in a page must not end the process that carries traffic.
      this.log.error(`admin page ${request.url} failed: ${(error as Error).stack}`);
      if (response.headersSent) response.destroy();
      else bytesSent = await write(response, text('internal error\n', 500));
    }
    if (outcome === null) return;
    endOutcome(outcome, response, form.length, bytesSent);
    for (const log of this.accessLogs) log.log(outcome);
  }

  private async respond(request: IncomingMessage, response: ServerResponse, form: Form): Promise<PageResponse> {
    if (!(await form.read(request))) {
      response.setHeader('connection', 'close');
      return text('Payload Too Large', 413);
    }
    const method = request.method ?? '';
    const answer = await this.pages.respond(method, request.url ?? '/', form.text);
    if (answer.status === 405) {
      this.log.error(`admin path "${request.url}" mutates state, method=${method} rather than POST`);
    }
    return answer;
  }
}

/** A request's body: parameters, where it is a form; any other is read and dropped. */
class Form {
  text = '';
  length = 0;

  /** False: it is too long. */
  async read(request: IncomingMessage): Promise<boolean> {
    const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      this.length += chunk.length;
      if (this.length > formBytesMax) return false;
      if (isForm) this.text += chunk.toString('latin1');
    }
    return true;
  }
}

/** A socket file that a process before this one left behind would make binding fail. */
function removeStaleSocket(path: string): void {
  if (path.startsWith('\0') || path.startsWith('@')) return;
  if (statSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path);
}

/** @returns the body's bytes, as far as they were written before the client went away */
async function write(response: ServerResponse, { status, contentType, body }: PageResponse): Promise<number> {
  response.statusCode = status;
  response.setHeader('content-type', contentType);
  response.setHeader('cache-control', 'no-cache, max-age=0');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('server', 'envoy');
  response.flushHeaders();
  const pieces = new Pieces(body);
  try {
    await pipeline(pieces.read(), response);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
  return pieces.bytes;
}

/** A body in pieces of a size worth writing; other work has its turn between them. */
class Pieces {
  bytes = 0;
  private readonly body: string | Iterable<string>;

  constructor(body: string | Iterable<string>) {
    this.body = body;
  }

  async *read(): AsyncGenerator<Buffer> {
    let piece = '';
    for (const part of typeof this.body === 'string' ? [this.body] : this.body) {
      piece += part;
      if (piece.length < pieceLength) continue;
      yield this.count(piece);
      piece = '';
      await nextTurn();
    }
    if (piece !== '') yield this.count(piece);
  }

  private count(piece: string): Buffer {
    const bytes = Buffer.from(piece);
    this.bytes += bytes.length;
    return bytes;
  }
}
