import { describe, expect, test } from 'vitest';
import { FrameKind, frameHeadBytes, GrpcFrameReader, writeFrameHead } from '../../../../src/filter/grpc/grpc-frames.ts';
import * as fc from '../../../property/chance.ts';

/** Writes down what it reads. */
class Witness extends GrpcFrameReader {
  readonly seen: string[] = [];
  private text = '';

  protected override onFrame(flags: number): FrameKind {
    if (flags === 255) return FrameKind.Excess;
    this.text = `${flags}:`;
    return flags < 2 ? FrameKind.Message : FrameKind.Other;
  }

  protected override onBytes(chunk: Uint8Array, start: number, end: number): void {
    this.text += Buffer.from(chunk.subarray(start, end)).toString('latin1');
  }

  protected override onFrameEnd(): void {
    this.seen.push(this.text);
  }
}

function frame(message: string, flags = 0): Uint8Array {
  const bytes = new Uint8Array(frameHeadBytes + message.length);
  writeFrameHead(bytes, flags, message.length);
  bytes.set(Buffer.from(message, 'latin1'), frameHeadBytes);
  return bytes;
}

test('a frame begins with flags and length', () => {
  expect([...frame('abc', 1)]).toEqual([1, 0, 0, 0, 3, 97, 98, 99]);
  const head = new Uint8Array(5);
  writeFrameHead(head, 0, 0x01020304);
  expect([...head]).toEqual([0, 1, 2, 3, 4]);
});

test('messages count from their first byte on', () => {
  const reader = new GrpcFrameReader();
  const body = Buffer.concat([frame('a'), frame(''), frame('bc')]);
  expect(reader.read(body.subarray(0, 7))).toBe(2);
  expect(reader.read(body.subarray(7, 11))).toBe(0);
  expect(reader.read(body.subarray(11))).toBe(1);
  expect(reader.messages).toBe(3);
  expect(reader.read(new Uint8Array(0))).toBe(0);
});

test('a length of four bytes is no negative number', () => {
  const reader = new GrpcFrameReader();
  expect(reader.read(Uint8Array.of(0, 255, 255, 255, 255, 1, 2))).toBe(1);
  expect(reader.read(new Uint8Array(100))).toBe(0);
});

describe('kinds', () => {
  test('what is no message is not counted', () => {
    const reader = new Witness();
    expect(reader.read(Buffer.concat([frame('a'), frame('end', 2)]))).toBe(1);
    expect(reader.seen).toEqual(['0:a', '2:end']);
  });

  test('behind an excess frame nothing is read', () => {
    const reader = new Witness();
    expect(reader.read(Buffer.concat([frame('a'), frame('b', 255), frame('c')]))).toBe(1);
    expect(reader.seen).toEqual(['0:a']);
  });
});

test('however a body is split', () => {
  const message = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
  fc.assert(
    fc.property(fc.array(message), fc.array(fc.nat({ max: 40 })), (messages, cuts) => {
      const body = Buffer.concat(messages.map((text) => frame(text)));
      const reader = new Witness();
      let at = 0;
      for (const size of [...cuts, body.length]) {
        reader.read(body.subarray(at, at + size));
        at += size;
      }
      expect(reader.seen).toEqual(messages.map((text) => `0:${text}`));
      expect(reader.messages).toBe(messages.length);
    }),
  );
});
