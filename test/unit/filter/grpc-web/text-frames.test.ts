import { expect, test } from 'vitest';
import { TextFrames } from '../../../../src/filter/grpc-web/text-frames.ts';
import * as fc from '../../../property/chance.ts';

function frame(message: Uint8Array, flags = 0): Buffer {
  return Buffer.concat([Buffer.from([flags, 0, 0, message.length >>> 8, message.length & 255]), message]);
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const ascii = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

test('every frame ends with its padding, however the body is split', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.array(fc.nat({ max: 12 })), (messages, cuts) => {
      const frames = messages.map((message) => frame(message));
      const body = Buffer.concat(frames);
      const encoder = new TextFrames();
      let text = '';
      let at = 0;
      for (const size of [...cuts, body.length]) {
        text += ascii(encoder.encode(body.subarray(at, at + size)));
        at += size;
      }
      expect(text).toBe(frames.map(base64).join(''));
    }),
  );
});

test('a frame with other flags passes as it is', () => {
  const frames = [frame(Buffer.from('a')), frame(Buffer.from('grpc-status:0\r\n'), 0x80)];
  expect(ascii(new TextFrames().encode(Buffer.concat(frames)))).toBe(frames.map(base64).join(''));
});

test('what is left of a broken frame is in front of the last one', () => {
  const encoder = new TextFrames();
  const last = Buffer.from('last');
  const broken = frame(Buffer.from('abcdef')).subarray(0, 7);
  expect(ascii(encoder.encode(broken)) + ascii(encoder.finish(last))).toBe(base64(broken) + base64(last));
});
