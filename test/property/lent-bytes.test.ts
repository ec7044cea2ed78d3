import { createHash, type Hash } from 'node:crypto';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Connection, ConnectionSink } from '../../src/core/connection.ts';
import { ClosedLocally } from '../../src/core/failures.ts';
import { lentBytes } from '../../src/core/lent-bytes.ts';
import { Ground, listenOptions } from '../unit/net/sockets.ts';
import { noRing, openRingNetwork } from '../unit/net/uring/rings.ts';
import * as fc from './chance.ts';

/** A little generator of its own, so that a run is the same for the same seed. */
function random(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x100000000;
  };
}

const Treatment = { Pass: 0, Split: 1, Skip: 2, Hold: 3, Replay: 4, Copy: 5 } as const;

/**
 * Half of a relay that treats every chunk in one of the ways in which codecs, filters and retries do: passes it on
 * whole or in pieces, skips bytes that it has read, holds some until later, keeps some that it has also passed on.
 */
class Half implements ConnectionSink {
  readonly source: Connection;
  /** What came, and what the other end is to get: both digested at arrival, before anything can overwrite it. */
  readonly arrived: Hash;
  readonly expected: Hash;
  target!: Connection;
  other!: Half;
  /** Kept although passed on, with what they held then. */
  readonly kept: { chunk: Uint8Array; digest: string }[];
  private readonly next: () => number;
  private readonly treatments: readonly number[];
  private held: Uint8Array[];
  private hasEnded: boolean;
  private isWaiting: boolean;

  constructor(source: Connection, treatments: readonly number[], seed: number) {
    this.source = source;
    this.arrived = createHash('sha1');
    this.expected = createHash('sha1');
    this.kept = [];
    this.next = random(seed);
    this.treatments = treatments;
    this.held = [];
    this.hasEnded = false;
    this.isWaiting = false;
  }

  onBytes(chunk: Uint8Array): void {
    this.arrived.update(chunk);
    const treatment = this.treatments[Math.floor(this.next() * this.treatments.length)];
    if (treatment === Treatment.Hold || this.held.length > 0) {
      this.expected.update(chunk);
      this.held.push(chunk);
      // Also while another connection's memory is lent, and outside any event.
      if (this.held.length === 1) setImmediate(() => this.release());
      return;
    }
    if (treatment === Treatment.Skip) {
      const skipped = Math.floor(this.next() * Math.min(chunk.length, 100));
      lentBytes.settle(chunk, skipped);
      this.pass(chunk.subarray(skipped));
    } else if (treatment === Treatment.Copy) {
      lentBytes.settle(chunk, chunk.length);
      this.pass(Uint8Array.from(chunk));
    } else if (treatment === Treatment.Split) {
      const at = Math.floor(this.next() * chunk.length);
      this.pass(chunk.subarray(0, at));
      this.target.writeLatin1('|');
      this.expected.update('|');
      this.pass(chunk.subarray(at));
    } else {
      if (treatment === Treatment.Replay) this.keep(chunk);
      this.pass(chunk);
    }
  }

  /** The connection that we read from is the one that the other half writes to. */
  onDrain(): void {
    this.other.isWaiting = false;
    this.other.source.resume();
  }

  onEnd(): void {
    this.hasEnded = true;
    if (this.held.length === 0) this.target.end();
  }

  onClosed(): void {}

  private keep(chunk: Uint8Array): void {
    lentBytes.keep(chunk);
    if (this.kept.length < 64) this.kept.push({ chunk, digest: digest(chunk) });
  }

  private release(): void {
    const { held } = this;
    this.held = [];
    for (const chunk of held) this.write(chunk);
    if (this.hasEnded) this.target.end();
  }

  private pass(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.expected.update(chunk);
    this.write(chunk);
  }

  private write(chunk: Uint8Array): void {
    if (this.target.write(chunk) || this.isWaiting) return;
    this.isWaiting = true;
    this.source.pause();
  }
}

function digest(chunk: Uint8Array): string {
  return createHash('sha1').update(chunk).digest('hex');
}

async function send(socket: Socket, total: number, sizes: readonly number[], seed: number): Promise<string> {
  const hash = createHash('sha1');
  const next = random(seed);
  for (let sent = 0, i = 0; sent < total; i++) {
    const length = Math.min(sizes[i % sizes.length], total - sent);
    const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => next() * 0x100000000);
    const chunk = Buffer.from(words.buffer, 0, length);
    hash.update(chunk);
    sent += length;
    if (!socket.write(chunk)) await new Promise((resolve) => socket.once('drain', resolve));
    else if (i % 7 === 0) await turn();
  }
  socket.end();
  return hash.digest('hex');
}

