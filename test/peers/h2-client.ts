import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Exchange } from './answer.ts';
import { codeName } from './h2-codes.ts';
import { Line } from './line.ts';
import { methodOf, type Pairs, type Ports, type Request, type Row } from './row.ts';

const quietMs = 3000;

/** One HTTP/2 connection of node:http2, with prior knowledge or over TLS, and what was said on it. */
class Session {
  readonly goAways: string[] = [];
  private readonly session: ClientHttp2Session;
  private readonly scheme: string;
  private readonly closed: Promise<void>;
  private hasClosed = false;

  constructor(line: Line) {
    this.scheme = line.handshake === null ? 'http' : 'https';
    this.session = connect(`${this.scheme}://127.0.0.1`, { createConnection: () => line.socket });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.session.on('error', () => {});
    this.session.on('goaway', (code: number, last: number) => {
      this.goAways.push(`${codeName(code)} ${last === 2 ** 31 - 1 ? 'all' : last}`);
    });
    this.session.on('close', () => {
      this.hasClosed = true;
      resolve();
    });
  }

  get end(): 'closed' | 'open' {
    return this.hasClosed ? 'closed' : 'open';
  }

  /** All answers to one request, interim ones first. */
  async ask(request: Request, waitMs: number): Promise<Answer[]> {
    if (this.session.destroyed || this.session.closed) return [];
    const answers: Answer[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const options = { waitForTrailers: request.trailers !== undefined, endStream: hasEnded(request) };
    const stream = this.session.request(headersOf(request, this.scheme), options);
    stream.on('error', () => {});
    stream.on('headers', (headers, _flags, raw) => void answers.push(interim(headers, raw)));
    stream.on('response', (_headers, _flags, raw) => void answers.push(begun(raw)));
    stream.on('trailers', (_trailers, _flags, raw) => {
      answers[answers.length - 1].trailers = pairs(raw);
    });
    stream.on('data', (chunk: Buffer) => (answers[answers.length - 1].body += chunk.toString('latin1')));
    stream.on('end', () => {
      const last = answers.at(-1);
      if (last !== undefined) last.isComplete = true;
    });
    stream.on('close', () => {
      if (stream.rstCode !== 0 || answers.length === 0) reset(answers, stream.rstCode);
      resolve();
    });
    const timer = setTimeout(resolve, waitMs);
    await send(stream, request);
    await promise;
    clearTimeout(timer);
    return answers;
  }

  async untilClosed(waitMs: number): Promise<void> {
    await Promise.race([this.closed, sleep(waitMs, undefined, { ref: false })]);
  }

  destroy(): void {
    this.session.destroy();
  }
}

/** Performs a row over HTTP/2: `in turn` and `together` are both streams of one connection. */
export async function performH2(row: Row, requests: readonly Request[], ports: Ports): Promise<Exchange> {
  const line = await Line.open(ports, row.tls, ['h2']);
  const session = new Session(line);
  const waitMs = row.waitMs ?? quietMs;
  const answers: Answer[] = [];
  if (row.mode === 'together') {
    const all = requests.map(async (request, index) => {
      await sleep(index * (row.staggerMs ?? 0));
      return session.ask(request, waitMs);
    });
    answers.push(...(await Promise.all(all)).flat());
  } else {
    for (const [index, request] of requests.entries()) {
      if (index > 0 && row.pauseMs !== undefined) await sleep(row.pauseMs);
      answers.push(...(await session.ask(request, waitMs)));
    }
  }
  if (row.until === 'closed') await session.untilClosed(waitMs);
  const exchange: Exchange = { answers, goAways: [...session.goAways] };
  if (row.until === 'closed') exchange.end = session.end;
  if (line.handshake !== null) exchange.tls = line.handshake;
  session.destroy();
  line.destroy();
  return exchange;
}

/** Pseudo-headers in front, the rest as the row has it; names and values raw. */
function headersOf(request: Request, ownScheme: string): string[] {
  const { method, path, scheme, host, headers = [], body } = request;
  const fields: (readonly [string, string])[] = [[':method', method ?? methodOf(request)]];
  if (method !== 'CONNECT' || request.protocol !== undefined) {
    fields.push([':scheme', scheme ?? ownScheme], [':path', path ?? '/']);
  }
  if (request.protocol !== undefined) fields.push([':protocol', request.protocol]);
  if (host !== null) fields.push([':authority', host ?? 'test.local']);
  fields.push(...headers);
  if (body !== undefined) fields.push(['content-length', String(body.length)]);
  return fields.flat();
}

/** The head is all of it. */
function hasEnded({ body, chunks, trailers, resetCode, isOpen }: Request): boolean {
  const hasBody = body !== undefined || chunks !== undefined || trailers !== undefined;
  return !hasBody && resetCode === undefined && isOpen !== true;
}

async function send(stream: ClientHttp2Stream, request: Request): Promise<void> {
  const { body, chunks, trailers, chunkPauseMs, resetCode, isOpen } = request;
  if (trailers !== undefined) {
    stream.once('wantTrailers', () => {
      stream.sendTrailers(Object.fromEntries(trailers.map(([name]) => [name, valuesOf(trailers, name)])));
    });
  }
  for (const chunk of chunks ?? (body === undefined ? [] : [body])) {
    if (chunk !== '') stream.write(chunk, 'latin1');
    if (chunkPauseMs !== undefined) await sleep(chunkPauseMs);
  }
  if (resetCode !== undefined) stream.close(resetCode);
  else if (isOpen !== true) stream.end();
}

function valuesOf(fields: Pairs, name: string): string[] {
  return fields.filter(([key]) => key === name).map(([, value]) => value);
}

function begun(raw: readonly string[]): Answer {
  const [[, status], ...headers] = pairs(raw);
  return { line: `HTTP/2 ${status}`, headers, body: '', trailers: [], isComplete: false };
}

function interim(headers: object, raw: readonly string[] | undefined): Answer {
  const list = raw ?? Object.entries(headers).flat().map(String);
  return { ...begun(list), isComplete: true };
}

/** The answer broke off, or never began. */
function reset(answers: Answer[], code: number): void {
  const last = answers.at(-1);
  const name = codeName(code);
  if (last === undefined || last.isComplete) {
    if (last !== undefined && !last.line.startsWith('HTTP/2 1')) {
      last.reset = name;
      return;
    }
    answers.push({ line: 'reset', headers: [], body: '', trailers: [], isComplete: false, reset: name });
    return;
  }
  last.reset = name;
}

function pairs(raw: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let index = 0; index < raw.length; index += 2) result.push([raw[index], raw[index + 1]]);
  return result;
}
