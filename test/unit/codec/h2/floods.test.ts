import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import type { CodecHost, StreamAcceptor } from '../../../../src/codec/codec.ts';
import { H2ClientCodec } from '../../../../src/codec/h2/client.ts';
import type { H2Counter } from '../../../../src/codec/h2/counters.ts';
import { h2CounterNames, type H2Counters } from '../../../../src/codec/h2/counters.ts';
import {
  HeaderBlockFlood,
  InboundEmptyFramesFlood,
  InboundFramesFlood,
  OutboundFramesFlood,
  PrematureResets,
  HeadersTooLarge,
} from '../../../../src/codec/h2/failures.ts';
import { earlyAnswerMs, earlyAnswersMax, resetStreamsRemembered } from '../../../../src/codec/h2/limits.ts';
import { defaultClientOptions, defaultServerOptions, type H2ServerOptions } from '../../../../src/codec/h2/options.ts';
import { H2ServerCodec } from '../../../../src/codec/h2/server.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import { ResponseHead, type RequestHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { CodecStream, StreamUser } from '../../../../src/core/message-sink.ts';
import { block, bytesOfLine, frame, framesOf, preface, uint32 } from '../../../wire/h2-frames.ts';
import { RecordingOwner } from '../../../wire/recorder.ts';

class Counters implements H2Counters {
  readonly counts = new Map<string, number>();
  active = 0;
  pending = 0;

  count(counter: H2Counter): void {
    const name = h2CounterNames[counter];
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  streamsActive(delta: number): void {
    this.active += delta;
  }

  pendingSendBytes(delta: number): void {
    this.pending += delta;
  }
}

/** A host whose kernel takes nothing until it is told to. */
class StalledHost implements CodecHost {
  bufferedBytes = 0;
  isStalled = false;
  private chunks: Uint8Array[] = [];

