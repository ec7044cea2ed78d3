import { describe, expect, it } from 'vitest';
import { grpcTimeoutText } from '../../../../src/cluster/grpc/grpc-timeout.ts';
import { frameMessage } from '../../../../src/cluster/grpc/message-frame.ts';
import { MessageFault, MessageReader } from '../../../../src/cluster/grpc/message-reader.ts';
import * as fc from '../../../property/chance.ts';

describe('messages', () => {
  it('come out as they went in, however they are cut', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 9 }));
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), cuts, (messages, sizes) => {
        const found: Uint8Array[] = [];
        const reader = new MessageReader(300, { onFramedMessage: (message) => found.push(message) });
        const body = Buffer.concat(messages.map(frameMessage));
        let at = 0;
        for (const size of [...sizes, body.length]) {
          expect(reader.read(body.subarray(at, at + size))).toBe(MessageFault.None);
          at += size;
        }
        expect(found.map((message) => [...message])).toEqual(messages.map((message) => [...message]));
        expect(reader.isInside).toBe(false);
      }),
    );
  });

  it('are refused by their head', () => {
    const reader = (): MessageReader => new MessageReader(4, { onFramedMessage: () => {} });
    expect(reader().read(Buffer.of(0, 0, 0, 0, 5))).toBe(MessageFault.TooLarge);
    expect(reader().read(Buffer.of(0, 255, 255, 255, 255))).toBe(MessageFault.TooLarge);
    expect(reader().read(Buffer.of(1, 0, 0, 0, 1))).toBe(MessageFault.Compressed);
    expect(reader().read(Buffer.of(0, 0, 0, 0, 4))).toBe(MessageFault.None);
  });
});

describe('grpc-timeout', () => {
  it.each([
    [1, '1m'],
    [1.2, '2m'],
    [99_999_999, '99999999m'],
    [100_000_000, '100000S'],
    [99_999_999_001, '1666667M'],
    [1e15, '99999999H'],
  ])('of %d ms is %s', (ms, text) => {
    expect(grpcTimeoutText(ms)).toBe(text);
  });
});
