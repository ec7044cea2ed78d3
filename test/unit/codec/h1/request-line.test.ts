import { expect, test } from 'vitest';
import { Failed, Incomplete, scanner } from '../../../../src/codec/h1/field-scanner.ts';
import { RequestLine } from '../../../../src/codec/h1/request-line.ts';
import { HttpVersion } from '../../../../src/core/head.ts';

const line = new RequestLine();

function scan(text: string, allowCustomMethods = false): number {
  const bytes = Buffer.from(text, 'latin1');
  return line.scan(bytes, 0, bytes.length, allowCustomMethods);
}

function target(text: string): string {
  return text.slice(line.targetStart, line.targetEnd);
}

test.for(['GET', 'PUT', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'PURGE'])('%s', (method) => {
  const text = `${method} /x?y HTTP/1.1\r\n`;
  expect(scan(text)).toBe(text.length);
  expect([line.method, target(text), line.version]).toEqual([method, '/x?y', HttpVersion.Http11]);
});

test.for([
  ['several spaces', 'GET   /x   HTTP/1.1\r\n'],
  ['tabs', 'GET\t/x\t HTTP/1.1\r\n'],
  ['white space at the end', 'GET /x HTTP/1.1 \t\r\n'],
  ['LF', 'GET /x HTTP/1.1\n'],
])('%s', ([, text]) => {
  expect(scan(text)).toBe(text.length);
  expect([line.method, target(text), line.version]).toEqual(['GET', '/x', HttpVersion.Http11]);
});

test('a target that looks like the method', () => {
  const text = 'GET  GET://a/ HTTP/1.0\r\n';
  expect(scan(text)).toBe(text.length);
  expect([target(text), line.version]).toEqual(['GET://a/', HttpVersion.Http10]);
});

test('every prefix is incomplete', () => {
  for (const text of ['GET /x HTTP/1.1\r\n', 'GET  /x  HTTP/1.0\r\n', 'get / HTTP/1.1\r\n'])
    for (let i = 1; i < text.length; i++) expect(scan(text.slice(0, i)), text.slice(0, i)).toBe(Incomplete);
});

test.for([
  ['lower-case method', 'get / HTTP/1.1\r\n', 'http1.codec_error'],
  ['no target', 'GET HTTP/1.1\r\n', 'http1.codec_error'],
  ['empty target', 'GET  HTTP/1.1\r\n', 'http1.codec_error'],
  ['no version', 'GET /\r\n', 'low_version'],
  ['more words', 'GET / HTTP/1.1 x\r\n', 'http1.codec_error'],
  ['invalid version', 'GET / HTTP/1.11\r\n', 'http1.codec_error'],
  ['bare CR', 'GET / \rHTTP/1.1\r\n', 'http1.invalid_characters'],
  ['NUL', 'GET /\0 HTTP/1.1\r\n', 'http1.invalid_characters'],
  ['obs-text', 'GET /\xe4 HTTP/1.1\r\n', 'http1.codec_error'],
])('refused: %s', ([, text, reason]) => {
  expect(scan(text)).toBe(Failed);
  expect(scanner.failure!.kind.reason).toBe(reason);
});

test('custom methods where they are allowed', () => {
  expect(scan('brew / HTTP/1.1\r\n', true)).toBeGreaterThan(0);
  expect(line.method).toBe('brew');
  expect(scan('br(w / HTTP/1.1\r\n', true)).toBe(Failed);
});

test('a long run of white space is read in linear time', () => {
  // Quadratic, this would be some 10^10 steps.
  expect(scan(`GET /${' '.repeat(100_000)}x HTTP/1.1\r\n`)).toBe(Failed);
  expect(scan(`GET ${' '.repeat(100_000)}/${'\t'.repeat(100_000)} HTTP/1.1${' '.repeat(100_000)}\n`)).toBeGreaterThan(
    0,
  );
});