  write(chunk: Uint8Array): boolean {
    this.chunks.push(chunk);
    if (this.isStalled) this.bufferedBytes += chunk.length;
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

class User implements StreamUser<RequestHead> {
  readonly stream: CodecStream<ResponseHead>;
  failure: Failure | null = null;
  isHeld = false;

  constructor(stream: CodecStream<ResponseHead>) {
    this.stream = stream;
  }

  head(): void {}
  data(): void {}
  trailers(): void {}

  reset(failure: Failure): void {
    this.failure = failure;
  }

  onAboveHighWatermark(): void {
    this.isHeld = true;
  }

  onBelowLowWatermark(): void {
    this.isHeld = false;
  }
}

class World implements StreamAcceptor {
  readonly host = new StalledHost();
  readonly counters = new Counters();
  readonly users: User[] = [];
  readonly codec: H2ServerCodec;
  failure: Failure | null = null;
  now = 0;
  private nextId = 1;

  constructor(options: Partial<H2ServerOptions> = {}) {
    this.codec = new H2ServerCodec(this.host, this, { ...defaultServerOptions, counters: this.counters, ...options });
    this.send(Buffer.from(preface), frame(4, 0, 0), frame(4, 1, 0));
    this.host.take();
  }

  accept(stream: CodecStream<ResponseHead>): StreamUser<RequestHead> {
    const user = new User(stream);
    this.users.push(user);
    return user;
  }

  onProtocolError(failure: Failure): void {
    this.failure = failure;
  }

  onFinished(): void {}

  send(...frames: Uint8Array[]): void {
    this.codec.receive(Buffer.concat(frames), this.now);
  }

  /** Opens a stream; its identifier. */
  open(end: boolean): number {
    const id = this.nextId;
    this.nextId += 2;
    this.send(bytesOfLine(`HEADERS ${id} ${end ? 'end ' : ''}:method=POST :scheme=http :path=/ :authority=a.test`));
    return id;
  }

  /** The code of the last GOAWAY; null: there was none. */
  goAwayCode(): number | null {
    const goAway = framesOf(this.host.take()).findLast(({ type }) => type === 7);
    return goAway === undefined ? null : goAway.payload.readUInt32BE(4);
  }
}

const calm = 11;

function many(count: number, of: Uint8Array): Buffer {
  return Buffer.concat(Array<Uint8Array>(count).fill(of));
}

describe('what waits to be read', () => {
  test('max_outbound_frames 10000: frames that the client does not read', () => {
    const world = new World();
    world.open(true);
    world.host.isStalled = true;
    const { stream } = world.users[0];
    stream.head(new ResponseHead(200, new Headers()), false);
    for (let i = 0; i < 10_000 * 1.07; i++) stream.data(Buffer.from('x'), false);
    expect(world.failure).toBeNull();
    world.codec.tick(0);
    expect(world.failure).toBe(OutboundFramesFlood);
    expect(world.users[0].failure?.kind).toBe(OutboundFramesFlood.kind);
    expect(world.counters.counts.get('outbound_flood')).toBe(1);
    expect(world.goAwayCode()).toBe(calm);
  });

  test('as many frames are no flood when they are read', () => {
    const world = new World();
    world.open(true);
    const { stream } = world.users[0];
    stream.head(new ResponseHead(200, new Headers()), false);
    for (let i = 0; i < 20_000; i++) stream.data(Buffer.from('x'), false);
    world.codec.tick(0);
    expect(world.failure).toBeNull();
  });

  test.each([
    ['PING', frame(6, 0, 0, Buffer.alloc(8))],
    ['SETTINGS', frame(4, 0, 0)],
  ])('max_outbound_control_frames 1000: a flood of %s', (_, of) => {
    const world = new World();
    world.host.isStalled = true;
    world.send(many(1000, of));
    expect(world.failure).toBeNull();
    world.send(many(100, of));
    expect(world.failure).toBe(OutboundFramesFlood);
    expect(world.counters.counts.get('outbound_control_flood')).toBe(1);
    expect(world.goAwayCode()).toBe(calm);
  });

  test('max_outbound_control_frames 1000: a flood of requests that are reset', () => {
    const world = new World({ prematureResetTotalStreamCount: 1e6 });
    world.host.isStalled = true;
    for (let i = 0; i < 1100 && world.failure === null; i++) {
      world.open(false);
      world.users.at(-1)!.stream.reset(InboundFramesFlood);
    }
    world.codec.tick(0);
    expect(world.failure).toBe(OutboundFramesFlood);
  });

  test('a client that reads may send any number of PING frames', () => {
    const world = new World();
    for (let i = 0; i < 50; i++) world.send(many(100, frame(6, 0, 0, Buffer.alloc(8))));
    expect(world.failure).toBeNull();
  });
});

describe('frames that cost more than they are worth', () => {
  test('max_consecutive_inbound_frames_with_empty_payload 1: DATA', () => {
    const world = new World();
    const id = world.open(false);
    world.send(frame(0, 0, id), frame(0, 0, id, Buffer.from('x')), frame(0, 0, id));
    expect(world.failure).toBeNull();
    world.send(frame(0, 0, id));
    expect(world.failure).toBe(InboundEmptyFramesFlood);
    expect(world.counters.counts.get('inbound_empty_frames_flood')).toBe(1);
  });

  test('max_consecutive_inbound_frames_with_empty_payload 1: padding is no content', () => {
    const world = new World();
    const id = world.open(false);
    world.send(bytesOfLine(`DATA ${id} pad=9 `), bytesOfLine(`DATA ${id} pad=9 `));
    expect(world.failure).toBe(InboundEmptyFramesFlood);
  });

  test('max_consecutive_inbound_frames_with_empty_payload 1: CONTINUATION', () => {
    const world = new World();
    world.send(frame(1, 0, 1), frame(9, 0, 1));
    expect(world.failure).toBe(InboundEmptyFramesFlood);
    expect(world.goAwayCode()).toBe(calm);
  });

  test('max_inbound_priority_frames_per_stream 100', () => {
    const world = new World();
    const priority = frame(2, 0, 7, Buffer.concat([uint32(0), Buffer.of(1)]));
    world.send(many(100, priority));
    world.open(true);
    world.send(many(100, priority));
    expect(world.failure).toBeNull();
    world.send(priority);
    expect(world.failure?.kind).toBe(InboundFramesFlood.kind);
    expect(world.counters.counts.get('inbound_priority_frames_flood')).toBe(1);
  });

  test('max_inbound_window_update_frames_per_data_frame_sent 10', () => {
    const world = new World();
    const update = frame(8, 0, 0, uint32(1));
    world.open(true);
    const { stream } = world.users[0];
    stream.head(new ResponseHead(200, new Headers()), false);
    stream.data(Buffer.from('x'), false);
    world.send(many(5 + 2 * (1 + 10), update));
    expect(world.failure).toBeNull();
    world.send(update);
    expect(world.failure?.kind).toBe(InboundFramesFlood.kind);
    expect(world.counters.counts.get('inbound_window_update_frames_flood')).toBe(1);
  });

  test('stream_reset_burst 1000 and stream_reset_rate 33 a second: rapid reset', () => {
    const world = new World({ prematureResetTotalStreamCount: 1e6 });
    const cancel = (): void => world.send(frame(3, 0, world.open(false), uint32(8)));
    for (let i = 0; i < 1000; i++) cancel();
    world.now = 1000;
    for (let i = 0; i < 33; i++) cancel();
    expect(world.failure).toBeNull();
    cancel();
    expect(world.failure?.kind).toBe(InboundFramesFlood.kind);
    expect(world.goAwayCode()).toBe(calm);
  });

  test('overload.premature_reset_total_stream_count 500: most streams end unanswered', () => {
    const world = new World();
    for (let i = 0; i < 249; i++) world.send(frame(3, 0, world.open(false), uint32(8)));
    expect(world.failure).toBeNull();
    world.send(frame(3, 0, world.open(false), uint32(8)));
    expect(world.failure).toBe(PrematureResets);
  });

  test('overload.premature_reset_min_stream_lifetime_seconds 1: streams that lived are not counted', () => {
    const world = new World();
    for (let i = 0; i < 400; i++) {
      const id = world.open(false);
      world.now += 1001;
      world.send(frame(3, 0, id, uint32(8)));
    }
    expect(world.failure).toBeNull();
  });

  test('premature resets: answered streams outweigh', () => {
    const world = new World();
    for (let i = 0; i < 600; i++) {
      world.open(true);
      world.users.at(-1)!.stream.head(new ResponseHead(200, new Headers()), true);
      if (i % 2 === 0) world.send(frame(3, 0, world.open(false), uint32(8)));
    }
    expect(world.failure).toBeNull();
  });

  test('settings per frame', () => {
    const world = new World();
    world.send(frame(4, 0, 0, Buffer.alloc(6 * 33)));
    expect(world.goAwayCode()).toBe(calm);
  });
});

describe('header blocks', () => {
  test('a CONTINUATION flood of bytes', () => {
    const world = new World({ headersBytesMax: 1000 });
    world.send(frame(1, 0, 1, block([[':method', 'GET']])));
    const part = frame(9, 0, 1, block([['x', 'y'.repeat(1000)]]));
    for (let i = 0; i < 30; i++) world.send(part);
    expect(world.failure?.kind).toBe(HeaderBlockFlood.kind);
    expect(world.goAwayCode()).toBe(calm);
  });

  test('a CONTINUATION flood of frames', () => {
    const world = new World();
    world.send(frame(1, 0, 1, block([[':method', 'GET']])));
    for (let i = 0; i < 100; i++) world.send(frame(9, 0, 1, Buffer.of(0x20)));
    expect(world.failure?.kind).toBe(HeaderBlockFlood.kind);
  });

  test('an HPACK bomb: a large field that is named again and again', () => {
    const world = new World();
    const start = Buffer.concat([Buffer.of(0x82, 0x86, 0x84), block([[':authority', 'a.test']])]);
    const bomb = Buffer.concat([
      start,
      Buffer.from([0x40, 1, 0x78, 127, 0xa1, 0x1e]),
      Buffer.alloc(4000, 'y'),
      Buffer.alloc(12_000, 0xbe),
    ]);
    world.send(frame(1, 5, 1, bomb));
    expect(world.users[0].failure?.kind).toBe(HeadersTooLarge.kind);
    expect(world.counters.counts.get('header_list_size_too_large')).toBe(1);
    // The table is in step: the entry can still be named.
    world.send(frame(1, 5, 3, Buffer.concat([start, Buffer.of(0xbe)])));
    expect(world.users[1].failure).toBeNull();
  });

  test('interim responses without end', () => {
    const codec = new H2ClientCodec(new StalledHost(), new RecordingOwner([]), defaultClientOptions);
    const user = new User(null as never);
    const stream = codec.open(user);
    stream.head({ method: 'GET', headers: new Headers(), authority: '', path: '/', scheme: 'http' } as never, true);
    codec.receive(Buffer.concat([frame(4, 0, 0), many(101, frame(1, 4, 1, block([[':status', '103']])))]), 0);
    expect(user.failure).not.toBeNull();
  });
});

describe('memory', () => {
  test('1000 stalled streams whose windows stay shut hold a bounded number of bytes', () => {
    const world = new World();
    world.send(bytesOfLine('SETTINGS window=0'));
    for (let i = 0; i < 1000; i++) world.open(true);
    const chunk = Buffer.alloc(64 * 1024);
    for (const { stream } of world.users) stream.head(new ResponseHead(200, new Headers()), false);
    for (const user of world.users) while (!user.isHeld) user.stream.data(chunk.subarray(), false);
    expect(world.codec.queuedBytes).toBe(world.counters.pending);
    expect(world.counters.pending).toBeLessThan(96 * 1024 * 1024);
    for (let i = 0; i < 1000; i++) world.send(frame(3, 0, 1 + 2 * i, uint32(8)));
    expect(world.counters.pending).toBe(0);
    expect(world.counters.active).toBe(0);
  });

  test('a small piece that waits does not hold the memory of a large read', () => {
    const world = new World();
    world.send(bytesOfLine('SETTINGS window=0'));
    world.open(true);
    const { stream } = world.users[0];
    stream.head(new ResponseHead(200, new Headers()), false);
    const read = Buffer.alloc(1024 * 1024, 'x');
    stream.data(read.subarray(0, 100), false);
    read.fill('y');
    world.host.take();
    world.send(bytesOfLine('WINDOW_UPDATE 1 100'));
    expect(framesOf(world.host.take())[0].payload.toString()).toBe('x'.repeat(100));
  });

  test('half-closed zombies: a response that is over frees its stream whatever the client still sends', () => {
    const world = new World();
    for (let i = 0; i < 3000; i++) {
      world.open(false);
      world.users.at(-1)!.stream.head(new ResponseHead(200, new Headers()), true);
    }
    expect(world.failure).toBeNull();
    expect(world.codec.activeStreams).toBe(earlyAnswersMax);
    world.codec.tick(earlyAnswerMs);
    expect(world.codec.activeStreams).toBe(0);
    expect(world.counters.active).toBe(0);
  });

  test('streams that never end are bounded by max_concurrent_streams', () => {
    const world = new World();
    for (let i = 0; i < 1025; i++) world.open(false);
    expect(world.failure).not.toBeNull();
    expect(world.counters.active).toBe(0);
  });

  test('only so many resets are remembered', () => {
    const world = new World({ prematureResetTotalStreamCount: 1e6 });
    for (let i = 0; i < resetStreamsRemembered + 10; i++) {
      world.open(false);
      world.users.at(-1)!.stream.reset(InboundFramesFlood);
    }
    world.send(frame(0, 0, 2 * resetStreamsRemembered + 1, Buffer.from('late')));
    expect(world.failure).toBeNull();
    world.send(frame(0, 0, 1, Buffer.from('too late')));
    expect(world.failure).not.toBeNull();
  });
});
