import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { H2ClientCodec } from '../../src/codec/h2/client.ts';
import { defaultClientOptions, defaultServerOptions } from '../../src/codec/h2/options.ts';
import { H2ServerCodec } from '../../src/codec/h2/server.ts';
import { canReceive, canSend, nextState, StreamEvent, StreamState } from '../../src/codec/h2/stream-state.ts';
import { ClosedByPeer, LocalReset } from '../../src/core/failures.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../../src/core/head.ts';
import { Headers } from '../../src/core/headers.ts';
import { block, frame, framesOf, preface, uint32 } from '../wire/h2-frames.ts';
import {
  CollectingAcceptor,
  CollectingUser,
  RecordingAcceptor,
  RecordingHost,
  RecordingOwner,
  RecordingUser,
} from '../wire/recorder.ts';
import * as fc from './chance.ts';

const streamErrors = { streamErrorOnInvalidHttpMessage: true };
const opening = Buffer.concat([Buffer.from(preface), frame(4, 0, 0), frame(4, 1, 0)]);

// ---- what peers send

/** Mostly streams that may exist: most other frames are the last that a connection hears. */
const streamId = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom(1, 3, 5) },
  { weight: 4, arbitrary: fc.constantFrom(7, 9) },
  { weight: 1, arbitrary: fc.constantFrom(0, 2) },
);
const flags = fc.constantFrom(0, 1, 4, 5, 8, 12, 13, 0x20, 0x25, 255);
const fieldList = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constant(
      block([
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'a'],
      ]),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constant(
      block([
        [':status', '200'],
        ['x', 'y'],
      ]),
    ),
  },
  { weight: 1, arbitrary: fc.constant(block([[':status', '103']])) },
  { weight: 2, arbitrary: fc.constant(block([['x-trailer', 'y']])) },
  {
    weight: 1,
    arbitrary: fc.constant(
      block([
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
      ]),
    ),
  },
  { weight: 1, arbitrary: fc.constant(block([['X', 'y']])) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)) },
);
const bytes = fc.uint8Array({ maxLength: 40 }).map((content) => Buffer.from(content));
const likelyFrame = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.tuple(streamId, fc.constantFrom(4, 5), fieldList).map(([id, f, b]) => frame(1, f, id, b)),
  },
  {
    weight: 40,
    arbitrary: fc.tuple(streamId, fc.constantFrom(0, 0, 0, 1), bytes).map(([id, f, b]) => frame(0, f, id, b)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(streamId, fieldList).map(([id, b]) => Buffer.concat([frame(1, 0, id, b), frame(9, 4, id, b)])),
  },
  { weight: 4, arbitrary: fc.tuple(streamId, fc.nat(13)).map(([id, code]) => frame(3, 0, id, uint32(code))) },
  {
    weight: 15,
    arbitrary: fc
      .tuple(streamId, fc.constantFrom(1, 100, 1000, 5000, 30_000))
      .map(([id, n]) => frame(8, 0, id, uint32(n))),
  },
  { weight: 4, arbitrary: fc.constant(frame(6, 0, 0, Buffer.alloc(8))) },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(0, 10, 100_000)
      .map((size) => frame(4, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(size)]))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(streamId, fc.nat(2))
      .map(([id, code]) => frame(7, 0, 0, Buffer.concat([uint32(id), uint32(code)]))),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(12), flags, streamId, bytes).map(([type, f, id, b]) => frame(type, f, id, b)),
  },
);
const frames = fc.array(likelyFrame, { maxLength: 30 }).map((all) => Buffer.concat(all));
const cuts = fc.array(fc.nat(2000), { maxLength: 20 });

function pieces(all: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...new Set(at.map((n) => n % (all.length + 1)))].toSorted((a, b) => a - b);
  // A copy each, as from a socket.
  return [...ends, all.length].map((end, i) => Buffer.from(all.subarray(i === 0 ? 0 : ends[i - 1], end)));
}

/** Streams that are there already when the actions begin. */
const begun = [1, 3, 5].map((id) =>
  frame(
    1,
    4,
    id,
    block([
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'a'],
    ]),
  ),
);

// ---- who listens

