import { expect, test } from 'vitest';
import { Incomplete } from '../../../../src/codec/h1/field-scanner.ts';
import { HeadBuffer } from '../../../../src/codec/h1/head-buffer.ts';

test.for(['a\r\n\r\n', 'a\n\n', 'a\r\n\n', 'a\n\r\n'])('the end of %j is found byte by byte', (text) => {
  const bytes = Buffer.from(text);
  const buffer = new HeadBuffer(1);
  for (let i = 0; i < bytes.length; i++) {
    const scannedTo = buffer.length;
    buffer.append(bytes, i, i + 1);
    expect(buffer.findEnd(scannedTo)).toBe(i === bytes.length - 1 ? bytes.length : Incomplete);
  }
  expect(Buffer.from(buffer.bytes.subarray(0, buffer.length)).toString()).toBe(text);
});

test.for(['a\r\r\n', 'a\n\r\r\n', 'a\r\nb\r\n', 'ab'])('%j has no end', (text) => {
  const buffer = new HeadBuffer(4);
  buffer.append(Buffer.from(text), 0, text.length);
  expect(buffer.findEnd(0)).toBe(Incomplete);
});
