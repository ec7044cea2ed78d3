import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { countComplete, parseAnswers, type Answer } from './answer.ts';
import { filled, type Ports, type Request, type Row, type Segment } from './row.ts';

/** What one client connection got. */
export interface Exchange {
  answers: Answer[];
  /** Bytes that are no HTTP response, for TCP rows. */
  text?: string;
  /** How the proxy ended the connection; `open` when it had not. Only where the row waits for it. */
  end?: 'closed' | 'reset' | 'open';
}

const quietMs = 3000;

/** A raw socket that remembers everything and can be waited for. */
class Line {
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

  async send(segments: readonly Segment[]): Promise<void> {
    for (const segment of segments) {
      if (typeof segment === 'number') await sleep(segment);
      else if (segment === 'end') this.socket.end();
      else if (segment === 'reset') this.socket.resetAndDestroy();
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

/** Performs a row against a listener and gives what came back, one entry per client connection. */
export async function perform(row: Row, ports: Ports): Promise<Exchange[]> {
  if (row.raw !== undefined) return [await performRaw(row, ports)];
  const requests = requestsOf(row);
  if (row.mode === 'together') return performTogether(row, requests, ports);
  return [
    row.mode === 'pipelined' ? await performPipelined(row, requests, ports) : await performInTurn(row, requests, ports),
  ];
}

export function requestsOf(row: Row): readonly Request[] {
  if (row.request === undefined) return [{}];
  return Array.isArray(row.request) ? (row.request as readonly Request[]) : [row.request as Request];
}

async function performRaw(row: Row, ports: Ports): Promise<Exchange> {
  const line = new Line(ports);
  const segments = typeof row.raw === 'string' ? [row.raw] : (row.raw as readonly Segment[]);
  const methods = segments.filter((segment) => typeof segment === 'string').join('');
  const names = [...methods.matchAll(/(?:^|\n)([A-Z]+) \S+ +HTTP\/1/g)].map((match) => match[1]);
  await line.send(segments);
  return finish(row, line, names, row.answers ?? 1);
}

async function performPipelined(row: Row, requests: readonly Request[], ports: Ports): Promise<Exchange> {
  const line = new Line(ports);
  await line.send([requests.map(serialise).join('')]);
  return finish(row, line, requests.map(methodOf), requests.length);
}

async function performInTurn(row: Row, requests: readonly Request[], ports: Ports): Promise<Exchange> {
  const line = new Line(ports);
  const methods = requests.map(methodOf);
  for (const [index, request] of requests.entries()) {
    if (index > 0 && row.pauseMs !== undefined) await sleep(row.pauseMs);
    await line.send([serialise(request)]);
    await line.until(() => isAnswered(line, methods, index + 1), row.waitMs ?? quietMs);
    if (line.end !== 'open') break;
  }
  return finish(row, line, methods, requests.length);
}

async function performTogether(row: Row, requests: readonly Request[], ports: Ports): Promise<Exchange[]> {
  const exchanges = requests.map(async (request, index) => {
    await sleep(index * (row.staggerMs ?? 0));
    return performInTurn(row, [request], ports);
  });
  return Promise.all(exchanges);
}

async function finish(row: Row, line: Line, methods: readonly string[], answers: number): Promise<Exchange> {
  const wait = row.waitMs ?? quietMs;
  await line.until(() => isAnswered(line, methods, answers), wait);
  if (row.until === 'closed') await line.until(() => line.end !== 'open', wait);
  const hasEnded = line.end !== 'open';
  const isHttp = line.received.toString('latin1', 0, 5) === 'HTTP/';
  const exchange: Exchange = isHttp
    ? { answers: parseAnswers(line.received, methods, hasEnded) }
    : { answers: [], text: line.received.toString('latin1') };
  if (row.until === 'closed') exchange.end = line.end;
  line.destroy();
  return exchange;
}

function isAnswered(line: Line, methods: readonly string[], count: number): boolean {
  const hasEnded = line.end !== 'open';
  return hasEnded || countComplete(parseAnswers(line.received, methods, hasEnded)) >= count;
}

function methodOf(request: Request): string {
  return request.method ?? (request.body === undefined && request.chunks === undefined ? 'GET' : 'POST');
}

function serialise(request: Request): string {
  const fields: (readonly [string, string])[] = [];
  if (request.host !== null) fields.push(['host', request.host ?? 'test.local']);
  fields.push(...(request.headers ?? []));
  if (request.body !== undefined) fields.push(['content-length', String(request.body.length)]);
  if (request.chunks !== undefined) fields.push(['transfer-encoding', 'chunked']);
  const head = `${methodOf(request)} ${request.path ?? '/'} ${request.version ?? 'HTTP/1.1'}\r\n`;
  return `${head}${lines(fields)}\r\n${bodyOf(request)}`;
}

function bodyOf(request: Request): string {
  if (request.chunks === undefined) return request.body ?? '';
  const chunks = request.chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  return `${chunks.join('')}0\r\n${lines(request.trailers ?? [])}\r\n`;
}

function lines(fields: readonly (readonly [string, string])[]): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}
