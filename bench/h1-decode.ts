/**
 * What a head costs: decoding as the codec does it, the alternative it was chosen over, and encoding.
 * `node bench/h1-decode.ts` prints ns per head, best of several rounds, on the thread it runs on.
 */
import type { CodecHost, StreamAcceptor } from '../src/codec/codec.ts';
import { H1ClientCodec } from '../src/codec/h1/client.ts';
import { Encoder, Persistence } from '../src/codec/h1/encoder.ts';
import { defaultClientOptions, defaultServerOptions, HeaderKeyFormat } from '../src/codec/h1/options.ts';
import { RequestDecoder, type RequestListener } from '../src/codec/h1/request-decoder.ts';
import { H1ServerCodec } from '../src/codec/h1/server.ts';
import { latin1 } from '../src/core/bytes.ts';
import type { Failure } from '../src/core/failure.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../src/core/head.ts';
import { Headers } from '../src/core/headers.ts';
import type { CodecStream, StreamUser } from '../src/core/message-sink.ts';

const crlf = '\r\n';

function bytesOf(...lines: string[]): Buffer {
  return Buffer.from([...lines, '', ''].join(crlf), 'latin1');
}

const wrkRequest = bytesOf('GET / HTTP/1.1', 'Host: 127.0.0.1:8080');
const browserRequest = bytesOf(
  'GET /productpage?u=normal HTTP/1.1',
  'Host: bookinfo.example.com',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language: en-US,en;q=0.5',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Connection: keep-alive',
  'Cookie: session=eyJ1c2VyIjoiamFzb24ifQ.aBcDeF; theme=dark',
  'Upgrade-Insecure-Requests: 1',
  'X-Request-Id: 9736796e-881e-4b67-b19d-7aa46caa70ab',
);
const response = bytesOf(
  'HTTP/1.1 200 OK',
  'Server: nginx/1.28.0',
  'Date: Sat, 21 Nov 2026 11:29:23 GMT',
  'Content-Type: application/json; charset=utf-8',
  'Content-Length: 0',
  'Connection: keep-alive',
  'Cache-Control: no-cache, no-store',
  'ETag: "5f3c-18e0d3a"',
  'X-Custom-Trace: a1b2c3d4e5f6',
);

/** Swallows everything; keeps the last text, flat, as a socket would need it. */
class NullHost implements CodecHost {
  private readonly sink: Buffer;
  written: number;

  constructor() {
    this.sink = Buffer.alloc(65536);
    this.written = 0;
  }

  write(chunk: Uint8Array): boolean {
    this.written += chunk.length;
    return true;
  }

  writeLatin1(text: string): boolean {
    this.written += this.sink.write(text, 0, 'latin1');
    return true;
  }

  pause(): void {}

  resume(): void {}
}

class NullUser<Head> implements StreamUser<Head> {
  heads = 0;
  head(): void {
    this.heads++;
  }
  data(): void {}
  trailers(): void {}
  reset(_failure: Failure): void {
    throw new Error('the bench sent something invalid');
  }
  onAboveHighWatermark(): void {}
  onBelowLowWatermark(): void {}
}

class NullAcceptor implements StreamAcceptor {
  readonly user = new NullUser<RequestHead>();
  stream: CodecStream<ResponseHead> | null = null;
  accept(stream: CodecStream<ResponseHead>): StreamUser<RequestHead> {
    this.stream = stream;
    return this.user;
  }
  onProtocolError(): void {}
  onFinished(): void {}
}

class NullListener implements RequestListener {
  fields = 0;
  onRequestLine(): void {}
  onRequest(head: RequestHead): void {
    this.fields += head.headers.length + 1;
  }
  onData(): void {}
  onTrailers(): void {}
  onInvalid(): void {
    throw new Error('the bench sent something invalid');
  }
}

const rounds = 7;

