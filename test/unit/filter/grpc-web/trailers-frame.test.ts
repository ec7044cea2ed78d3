import { expect, test } from 'vitest';
import { Headers } from '../../../../src/core/headers.ts';
import { trailersFrame } from '../../../../src/filter/grpc-web/trailers-frame.ts';

test('fields as lines, behind a flag and their length', () => {
  const frame = trailersFrame(Headers.of(['grpc-status', '0'], ['x-a', '1'], ['x-a', '\xff']));
  expect(Buffer.from(frame).toString('latin1')).toBe('\x80\0\0\0\x1dgrpc-status:0\r\nx-a:1\r\nx-a:\xff\r\n');
  expect([...trailersFrame(new Headers())]).toEqual([128, 0, 0, 0, 0]);
});