async function receive(socket: Socket, slowness: number): Promise<string> {
  const hash = createHash('sha1');
  let chunks = 0;
  // Nothing at first: the kernel's buffers fill up, and writes are taken in part.
  for (let i = 0; i < slowness * slowness; i++) await turn();
  for await (const chunk of socket) {
    hash.update(chunk as Buffer);
    if (slowness > 0 && ++chunks % 4 === 0) for (let i = 0; i < slowness; i++) await turn();
  }
  return hash.digest('hex');
}

const grounds: { node?: Ground; io_uring?: Ground } = {};
beforeAll(async () => {
  grounds.node = await Ground.open();
  if (noRing === '') grounds.io_uring = await Ground.open(listenOptions, openRingNetwork());
});
afterAll(() => {
  for (const ground of Object.values(grounds)) ground.close();
});
const backends = noRing === '' ? (['node', 'io_uring'] as const) : (['node'] as const);

interface Transfer {
  readonly bytes: number;
  readonly sizes: readonly number[];
  readonly treatments: readonly number[];
  readonly bufferLimit: number;
  readonly slowness: number;
  readonly seed: number;
}

const size = fc.oneof(
  fc.integer({ min: 1, max: 5000 }),
  fc.integer({ min: 4000, max: 70_000 }),
  fc.constantFrom(4096, 16_384, 65_536, 131_072, 1 << 20),
);
const transfer: fc.Arbitrary<Transfer> = fc.record({
  bytes: fc.integer({ min: 0, max: 3 << 20 }),
  sizes: fc.array(size, { minLength: 1, maxLength: 6 }),
  treatments: fc.array(fc.constantFrom(...Object.values(Treatment)), { minLength: 1, maxLength: 4 }),
  bufferLimit: fc.constantFrom(0, 16_384, 1 << 20),
  slowness: fc.constantFrom(0, 0, 1, 5),
  seed: fc.integer(),
});

async function relay(ground: Ground, plan: Transfer): Promise<void> {
  const [{ client, connection: down }, { server, connection: up }] = await Promise.all([
    ground.accept(),
    ground.dial(),
  ]);
  down.bufferLimit = plan.bufferLimit;
  up.bufferLimit = plan.bufferLimit;
  const request = new Half(down, plan.treatments, plan.seed);
  const response = new Half(up, plan.treatments, ~plan.seed);
  request.target = up;
  response.target = down;
  request.other = response;
  response.other = request;
  down.attach(request);
  up.attach(response);
  const [received, answered, asked, served] = await Promise.all([
    receive(server, plan.slowness),
    receive(client, plan.slowness),
    send(client, plan.bytes, plan.sizes, plan.seed),
    send(server, plan.bytes >> 1, plan.sizes, plan.seed + 1),
  ]);
  expect(request.arrived.digest('hex')).toBe(asked);
  expect(response.arrived.digest('hex')).toBe(served);
  expect(received).toBe(request.expected.digest('hex'));
  expect(answered).toBe(response.expected.digest('hex'));
  for (const { chunk, digest: then } of [...request.kept, ...response.kept]) expect(digest(chunk)).toBe(then);
  down.destroy(ClosedLocally);
  up.destroy(ClosedLocally);
}

it.each(backends)(
  'bytes arrive as they were sent and kept ones stay, whatever becomes of the chunks on the way: %s',
  async (backend) => {
    await fc.assert(
      fc.asyncProperty(fc.array(transfer, { minLength: 1, maxLength: 5 }), async (plans) => {
        await Promise.all(plans.map((plan) => relay(grounds[backend]!, plan)));
      }),
      { numRuns: 10 },
    );
  },
  fc.patience(60_000),
);

it.each(backends.flatMap((backend) => [[backend, 0] as const, [backend, 1 << 20] as const]))(
  'bytes wait unharmed for a reader that has stopped: %s, with a buffer limit of %d',
  async (backend, bufferLimit) => {
    const plan = {
      bytes: 16 << 20,
      sizes: [1 << 20],
      treatments: [Treatment.Pass],
      bufferLimit,
      slowness: 20,
      seed: 7,
    };
    await Promise.all([relay(grounds[backend]!, plan), relay(grounds[backend]!, plan)]);
  },
  60_000,
);

it
  .skipIf(noRing !== '')
  .each(
    [[Treatment.Pass, Treatment.Hold], [Treatment.Split], [Treatment.Replay, Treatment.Hold], [Treatment.Copy]].flatMap(
      (treatments) => [0, 16_384, 1 << 20].map((bufferLimit) => [treatments, bufferLimit] as const),
    ),
  )(
  'what is read in bulk by io_uring arrives though its memory is used again: treatments %s, buffer limit %d',
  async (treatments, bufferLimit) => {
    const plan = { bytes: 3 << 20, sizes: [70_000, 131_072], treatments, bufferLimit, slowness: 3, seed: 11 };
    await Promise.all([relay(grounds.io_uring!, plan), relay(grounds.io_uring!, plan)]);
  },
  60_000,
);