/** Best ns per call. */
function measure(name: string, calls: number, call: () => void): void {
  for (let i = 0; i < calls; i++) call();
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) call();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / calls);
  }
  console.log(`${name.padEnd(58)} ${best.toFixed(0).padStart(6)} ns`);
}

function benchRequests(name: string, bytes: Buffer): void {
  const acceptor = new NullAcceptor();
  const codec = new H1ServerCodec(new NullHost(), acceptor, defaultServerOptions);
  const head = new ResponseHead(200, Headers.of(['content-length', '0']));
  measure(`server: decode ${name}, answer with a minimal head`, 100_000, () => {
    codec.receive(bytes);
    acceptor.stream!.head(head, true);
  });
}

function benchDecoder(name: string, bytes: Buffer): void {
  const listener = new NullListener();
  const decoder = new RequestDecoder(defaultServerOptions, listener);
  measure(`decode ${name}`, 100_000, () => {
    decoder.decode(bytes, 0);
    decoder.next();
  });
  if (listener.fields === 0) throw new Error('nothing was read');
}

function benchResponses(): void {
  const codec = new H1ClientCodec(
    new NullHost(),
    { onStreamDone: () => undefined, onProtocolError: () => undefined },
    defaultClientOptions,
  );
  const user = new NullUser<ResponseHead>();
  const head = new RequestHead('GET', 'a', '/', HttpVersion.Http11, new Headers());
  measure('client: minimal request, decode a response of 8 fields', 100_000, () => {
    codec.open(user).head(head, true);
    codec.receive(response);
  });
}

function benchEncoder(): void {
  const host = new NullHost();
  const encoder = new Encoder(host, HeaderKeyFormat.LowerCase, false);
  const acceptor = new NullAcceptor();
  const heads: RequestHead[] = [];
  acceptor.user.head = ((head: RequestHead) => heads.push(head)) as never;
  new H1ServerCodec(new NullHost(), acceptor, defaultServerOptions).receive(browserRequest);
  const request = heads[0];
  request.headers.add('x-forwarded-proto', 'http');
  request.headers.add('x-envoy-expected-rq-timeout-ms', '15000');
  measure('encode a request of 12 fields', 100_000, () => encoder.request(request, request.path, true, false));
  const answer = new ResponseHead(200, request.headers);
  measure('encode a response of 11 fields, chunked', 100_000, () =>
    encoder.response(answer, false, request, Persistence.Unsaid),
  );
}

/** The alternative: the head as one string first, then `indexOf` and `slice`, names through a Map. No validation. */
function benchStrings(name: string, bytes: Buffer): void {
  const names = new Map<string, string>();
  let fields = 0;
  measure(`alternative: strings only, no validation: ${name}`, 100_000, () => {
    const text = latin1(bytes, 0, bytes.length);
    const headers = new Headers();
    const lineEnd = text.indexOf(crlf);
    const methodEnd = text.indexOf(' ');
    const method = text.slice(0, methodEnd);
    const path = text.slice(methodEnd + 1, text.indexOf(' ', methodEnd + 1));
    let at = lineEnd + 2;
    for (;;) {
      const end = text.indexOf(crlf, at);
      if (end === at) break;
      const colon = text.indexOf(':', at);
      const raw = text.slice(at, colon);
      const known = names.get(raw);
      const interned = known ?? raw.toLowerCase();
      if (known === undefined) names.set(raw, interned);
      headers.add(interned, text.slice(colon + 2, end));
      at = end + 2;
    }
    fields += headers.length + method.length + path.length;
  });
  if (fields === 0) throw new Error('nothing was read');
}

benchDecoder('wrk', wrkRequest);
benchDecoder('a browser, 10 fields', browserRequest);
benchRequests('wrk', wrkRequest);
benchRequests('a browser, 10 fields', browserRequest);
benchStrings('wrk', wrkRequest);
benchStrings('a browser, 10 fields', browserRequest);
benchResponses();
benchEncoder();