/** Holds users to the order of verbs: one head, nothing behind the end, nothing behind a reset. */
class StrictUser<Head extends RequestHead | ResponseHead> extends RecordingUser<Head> {
  /** It has given its stream up. */
  isSilenced = false;
  private hasHead = false;

  override head(head: Head, end: boolean): void {
    const isInterim = head instanceof ResponseHead && head.status < 200;
    if (this.isSilenced || this.isOver || this.hasHead) throw new Error('a head out of order');
    this.hasHead = !isInterim;
    super.head(head, end);
  }

  override data(chunk: Uint8Array, end: boolean): void {
    if (this.isSilenced || !this.hasHead) throw new Error('data before the head');
    super.data(chunk, end);
  }

  override trailers(trailers: Headers): void {
    if (this.isSilenced || !this.hasHead || this.isOver) throw new Error('trailers out of order');
    super.trailers(trailers);
  }
}

class StrictAcceptor extends RecordingAcceptor {
  readonly perStream: string[][] = [];

  override accept(stream: Parameters<RecordingAcceptor['accept']>[0]): StrictUser<RequestHead> {
    const events: string[] = [];
    this.perStream.push(events);
    const user = new StrictUser<RequestHead>(events);
    this.users.push(user);
    this.streams.push(stream);
    return user;
  }
}

/** What the streams of a server hear. */
function heardByServer(parts: readonly Buffer[]): unknown {
  const acceptor = new StrictAcceptor([]);
  const codec = new H2ServerCodec(new RecordingHost(), acceptor, { ...defaultServerOptions, ...streamErrors });
  codec.receive(Buffer.concat([opening, ...begun]), 0);
  for (const part of parts) codec.receive(part, 0);
  for (const user of acceptor.users) user.flushData();
  return [acceptor.perStream, acceptor.events];
}

/** What the streams of a client hear; it has asked three times. */
function heardByClient(parts: readonly Buffer[]): unknown {
  const connection: string[] = [];
  const codec = new H2ClientCodec(new RecordingHost(), new RecordingOwner(connection), {
    ...defaultClientOptions,
    ...streamErrors,
  });
  const users = [1, 3, 5].map((id) => {
    const user = new StrictUser<ResponseHead>([]);
    codec.open(user).head(request('POST', new Headers()), id === 5);
    return user;
  });
  codec.receive(Buffer.concat([frame(4, 0, 0), frame(4, 1, 0)]), 0);
  for (const part of parts) codec.receive(part, 0);
  for (const user of users) user.flushData();
  return [users.map(({ events }) => events), connection];
}

function request(method: string, headers: Headers): RequestHead {
  const head = new RequestHead(method, 'a.test', '/', HttpVersion.Http2, headers);
  head.scheme = 'http';
  return head;
}

describe('reading', () => {
  test('any split of a server’s bytes gives the same events', () => {
    fc.assert(
      fc.property(frames, cuts, (wire, at) => {
        expect(heardByServer(pieces(wire, at))).toEqual(heardByServer([Buffer.from(wire)]));
      }),
      { numRuns: 1000 },
    );
  });

  test('any split of a client’s bytes gives the same events', () => {
    fc.assert(
      fc.property(frames, cuts, (wire, at) => {
        expect(heardByClient(pieces(wire, at))).toEqual(heardByClient([Buffer.from(wire)]));
      }),
      { numRuns: 1000 },
    );
  });

  test('no bytes make either of them throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (random, isOpened) => {
        const part = Buffer.from(random);
        heardByServer(isOpened ? [part] : []);
        heardByClient([part]);
      }),
      { numRuns: 1000 },
    );
  });
});

// ---- interleavings: what the peer sends and what the users do, in any order

