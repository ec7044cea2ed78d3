/**
 * As request-path.ts, over HTTP/2 on both sides: 8 connections with 16 streams each, of which every turn ends all.
 * `node bench/h2-request-path.ts [--turns 3000] [--grpc]` prints ns of user time per request in this thread, of the best
 * tenth and at large. What client and origin send is recorded by another thread, whose types the proxy's code never sees.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import type { ClientCodecOwner, CodecHost, StreamAcceptor } from '../src/codec/codec.ts';
import { H2ClientCodec } from '../src/codec/h2/client.ts';
import { defaultClientOptions, defaultServerOptions } from '../src/codec/h2/options.ts';
import { H2ServerCodec } from '../src/codec/h2/server.ts';
import type { Failure } from '../src/core/failure.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../src/core/head.ts';
import { Headers } from '../src/core/headers.ts';
import type { CodecStream, StreamUser } from '../src/core/message-sink.ts';
import { MemoryConnection, MemoryNetwork } from './memory-network.ts';
import { openProxy } from './memory-proxy.ts';

const clients = 8;
const streams = 16;
const perTurn = clients * streams;

const { values: options } = parseArgs({
  options: { turns: { type: 'string', default: '3000' }, grpc: { type: 'boolean', default: false } },
});
const turns = Number(options.turns);

/** What one turn brings: of each client, and of the origin. */
interface Turn {
  readonly requests: readonly Buffer[];
  readonly responses: Buffer;
}

class Capture implements CodecHost {
  private chunks: Buffer[] = [];

  write(chunk: Uint8Array): boolean {
    this.chunks.push(Buffer.from(chunk));
    return true;
  }

  writeLatin1(): boolean {
    throw new Error('HTTP/2 is no text');
  }

  pause(): void {}

  resume(): void {}

  take(): Buffer {
    return Buffer.concat(this.chunks.splice(0));
  }
}

class Ignored implements StreamUser<RequestHead | ResponseHead> {
  onEnd: () => void = () => undefined;
  head(_head: RequestHead | ResponseHead, end: boolean): void {
    if (end) this.onEnd();
  }
  data(_chunk: Uint8Array, end: boolean): void {
    if (end) this.onEnd();
  }
  trailers(): void {
    this.onEnd();
  }
  reset(failure: Failure): void {
    throw new Error(failure.kind.reason);
  }
  onAboveHighWatermark(): void {}
  onBelowLowWatermark(): void {}
}

class Origin implements StreamAcceptor {
  accept(stream: CodecStream<ResponseHead>): StreamUser<RequestHead> {
    const user = new Ignored();
    user.onEnd = () => (options.grpc ? answerCall(stream) : answer(stream));
    return user;
  }

  onProtocolError(failure: Failure): void {
    throw new Error(failure.detail);
  }

  onFinished(): void {}
}

const served = [
  ['server', 'nginx/1.22.1'],
  ['date', 'Sat, 21 Nov 2026 11:29:23 GMT'],
] as const;

function answer(stream: CodecStream<ResponseHead>): void {
  const headers = Headers.of(...served, ['content-type', 'text/plain'], ['content-length', '100']);
  stream.head(new ResponseHead(200, headers), false);
  stream.data(new Uint8Array(100).fill(120), true);
}

function answerCall(stream: CodecStream<ResponseHead>): void {
  stream.head(new ResponseHead(200, Headers.of(...served, ['content-type', 'application/grpc'])), false);
  stream.data(new Uint8Array(25).fill(120), false);
  stream.trailers(Headers.of(['grpc-status', '0']));
}

function ask(codec: H2ClientCodec): void {
  const stream = codec.open(new Ignored());
  const agent = ['user-agent', 'h2load nghttp2/1.52.0'] as const;
  const headers = options.grpc
    ? Headers.of(agent, ['content-type', 'application/grpc'], ['te', 'trailers'], ['content-length', '25'])
    : Headers.of(agent);
  const [method, path] = options.grpc ? ['POST', '/bench.Service/Unary'] : ['GET', '/'];
  const head = new RequestHead(method, '127.0.0.1:8080', path, HttpVersion.Http2, headers);
  head.scheme = 'http';
  stream.head(head, !options.grpc);
  if (options.grpc) stream.data(new Uint8Array(25).fill(120), true);
}

