import { expect, test } from 'vitest';
import { Failed, Incomplete } from '../../../../src/codec/h1/field-scanner.ts';
import { reasonPhrase, statusLine, StatusLine } from '../../../../src/codec/h1/status-line.ts';
import { HttpVersion } from '../../../../src/core/head.ts';

const line = new StatusLine();

function scan(text: string): number {
  const bytes = Buffer.from(text, 'latin1');
  return line.scan(bytes, 0, bytes.length);
}

test.for([
  ['HTTP/1.1 200 OK\r\n', 200, HttpVersion.Http11],
  ['HTTP/1.1 204\r\n', 204, HttpVersion.Http11],
  ['HTTP/1.1 299 \r\n', 299, HttpVersion.Http11],
  ['HTTP/1.0 404 Not \xe4 Found\n', 404, HttpVersion.Http10],
  ['HTTP/1.1  200  OK\r\n', 200, HttpVersion.Http11],
  ['HTTP/1.1\t999\tX\r\n', 999, HttpVersion.Http11],
  ['HTTP/2.0 200 OK\r\n', 200, HttpVersion.Http10],
] as const)('%j', ([text, status, version]) => {
  expect(scan(text)).toBe(text.length);
  expect([line.status, line.version]).toEqual([status, version]);
  expect(scan(text.slice(0, -1))).toBe(Incomplete);
});

test.for([
  'HTTP/1.1 20 OK\r\n',
  'HTTP/1.1 2000 OK\r\n',
  'HTTP/1.1 099 X\r\n',
  'HTTP/1.1 2x0 X\r\n',
  'HTTP/1.1\r\n',
  'http/1.1 200 OK\r\n',
  'ICY 200 OK\r\n',
  'HTTP/1.1 200 a\rb\r\n',
  'HTTP/1.1 200 \0\r\n',
  '\n',
])('refused: %j', (text) => {
  expect(scan(text)).toBe(Failed);
});

test('lines of ours', () => {
  expect(statusLine(200, HttpVersion.Http11)).toBe('HTTP/1.1 200 OK');
  expect(statusLine(503, HttpVersion.Http10)).toBe('HTTP/1.0 503 Service Unavailable');
  expect(statusLine(598, HttpVersion.Http11)).toBe('HTTP/1.1 598 Unknown');
  expect(reasonPhrase(431)).toBe('Request Header Fields Too Large');
  expect(reasonPhrase(299)).toBe('Unknown');
});