const action = fc.oneof(
  likelyFrame.map((sent) => ({ kind: 'frame' as const, sent })),
  fc.record({
    kind: fc.constantFrom('head', 'data', 'end', 'trailers', 'reset', 'pause', 'resume', 'open' as const),
    stream: fc.nat(5),
    size: fc.nat(40_000),
    isLast: fc.boolean(),
  }),
  fc.constantFrom(
    { kind: 'above' as const },
    { kind: 'below' as const },
    { kind: 'tick' as const },
    { kind: 'drain' as const },
  ),
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** Carries frames in halves: what the users do may come between them. */
class Wire {
  private held: Buffer = Buffer.alloc(0);

  /** What arrives with this frame: the rest of the one before, and this one's first bytes. */
  next(sent: Buffer): Buffer {
    const all = Buffer.concat([this.held, sent]);
    const cut = sent[2] % 2 === 0 ? all.length : all.length - (sent.length >> 1);
    this.held = Buffer.from(all.subarray(cut));
    return Buffer.from(all.subarray(0, cut));
  }
}

/** So that something waits. */
const smallWindow = frame(4, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(1000)]));

function act(
  wire: Wire,
  codec: H2ServerCodec | H2ClientCodec,
  one: Action,
  head: RequestHead | ResponseHead,
  streams: readonly unknown[],
  users: readonly unknown[],
): void {
  if (one.kind === 'frame') codec.receive(wire.next(one.sent), 0);
  else if (one.kind === 'above') codec.onAboveHighWatermark();
  else if (one.kind === 'below') codec.onBelowLowWatermark();
  else if (one.kind === 'tick') codec.tick(1e6);
  else if (one.kind !== 'drain') {
    const index = one.stream % Math.max(1, streams.length);
    const stream = streams[index] as Parameters<RecordingAcceptor['accept']>[0] | undefined;
    if (stream === undefined) return;
    if (one.kind === 'head') stream.head(head as ResponseHead, one.isLast);
    else if (one.kind === 'data') stream.data(Buffer.alloc(one.size), one.isLast);
    else if (one.kind === 'end') stream.data(Buffer.alloc(0), true);
    else if (one.kind === 'trailers') stream.trailers(Headers.of(['a', 'b']));
    else if (one.kind === 'reset') {
      (users[index] as StrictUser<RequestHead>).isSilenced = true;
      stream.reset(LocalReset);
    } else if (one.kind === 'pause') stream.pause();
    else if (one.kind === 'resume') stream.resume();
  }
}

/** Every frame that was written, in an order that RFC 9113 allows per stream. */
function expectOrder(written: string, isServer: boolean): void {
  const whole = Buffer.from(isServer ? written : written.slice(preface.length), 'latin1');
  const ended = new Set<number>();
  const reset = new Set<number>();
  const begun = new Set<number>();
  for (const { type, flags: bits, streamId: id } of framesOf(whole)) {
    if (type === 3) {
      expect(reset.has(id) && begun.has(id) && ended.has(id)).toBe(false);
      ended.add(id);
      reset.add(id);
    }
    if (type > 1) continue;
    expect(ended.has(id)).toBe(false);
    if (type === 1) begun.add(id);
    else expect(begun.has(id)).toBe(true);
    if ((bits & 1) !== 0) ended.add(id);
  }
}

