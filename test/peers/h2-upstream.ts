import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pairs, Step } from './row.ts';
import { tlsSeen } from './tls/origin.ts';
import { tunnelOverHttp2 } from './tunnel.ts';
import type { Script, Seen } from './upstream.ts';

/** The HTTP/2 side of an origin: the same steps over node:http2. */
export class H2Upstream {
  private readonly name: string;
  private readonly server: Http2Server;
  private readonly script: Script;
  private readonly onCheck: (socket: Socket) => void;
  /** Whose session begins. */
  private taken!: Socket;

  /** `onCheck`: an active check came over this connection. */
  constructor(name: string, script: Script, onCheck: (socket: Socket) => void) {
    this.onCheck = onCheck;
    this.name = name;
    this.script = script;
    this.server = createServer({ settings: { enableConnectProtocol: true } });
    this.server.on('sessionError', () => {});
    this.server.on('session', (session) => {
      // Its own socket is a proxy that hides some of what TLS knows.
      const socket = this.taken;
      session.on('stream', (stream, _headers, _flags, raw) => {
        void this.serve(stream, raw, socket);
      });
    });
  }

  /** A connection whose first bytes are HTTP/2's. */
  take(socket: Socket): void {
    this.taken = socket;
    this.server.emit('connection', socket);
  }

  private async serve(stream: ServerHttp2Stream, raw: readonly string[], socket: Socket): Promise<void> {
    const fields = pairs(raw);
    const pseudo = (name: string) => fields.find(([key]) => key === name)?.[1] ?? '-';
    const isCheck = this.script.isCheck(fields);
    const seen: Seen = {
      upstream: this.name,
      line: `${pseudo(':method')} ${pseudo(':path')} HTTP/2`,
      headers: fields.filter(([key]) => key !== ':method' && key !== ':path'),
      body: '',
      trailers: [],
      isComplete: false,
      connection: isCheck ? 0 : this.script.connectionNumber(socket),
      ...tlsSeen(socket),
    };
    const step = this.script.take(seen);
    if (isCheck) this.onCheck(socket);
    stream.on('error', () => {});
    const body = readBody(stream, seen);
    if (!step.isEarly && step.tunnel === undefined) await body;
    if (step.delayMs !== undefined) await sleep(step.delayMs);
    if (step.goAwayCode !== undefined) stream.session?.goaway(step.goAwayCode, stream.id);
    if (stream.destroyed) return;
    this.answer(stream, step);
    if (step.ending === 'reset') setTimeout(() => socket.resetAndDestroy(), 20);
    if (step.ending === 'close') stream.session?.close();
  }

  private answer(stream: ServerHttp2Stream, step: Step): void {
    for (const status of step.interim ?? []) {
      stream.additionalHeaders({ ':status': status, ...(status === 100 ? {} : { link: '</style.css>; rel=preload' }) });
    }
    if (step.resetCode !== undefined && step.chunks === undefined) {
      stream.close(step.resetCode);
      return;
    }
    const { trailers = [], headers = [['content-type', 'text/plain']] } = step;
    const body = step.chunks ?? [step.body ?? `from ${this.name}\n`];
    const isBodiless = body.join('') === '' && trailers.length === 0 && step.resetCode === undefined;
    const fields = [':status', String(step.status ?? 200), ...headers.flat()];
    if (trailers.length > 0) {
      stream.once('wantTrailers', () => stream.sendTrailers(Object.fromEntries(trailers.map(([n, v]) => [n, v]))));
    }
    const isTunnel = step.tunnel !== undefined;
    const options = { waitForTrailers: trailers.length > 0, sendDate: false, endStream: isBodiless && !isTunnel };
    stream.respond(fields, options);
    if (isTunnel) {
      tunnelOverHttp2(stream, step);
      return;
    }
    if (isBodiless) return;
    for (const chunk of body) if (chunk !== '') stream.write(chunk, 'latin1');
    if (step.resetCode === undefined) stream.end();
    else setTimeout(() => stream.close(step.resetCode), 20);
  }
}

function readBody(stream: ServerHttp2Stream, seen: Seen): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    seen.body += chunk.toString('latin1');
  });
  stream.on('trailers', (_trailers, _flags, raw) => (seen.trailers = pairs(raw)));
  stream.once('close', resolve);
  stream.once('end', () => {
    seen.body = Buffer.concat(chunks).toString('latin1');
    seen.isComplete = !stream.aborted && stream.rstCode === 0;
    resolve();
  });
  return promise;
}

function pairs(raw: readonly string[]): Pairs {
  const result: [string, string][] = [];
  for (let index = 0; index < raw.length; index += 2) result.push([raw[index], raw[index + 1]]);
  return result;
}
