import { expect, test } from 'vitest';
import { MessageCutter } from '../../../../../src/filter/grpc-json-transcoder/response/message-cutter.ts';
import { frame } from '../exchange.ts';

test('messages are cut out of whatever chunks they come in', () => {
  const body = Buffer.concat([frame('aabb'), frame(''), frame('ccddee')]);
  for (let size = 1; size <= body.length; size++) {
    const cutter = new MessageCutter();
    const messages: string[] = [];
    for (let at = 0; at < body.length; at += size) {
      cutter.push(body.subarray(at, at + size));
      for (let next = cutter.next(); next !== null; next = cutter.next())
        messages.push(Buffer.from(next).toString('hex'));
    }
    expect(messages).toEqual(['aabb', '', 'ccddee']);
    expect(cutter.heldSize).toBe(0);
  }
});

test('what is arriving can be looked at', () => {
  const cutter = new MessageCutter();
  const body = frame('aabbcc', 1);
  cutter.push(body.subarray(0, 4));
  expect([cutter.nextFlag, cutter.nextLength]).toEqual([-1, -1]);
  cutter.push(body.subarray(4, 6));
  expect([cutter.nextFlag, cutter.nextLength, cutter.heldSize]).toEqual([1, 3, 6]);
  expect(cutter.next()).toBeNull();
});
