import { describe, expect, it } from 'vitest';

import { quoteJson } from '../../../../src/observe/format/byte-string.ts';
import { LineBytes, LineLiteral } from '../../../../src/observe/access-log/line-bytes.ts';

function textOf(line: LineBytes): string {
  return Buffer.from(line.bytes).toString('latin1');
}

describe('LineBytes', () => {
  it('grows with what is written', () => {
    const line = new LineBytes();
    const long = 'x'.repeat(5000);
    line.text('short');
    line.literal(new LineLiteral(long));
    line.text(long);
    expect(line.quoted(long)).toBe(true);
    expect(textOf(line)).toBe(`short${long}${long}"${long}"`);
  });

  it.each([0, 7, 10, 2147483647, 2147483648, -1, 9007199254740991])('prints %i', (value) => {
    const line = new LineBytes();
    line.number(value);
    expect(textOf(line)).toBe(String(value));
  });

  it('quotes what needs no escape, and nothing else, however long it is', () => {
    for (const filling of ['', 'a filling that is long enough']) {
      for (let code = 0; code < 256; code++) {
        const text = `${filling}${String.fromCharCode(code)}`;
        const line = new LineBytes();
        line.text('<');
        const isQuoted = line.quoted(text);
        expect(isQuoted).toBe(code < 0x7f && quoteJson(text) === `"${text}"`);
        expect(textOf(line)).toBe(isQuoted ? `<"${text}"` : '<');
      }
    }
  });
});
