import { describe, expect, test } from 'vitest';
import { ConnectResponseReader, endStreamBytesMax } from '../../../../src/filter/grpc-stats/connect-response-reader.ts';
import { frame } from '../grpc/call-world.ts';

/** Reads `body` in pieces of `size`. */
function read(body: string, size = body.length): ConnectResponseReader {
  const reader = new ConnectResponseReader();
  for (let i = 0; i < body.length; i += size) reader.read(Buffer.from(body.slice(i, i + size), 'latin1'));
  return reader;
}

const long = frame(`{"a":"${'x'.repeat(70)}"}`, 2);

describe.each([1, 2, 100])('in pieces of %d', (size) => {
  test.each([
    ['an end without an error', frame('{}') + frame('{}') + frame('{"metadata":{}}', 2), 2, true],
    ['an end with one', frame('{}') + frame('{"error":{"code":"internal"}}', 2), 1, false],
    ['an end with an empty one', frame('{"error":null}', 2), 0, false],
    ['an end that is no JSON', frame('{}') + frame('{]', 2), 1, false],
    ['an end that is no object', frame('[]', 2), 0, false],
    ['an end of nothing', frame('', 2), 0, false],
    ['no end', frame('{}'), 1, false],
    ['half an end', frame('{}') + long.slice(0, 30), 1, false],
    ['messages behind the end', frame('{}', 2) + frame('{}') + frame('{"error":{}}', 2), 0, true],
    ['compressed messages', frame('x', 1) + frame('{}', 2), 1, true],
    ['bytes beyond ASCII', frame('{"metadata":{"a":["\xc3\xa9"]}}', 2), 0, true],
  ])('%s', (_, body, messages, isSuccess) => {
    const reader = read(body, size);
    expect(reader.messages).toBe(messages);
    expect(reader.isSuccess).toBe(isSuccess);
  });
});

test('an end that is too long is not kept, and a failure', () => {
  const body = `{"a":"${'x'.repeat(endStreamBytesMax)}"}`;
  const { length } = body;
  const head = String.fromCharCode(2, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255);
  expect(read(head + body, 1000).isSuccess).toBe(false);
});
