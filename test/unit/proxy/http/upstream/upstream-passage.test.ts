import { describe, expect, test } from 'vitest';
import type { HttpPool, StreamWaiter } from '../../../../../src/cluster/cluster.ts';
import type { Failure } from '../../../../../src/core/failure.ts';
import { LocalReset, RemoteConnectionFailure } from '../../../../../src/core/failures.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../../../../../src/core/head.ts';
import { Headers } from '../../../../../src/core/headers.ts';
import type { CodecStream } from '../../../../../src/core/message-sink.ts';
import { Verdict, type HttpFilter, type Stream } from '../../../../../src/filter/filter.ts';
import { buildStreamFilters } from '../../../../../src/proxy/http/upstream/build.ts';
import { hostData, World } from '../../../cluster/cluster-fixture.ts';
import { MemoryConnection } from '../../../cluster/memory-network.ts';

const text = (chunk: Uint8Array): string => Buffer.from(chunk).toString();

/** A pool whose one stream writes down what it is told. */
class NotingPool implements HttpPool {
  readonly said: string[] = [];
  waiter: StreamWaiter | null = null;
  private readonly isReady: boolean;

  constructor(isReady: boolean) {
    this.isReady = isReady;
  }

  newStream(waiter: StreamWaiter): void {
    this.waiter = waiter;
    if (this.isReady) this.connect();
  }

  cancel(): void {
    this.said.push('canceled');
  }

  connect(): void {
    const world = new World();
    const host = world.cluster({ hosts: [hostData('10.0.0.1')] }).pick({
      random: 0,
      hash: null,
      rejects: () => false,
      hostSelectionAttempts: 0,
    })!;
    const connection = new MemoryConnection(1, { kind: 'ip', host: '10.0.0.1', port: 80 });
    this.waiter!.onPoolReady(this.stream(), connection, host, 0, HttpVersion.Http11);
  }

  private stream(): CodecStream<RequestHead> {
    const note = (what: string): void => void this.said.push(what);
    return {
      head: ({ path, headers }, end) => note(`${path} ${headers.get('x-seen') ?? '-'}${end ? ' end' : ''}`),
      data: (chunk, end) => note(`${text(chunk)}${end ? ' end' : ''}`),
      trailers: () => note('trailers'),
      reset: ({ kind }: Failure) => note(`reset ${kind.name}`),
      pause: () => note('pause'),
      resume: () => note('resume'),
    };
  }
}

/** Sends one request, at once or when there is a connection, and writes down what comes. */
class NotingWaiter implements StreamWaiter {
  readonly heard: string[] = [];
  stream: CodecStream<RequestHead> | null = null;
  readonly onFiltersReady?: (stream: CodecStream<RequestHead>) => void;
  private readonly send: (stream: CodecStream<RequestHead>) => void;

  constructor(isEager: boolean, send: (stream: CodecStream<RequestHead>) => void) {
    this.send = send;
    if (isEager)
      this.onFiltersReady = (stream) => {
        this.stream = stream;
        send(stream);
      };
  }

  onPoolReady(stream: CodecStream<RequestHead>): void {
    this.heard.push('ready');
    if (this.stream === null) this.send(stream);
    this.stream = stream;
  }

  onPoolFailure({ kind }: Failure): void {
    this.heard.push(`no ${kind.name}`);
  }

  head({ status, headers }: ResponseHead, end: boolean): void {
    this.heard.push(`${status} ${headers.get('x-seen') ?? '-'}${end ? ' end' : ''}`);
  }

  data(chunk: Uint8Array, end: boolean): void {
    this.heard.push(`${text(chunk)}${end ? ' end' : ''}`);
  }

  trailers(): void {
    this.heard.push('trailers');
  }

  reset({ kind }: Failure): void {
    this.heard.push(`reset ${kind.name}`);
  }

  onAboveHighWatermark(): void {
    this.heard.push('above');
  }

  onBelowLowWatermark(): void {
    this.heard.push('below');
  }
}

function requestHead(path: string): RequestHead {
  return new RequestHead('POST', 'a', path, HttpVersion.Http11, new Headers());
}

const whole = (stream: CodecStream<RequestHead>): void => {
  stream.head(requestHead('/x'), false);
  stream.data(Buffer.from('one'), false);
  stream.data(Buffer.from('two'), true);
};

/** Writes into both heads that it has seen them. */
const marking: HttpFilter = {
  onRequestHead(_stream, head) {
    head.headers.set('x-seen', 'yes');
    return Verdict.Continue;
  },
  onResponseHead(_stream, head) {
    head.headers.set('x-seen', 'yes');
    return Verdict.Continue;
  },
};

