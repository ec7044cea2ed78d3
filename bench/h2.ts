/**
 * What a proxied request costs the HTTP/2 codec: the server's end reads it, the client's end writes it, and the answer
 * goes back. What the peers send is recorded first, so that only the two codecs in the middle are measured.
 * `node bench/h2.ts` prints µs per request, best of several rounds, on the thread it runs on.
 */
import type { ClientCodecOwner, CodecHost, StreamAcceptor } from '../src/codec/codec.ts';
import { H2ClientCodec } from '../src/codec/h2/client.ts';
import { defaultClientOptions, defaultServerOptions } from '../src/codec/h2/options.ts';
import { H2ServerCodec } from '../src/codec/h2/server.ts';
import type { Failure } from '../src/core/failure.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../src/core/head.ts';
import { Headers } from '../src/core/headers.ts';
import type { CodecStream, StreamUser } from '../src/core/message-sink.ts';

/** Keeps the chunks it is given, or only counts them. */
class BenchHost implements CodecHost {
  readonly kept: Uint8Array[] | null;
  bytes = 0;
  writes = 0;

  constructor(keeps: boolean) {
    this.kept = keeps ? [] : null;
  }

  write(chunk: Uint8Array): boolean {
    this.bytes += chunk.length;
    this.writes++;
    this.kept?.push(chunk.slice());
    return true;
  }

  writeLatin1(): boolean {
    throw new Error('HTTP/2 is no text');
  }

  pause(): void {}

  resume(): void {}

  /** What was written since the last call, as one chunk: a turn of the loop is one write. */
  take(): Uint8Array {
    const chunk = Buffer.concat(this.kept!.splice(0));
    return chunk;
  }
}

class NullOwner implements ClientCodecOwner {
  onStreamDone(): void {}

  onProtocolError(failure: Failure): void {
    throw new Error(failure.detail);
  }
}

/** Hands everything over to the other side's stream. */
class Relay<In extends RequestHead | ResponseHead> implements StreamUser<In> {
  to!: CodecStream<In>;

  head(head: In, end: boolean): void {
    this.to.head(head, end);
  }

  data(chunk: Uint8Array, end: boolean): void {
    this.to.data(chunk, end);
  }

  trailers(trailers: Headers): void {
    this.to.trailers(trailers);
  }

  reset(failure: Failure): void {
    throw new Error(failure.kind.reason);
  }

  onAboveHighWatermark(): void {}

  onBelowLowWatermark(): void {}
}

/** Proxies every stream of a server codec to a client codec. */
class Proxy implements StreamAcceptor {
  readonly downstream: BenchHost;
  readonly upstream: BenchHost;
  readonly server: H2ServerCodec;
  readonly client: H2ClientCodec;

  constructor(keeps: boolean) {
    this.downstream = new BenchHost(keeps);
    this.upstream = new BenchHost(keeps);
    this.client = new H2ClientCodec(this.upstream, new NullOwner(), defaultClientOptions);
    this.server = new H2ServerCodec(this.downstream, this, defaultServerOptions);
  }

  accept(stream: CodecStream<ResponseHead>): StreamUser<RequestHead> {
    const request = new Relay<RequestHead>();
    const response = new Relay<ResponseHead>();
    response.to = stream;
    request.to = this.client.open(response);
    return request;
  }

  onProtocolError(failure: Failure): void {
    throw new Error(failure.detail);
  }

  onFinished(): void {}
}

/** Answers every request as soon as it has come. */
class Origin implements StreamAcceptor {
  private readonly body: Uint8Array;

  constructor(bodyBytes: number) {
    this.body = new Uint8Array(bodyBytes).fill(97);
  }

  accept(stream: CodecStream<ResponseHead>): StreamUser<RequestHead> {
    const user = new Sink<RequestHead>();
    user.onHead = () => {
      const headers = Headers.of(
        ['server', 'origin'],
        ['content-type', 'application/json'],
        ['content-length', String(this.body.length)],
        ['date', 'Sat, 21 Nov 2026 11:29:23 GMT'],
        ['cache-control', 'no-cache'],
        ['x-envoy-upstream-service-time', String(requests % 7)],
      );
      stream.head(new ResponseHead(200, headers), false);
      stream.data(this.body.slice(), true);
    };
    return user;
  }

  onProtocolError(failure: Failure): void {
    throw new Error(failure.detail);
  }

  onFinished(): void {}
}

class Sink<In> implements StreamUser<In> {
  onHead: () => void = () => undefined;
  head(): void {
    this.onHead();
  }
  data(): void {}
  trailers(): void {}
  reset(failure: Failure): void {
    throw new Error(failure.kind.reason);
  }
  onAboveHighWatermark(): void {}
  onBelowLowWatermark(): void {}
}

let requests = 0;

function requestHead(): RequestHead {
  requests++;
  const id = requests.toString(16).padStart(12, '0');
  const headers = Headers.of(
    ['user-agent', 'h2load nghttp2/1.52.0'],
    ['accept', '*/*'],
    ['accept-encoding', 'gzip, deflate'],
    ['x-forwarded-proto', 'http'],
    ['x-request-id', `9736796e-881e-4b67-b19d-${id}`],
  );
  const head = new RequestHead('GET', '127.0.0.1:10000', '/productpage?u=normal', HttpVersion.Http2, headers);
  head.scheme = 'http';
  return head;
}

/** What the peers send, a chunk per turn: [downstream, upstream]. */
function record(turns: number, perTurn: number, bodyBytes: number): readonly (readonly [Uint8Array, Uint8Array])[] {
  const load = new BenchHost(true);
  const loadClient = new H2ClientCodec(load, new NullOwner(), { ...defaultClientOptions, maxConcurrentStreams: 1e6 });
  const origin = new BenchHost(true);
  const originServer = new H2ServerCodec(origin, new Origin(bodyBytes), defaultServerOptions);
  const proxy = new Proxy(true);
  const recorded: [Uint8Array, Uint8Array][] = [];
  for (let turn = 0; turn < turns; turn++) {
    for (let i = 0; i < perTurn; i++) loadClient.open(new Sink<ResponseHead>()).head(requestHead(), true);
    const down = load.take();
    proxy.server.receive(down, turn);
    originServer.receive(proxy.upstream.take(), turn);
    const up = origin.take();
    proxy.client.receive(up, turn);
    loadClient.receive(proxy.downstream.take(), turn);
    recorded.push([down, up]);
  }
  return recorded;
}

const rounds = 15;

function measure(name: string, total: number, perTurn: number, bodyBytes: number): void {
  const turns = record(total / perTurn, perTurn, bodyBytes);
  let best = Infinity;
  let proxy = new Proxy(false);
  for (let round = 0; round < rounds; round++) {
    proxy = new Proxy(false);
    const start = process.hrtime.bigint();
    for (let turn = 0; turn < turns.length; turn++) {
      proxy.server.receive(turns[turn][0], turn);
      proxy.client.receive(turns[turn][1], turn);
    }
    best = Math.min(best, Number(process.hrtime.bigint() - start) / total);
  }
  const { bytes, writes } = proxy.downstream;
  const text = `${(best / 1000).toFixed(2)} µs`;
  console.log(
    `${name.padEnd(50)} ${text.padStart(9)} ${(bytes / total).toFixed(0).padStart(7)} B ${(writes / total).toFixed(2)} writes`,
  );
}

measure('one stream, 100 bytes', 20_000, 1, 100);
measure('16 streams at once, 100 bytes', 20_000, 16, 100);
measure('16 streams at once, 16 KiB', 4000, 16, 16 * 1024);
measure('one stream, 1 MiB', 20, 1, 1024 * 1024);
