import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import type { ByteSource } from '../../../../src/core/connection.ts';
import type { CodecHost } from '../../../../src/codec/codec.ts';
import { FrameWriter } from '../../../../src/codec/h2/frame/frame-writer.ts';
import { framesOf } from '../../../wire/h2-frames.ts';

class Host implements CodecHost {
  readonly chunks: Uint8Array[] = [];
  onWrite: () => void = () => undefined;

  write(chunk: Uint8Array): boolean {
    this.chunks.push(chunk);
    this.onWrite();
    return true;
  }

  writeLatin1(): boolean {
    throw new Error('no text');
  }

  pause(): void {}

  resume(): void {}

  frames(): ReturnType<typeof framesOf> {
    return framesOf(Buffer.concat(this.chunks));
  }
}

test('small frames leave in one piece, and what has left is never written over', () => {
  const host = new Host();
  const writer = new FrameWriter(host);
  for (let i = 0; i < 5000; i++) {
    writer.windowUpdate(i, i);
    writer.data(i, Buffer.from(`number ${i}`), false);
    if (i % 10 === 9) writer.flush();
  }
  expect(host.chunks.length).toBe(500);
  const payloads = host.frames().filter(({ type }) => type === 0);
  expect(payloads.map(({ payload }) => payload.toString())).toEqual(
    Array.from({ length: 5000 }, (_, i) => `number ${i}`),
  );
});

test('frames of a turn leave in one piece where the host says when it ends', () => {
  let source: ByteSource | null = null;
  const host = Object.assign(new Host(), { flushLater: (asks: ByteSource) => (source = asks) });
  const writer = new FrameWriter(host);
  writer.flushLater();
  expect(source).toBeNull();
  for (let i = 1; i <= 3; i++) {
    writer.windowUpdate(i, i);
    writer.flushLater();
  }
  expect(host.chunks).toEqual([]);
  source!.flush();
  expect(host.chunks.length).toBe(1);
  expect(host.frames().map(({ streamId }) => streamId)).toEqual([1, 2, 3]);
});

test('two writers at the same time do not share memory', () => {
  const hosts = [new Host(), new Host()];
  const writers = hosts.map((host) => new FrameWriter(host));
  for (let i = 0; i < 100; i++)
    for (const writer of writers) writer.data(writers.indexOf(writer), Buffer.from('x'), false);
  for (const writer of writers) writer.flush();
  expect(hosts.map((host) => new Set(host.frames().map(({ streamId }) => streamId)))).toEqual([
    new Set([0]),
    new Set([1]),
  ]);
});

test('large DATA is not copied', () => {
  const host = new Host();
  const writer = new FrameWriter(host);
  const chunk = new Uint8Array(10_000);
  writer.data(1, chunk, true);
  expect(host.chunks[1]).toBe(chunk);
  expect(host.frames()).toMatchObject([{ type: 0, flags: 1, streamId: 1, payload: { length: 10_000 } }]);
});

test('what a host calls back during a frame waits for its end', () => {
  const host = new Host();
  const writer = new FrameWriter(host);
  host.onWrite = () => {
    host.onWrite = () => undefined;
    writer.data(3, new Uint8Array(9000).fill(3), true);
    writer.flush();
  };
  writer.data(1, new Uint8Array(9000).fill(1), true);
  writer.flush();
  expect(host.frames().map(({ streamId, payload }) => [streamId, payload[0], payload.length])).toEqual([
    [1, 1, 9000],
    [3, 3, 9000],
  ]);
});

test.each([1, 16_384, 16_385, 50_000, 200_000])('a header block of %i bytes in as many frames as it needs', (size) => {
  const host = new Host();
  const writer = new FrameWriter(host);
  writer.windowUpdate(0, 1);
  writer.beginHeaders();
  writer.ensure(size);
  for (let i = 0; i < size; i++) writer.bytes[writer.length + i] = i % 251;
  writer.length += size;
  const frames = writer.endHeaders(1, true, 16_384);
  writer.flush();
  const [update, first, ...rest] = host.frames();
  expect(update.type).toBe(8);
  expect(1 + rest.length).toBe(frames);
  expect([first.type, first.flags]).toEqual([1, rest.length === 0 ? 5 : 1]);
  expect(rest.map(({ type, flags }) => [type, flags])).toEqual(rest.map((_, i) => [9, i === rest.length - 1 ? 4 : 0]));
  const block = Buffer.concat([first, ...rest].map(({ payload }) => payload));
  expect(block.length).toBe(size);
  expect(block.every((byte, i) => byte === i % 251)).toBe(true);
});