describe('interleaving', () => {
  test('a server keeps order whatever the client sends and its users do', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const host = new RecordingHost();
        const acceptor = new StrictAcceptor([]);
        const codec = new H2ServerCodec(host, acceptor, { ...defaultServerOptions, ...streamErrors });
        const wire = new Wire();
        codec.receive(Buffer.concat([opening, smallWindow, ...begun]), 0);
        for (const stream of acceptor.streams) stream.head(new ResponseHead(200, new Headers()), false);
        for (const one of actions) {
          if (one.kind === 'drain') codec.drain();
          act(wire, codec, one, new ResponseHead(200, new Headers()), acceptor.streams, acceptor.users);
        }
        codec.closed(ClosedByPeer);
        expect(codec.activeStreams).toBe(0);
        expect(codec.queuedBytes).toBe(0);
        expectOrder(host.written, true);
      }),
      { numRuns: 1000 },
    );
  });

  test('a client keeps order whatever the server sends and its users do', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const host = new RecordingHost();
        const codec = new H2ClientCodec(host, new RecordingOwner([]), { ...defaultClientOptions, ...streamErrors });
        codec.receive(Buffer.concat([smallWindow, frame(4, 1, 0)]), 0);
        const streams: unknown[] = [];
        const users: StrictUser<ResponseHead>[] = [];
        const wire = new Wire();
        for (let i = 0; i < 3; i++) {
          users.push(new StrictUser<ResponseHead>([]));
          const stream = codec.open(users[i]);
          stream.head(request('POST', new Headers()), false);
          streams.push(stream);
        }
        for (const one of actions) {
          if (one.kind === 'open' && codec.canOpen) {
            users.push(new StrictUser<ResponseHead>([]));
            streams.push(codec.open(users.at(-1)!));
          }
          act(wire, codec, one, request('POST', new Headers()), streams, users);
        }
        codec.closed(ClosedByPeer);
        expect(codec.activeStreams).toBe(0);
        expect(codec.queuedBytes).toBe(0);
        expectOrder(host.written, false);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('writing', () => {
  const name = fc
    .stringMatching(/^[a-z][a-z0-9-]{0,12}$/)
    .filter((one) => !/^(te|host|cookie|upgrade|connection|keep-alive|content-length)$/.test(one));
  const value = fc.string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((c) => c !== 0x7f)
      .map((c) => String.fromCharCode(c)),
    maxLength: 40,
  });
  const headers = fc.array(fc.tuple(name, value), { maxLength: 20 });
  const chunks = fc.array(fc.nat(70_000), { maxLength: 6 });

  test('what a client sends a server reads', () => {
    fc.assert(
      fc.property(headers, chunks, headers, (fields, sizes, trailers) => {
        const acceptor = new CollectingAcceptor();
        const clientHost = new RecordingHost();
        const serverHost = new RecordingHost();
        const server = new H2ServerCodec(serverHost, acceptor, defaultServerOptions);
        const client = new H2ClientCodec(clientHost, new RecordingOwner([]), defaultClientOptions);
        const exchange = (): void => {
          while (clientHost.written !== '' || serverHost.written !== '') {
            const up = Buffer.from(clientHost.written, 'latin1');
            const down = Buffer.from(serverHost.written, 'latin1');
            clientHost.written = '';
            serverHost.written = '';
            server.receive(up, 0);
            client.receive(down, 0);
          }
        };
        const stream = client.open(new CollectingUser<ResponseHead>());
        stream.head(request('POST', Headers.of(...fields)), false);
        const body = Buffer.concat(sizes.map((size, i) => Buffer.alloc(size, 97 + i)));
        for (let at = 0, i = 0; i < sizes.length; at += sizes[i++])
          stream.data(body.subarray(at, at + sizes[i]), false);
        stream.trailers(Headers.of(...trailers));
        exchange();
        const { user } = acceptor;
        expect(user.ends).toBe(1);
        expect(fieldsOf(user.heads[0].headers)).toEqual(fields);
        expect(user.body.equals(body)).toBe(true);
        expect(fieldsOf(user.trailing ?? new Headers())).toEqual(trailers);
      }),
      { numRuns: 200 },
    );
  });
});

function fieldsOf(headers: Headers): [string, string][] {
  return headers.names.map((name, i) => [name, headers.values[i]]);
}

describe('the states of a stream', () => {
  const events = Object.values(StreamEvent);

  test('random walks stay within RFC 9113 section 5.1', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 40 }), (walk) => {
        let state: StreamState = StreamState.Idle;
        let hasReceivedEnd = false;
        let hasSentEnd = false;
        let isReset = false;
        for (const event of walk) {
          const next = nextState(state, event);
          if (next === 0) continue;
          const wasClosed = state === StreamState.Closed;
          state = next;
          if (wasClosed) expect(state).toBe(StreamState.Closed);
          hasReceivedEnd ||= event === StreamEvent.ReceiveEnd;
          hasSentEnd ||= event === StreamEvent.SendEnd;
          isReset ||= event === StreamEvent.ReceiveReset || event === StreamEvent.SendReset;
          expect(state === StreamState.Closed).toBe(isReset || (hasReceivedEnd && hasSentEnd));
          expect(canReceive(state) && (hasReceivedEnd || isReset)).toBe(false);
          expect(canSend(state) && (hasSentEnd || isReset)).toBe(false);
        }
      }),
    );
  });
});