const owner: ClientCodecOwner = {
  onStreamDone: () => undefined,
  onProtocolError: (failure) => {
    throw new Error(failure.detail);
  },
};

async function withProxy(use: (network: MemoryNetwork, upstream: () => MemoryConnection) => Promise<void>) {
  const directory = mkdtempSync(join(tmpdir(), 'sekisho-h2-request-path-'));
  let upstream: MemoryConnection | null = null;
  const network = new MemoryNetwork((connection, size) => {
    upstream = connection;
    onUpstream(size);
  });
  try {
    const files = await openProxy('h2-h2', directory, network);
    await use(network, () => upstream!);
    await files.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
}

let onUpstream: (size: number) => void = () => undefined;

/** Runs real codecs at both ends. */
async function record(): Promise<void> {
  const capture = new Capture();
  const origin = new H2ServerCodec(capture, new Origin(), { ...defaultServerOptions, maxConcurrentStreams: 1024 });
  onUpstream = (size) => origin.receive(Buffer.from(MemoryConnection.sent(size), 'latin1'), 0);
  await withProxy(async (network, upstream) => {
    const loads = Array.from({ length: clients }, (_, i) => {
      const host = new Capture();
      const codec = new H2ClientCodec(host, owner, { ...defaultClientOptions, maxConcurrentStreams: 1024 });
      const connection = network.accept(40_000 + i, (_connection, size) =>
        codec.receive(Buffer.from(MemoryConnection.sent(size), 'latin1'), 0),
      );
      return { host, codec, connection };
    });
    for (let turn = 0; turn < turns; turn++) {
      const requests = loads.map(({ host, codec, connection }) => {
        for (let i = 0; i < streams; i++) ask(codec);
        const bytes = host.take();
        connection.arrive(bytes);
        return bytes;
      });
      network.loop.endTurn();
      const responses = capture.take();
      upstream().arrive(responses);
      network.loop.endTurn();
      if (loads.some(({ codec }) => codec.activeStreams > 0))
        throw new Error(`requests of turn ${turn} were not answered`);
      parentPort!.postMessage({ requests, responses } satisfies Turn);
      await new Promise(setImmediate);
    }
  });
}

async function recorded(): Promise<Turn[]> {
  const all: Turn[] = [];
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  worker.on('message', ({ requests, responses }: Turn) =>
    all.push({ requests: requests.map((bytes) => Buffer.from(bytes)), responses: Buffer.from(responses) }),
  );
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.on('error', reject);
  worker.on('exit', () => resolve());
  await promise;
  return all;
}

async function measure(): Promise<void> {
  const all = await recorded();
  let answered = 0;
  await withProxy(async (network, upstream) => {
    const connections = Array.from({ length: clients }, (_, i) =>
      network.accept(40_000 + i, (_connection, size) => (answered += size)),
    );
    const part = Math.floor(turns / 10);
    const costs: number[] = [];
    for (let first = 0; first + part <= turns; first += part) {
      const { user } = process.threadCpuUsage();
      for (let turn = first; turn < first + part; turn++) {
        const { requests, responses } = all[turn];
        for (let i = 0; i < clients; i++) connections[i].arrive(requests[i]);
        network.loop.endTurn();
        upstream().arrive(responses);
        network.loop.endTurn();
        if (turn % 20 === 0) await new Promise(setImmediate);
      }
      costs.push(((process.threadCpuUsage().user - user) * 1000) / (part * perTurn));
    }
    const best = Math.round(Math.min(...costs));
    const late = costs.slice(5);
    const mean = Math.round(late.reduce((sum, cost) => sum + cost, 0) / late.length);
    const bytes = Math.round(answered / (turns * perTurn));
    console.log(`${best} ns per request in the best tenth, ${mean} in the second half; ${bytes} bytes to the client`);
  });
}

await (isMainThread ? measure() : record());
