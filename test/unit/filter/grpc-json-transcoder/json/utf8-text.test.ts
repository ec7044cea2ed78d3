import { expect, test } from 'vitest';
import { Utf8Text } from '../../../../../src/filter/grpc-json-transcoder/json/utf8-text.ts';

function decode(...chunks: readonly (string | readonly number[])[]): { text: string; broken: string | null } {
  const decoder = new Utf8Text();
  let text = '';
  for (const chunk of chunks)
    text += decoder.decode(typeof chunk === 'string' ? Buffer.from(chunk) : new Uint8Array(chunk));
  decoder.finish();
  return { text, broken: decoder.broken };
}

test('characters may be cut anywhere', () => {
  const bytes = [...Buffer.from('aé€😀b')];
  for (let cut = 0; cut <= bytes.length; cut++)
    expect(decode(bytes.slice(0, cut), bytes.slice(cut))).toEqual({ text: 'aé€😀b', broken: null });
  expect(decode(...bytes.map((byte) => [byte]))).toEqual({ text: 'aé€😀b', broken: null });
});

test('a byte order mark is a character', () => {
  expect(decode([0xef, 0xbb, 0xbf, 0x7b]).text).toBe('\ufeff{');
});

test.each([
  [[[0x61, 0xff, 0x62]], 'a', '\xffb'],
  [[[0x61, 0xc3], [0x28]], 'a', '\xc3('],
  [[[0x61, 0xe2, 0x82]], 'a', '\xe2\x82'],
  [[[0xc3, 0xa9, 0x80, 0x41]], 'é', '\x80A'],
  [[[0xed, 0xa0, 0x80]], '', '\xed\xa0\x80'],
  [[[0xc0, 0x80]], '', '\xc0\x80'],
  [[[0xf5, 0x80, 0x80, 0x80]], '', '\xf5\x80\x80\x80'],
] as const)('what is not UTF-8: %j', (chunks, text, broken) => {
  expect(decode(...chunks)).toEqual({ text, broken });
});