function behind(pool: HttpPool, ...filters: HttpFilter[]): HttpPool {
  const { network, stats, runtime } = new World();
  const data = filters.map((_, i) => ({ name: `f${i}`, kind: String(i), data: null, disabled: false }));
  const context = {
    stats,
    clock: network.clock,
    timers: network.timers,
    runtime,
    localNode: { cluster: '', id: '' },
    random: () => 0,
  };
  const builder = (kind: string) => ({ kind, build: () => ({ create: () => filters[Number(kind)] }) });
  return buildStreamFilters(data, context, builder).before(pool, null);
}

describe('a request behind the router', () => {
  test('passes the filters to a connection that is there', () => {
    const pool = new NotingPool(true);
    const waiter = new NotingWaiter(true, whole);
    behind(pool, marking).newStream(waiter);
    expect(pool.said).toEqual(['/x yes', 'one', 'two end']);
    expect(waiter.heard).toEqual(['ready']);
  });

  test.each([true, false])('waits behind the filters for its connection, sent at once: %s', (isEager) => {
    const pool = new NotingPool(false);
    const waiter = new NotingWaiter(isEager, whole);
    behind(pool, marking).newStream(waiter);
    expect(pool.said).toEqual([]);
    pool.connect();
    expect(pool.said).toEqual(['/x yes', 'one', 'two end']);
  });

  test('waits with its trailers, too', () => {
    const pool = new NotingPool(false);
    behind(pool, marking).newStream(
      new NotingWaiter(true, (stream) => {
        stream.head(requestHead('/x'), false);
        stream.trailers(new Headers());
      }),
    );
    pool.connect();
    expect(pool.said).toEqual(['/x yes', 'trailers']);
  });

  test('that is large makes its sender wait until there is a connection', () => {
    const pool = new NotingPool(false);
    const waiter = new NotingWaiter(true, (stream) => {
      stream.head(requestHead('/x'), false);
      stream.data(new Uint8Array(2 << 20), true);
    });
    behind(pool, marking).newStream(waiter);
    expect(waiter.heard).toEqual(['above']);
    pool.connect();
    expect(waiter.heard).toEqual(['above', 'ready', 'below']);
  });

  test('hears that there is no connection', () => {
    const pool = new NotingPool(false);
    const waiter = new NotingWaiter(true, whole);
    behind(pool, marking).newStream(waiter);
    pool.waiter!.onPoolFailure(RemoteConnectionFailure, null);
    expect(waiter.heard).toEqual([`no ${RemoteConnectionFailure.kind.name}`]);
  });

  test.each([
    [true, `reset ${LocalReset.kind.name}`],
    [false, 'canceled'],
  ])('that nobody wants any more gives back what it has; connected: %s', (isConnected, expected) => {
    const pool = new NotingPool(isConnected);
    const waiter = new NotingWaiter(true, (stream) => stream.head(requestHead('/x'), false));
    behind(pool, marking).newStream(waiter);
    waiter.stream!.reset(LocalReset);
    expect(pool.said.at(-1)).toBe(expected);
  });
});

describe('its answer', () => {
  test('passes the filters backwards; interim ones do not', () => {
    const pool = new NotingPool(true);
    const waiter = new NotingWaiter(true, whole);
    let completed = 0;
    behind(pool, { ...marking, onComplete: () => void completed++ }).newStream(waiter);
    pool.waiter!.head(new ResponseHead(103, new Headers()), false);
    pool.waiter!.head(new ResponseHead(200, new Headers()), false);
    pool.waiter!.data(Buffer.from('hi'), false);
    expect(completed).toBe(0);
    pool.waiter!.trailers(new Headers());
    expect(completed).toBe(1);
    expect(waiter.heard).toEqual(['ready', '103 -', '200 yes', 'hi', 'trailers']);
  });

  test('may break off, and filters hear of it once', () => {
    const pool = new NotingPool(true);
    const waiter = new NotingWaiter(true, whole);
    let completed = 0;
    behind(pool, { ...marking, onComplete: () => void completed++ }).newStream(waiter);
    pool.waiter!.reset(RemoteConnectionFailure);
    waiter.stream!.reset(LocalReset);
    expect(completed).toBe(1);
    expect(waiter.heard).toEqual(['ready', `reset ${RemoteConnectionFailure.kind.name}`]);
  });

  test("is a filter's for a request of our own, and nothing reaches the upstream", () => {
    const refusing: HttpFilter = {
      onRequestHead(stream: Stream) {
        stream.reply({ status: 403, body: 'no', details: 'd' });
        return Verdict.Stop;
      },
    };
    const pool = new NotingPool(true);
    const waiter = new NotingWaiter(true, (stream) => stream.head(requestHead('/x'), true));
    behind(pool, refusing, marking).newStream(waiter);
    expect(waiter.heard).toEqual(['ready', '403 -', 'no end']);
    expect(pool.said).toEqual([`reset ${LocalReset.kind.name}`]);
  });
});
