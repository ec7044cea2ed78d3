import { expect, test } from 'vitest';
import { FieldName, fieldNames } from '../../../../src/codec/h1/field-names.ts';
import { Failed, FieldScanner, Incomplete, NoName } from '../../../../src/codec/h1/field-scanner.ts';
import { Headers } from '../../../../src/core/headers.ts';

const scanner = new FieldScanner();

function scan(text: string, countMax = 100): number {
  const bytes = Buffer.from(text, 'latin1');
  return scanner.scan(bytes, 0, bytes.length, countMax);
}

function fill(text: string, except: number = NoName): [string, string][] {
  const headers = new Headers();
  scanner.copyTo(headers, text, 0, except);
  return headers.names.map((name, i) => [name, headers.values[i]]);
}

test('fields until the empty line', () => {
  const text = 'Host: a\r\nX-Y:\t b \r\nEmpty:\r\n\r\nrest';
  expect(scan(text)).toBe(text.length - 4);
  expect(scanner.count).toBe(3);
  expect(fill(text)).toEqual([
    ['host', 'a'],
    ['x-y', 'b'],
    ['empty', ''],
  ]);
  expect(fill(text, FieldName.Host).map(([name]) => name)).toEqual(['x-y', 'empty']);
});

test('a well-known name is the interned string', () => {
  const text = 'USER-AGENT: x\r\n\r\n';
  scan(text);
  const headers = new Headers();
  scanner.copyTo(headers, text, 0, NoName);
  expect(fieldNames).toContain(headers.names[0]);
});

test('the same fields again, in the same order, in another, and with other names between', () => {
  const orders = [
    ['host', 'user-agent', 'accept', 'te', 'cookie'],
    ['host', 'user-agent', 'accept', 'te', 'cookie'],
    ['user-agent', 'host', 'user-agens', 'accept', 'cookie', 'cookie2', 'te'],
    ['host', 'user-agent', 'x', 'accept', 'te', 'cookie'],
  ];
  for (const names of orders) {
    const text = names.map((name) => `${name.toUpperCase()}: ${name}\r\n`).join('') + '\r\n';
    expect(scan(text)).toBe(text.length);
    expect(fill(text)).toEqual(names.map((name) => [name, name]));
  }
});

test.each(Array.from({ length: 9 }, (_, at) => at))('a value has no control characters, at %i as elsewhere', (at) => {
  for (let code = 0; code < 256; code++) {
    // A line end is none of a value's.
    if (code === 10) continue;
    const value = `${'a'.repeat(at)}${String.fromCharCode(code)}${'z'.repeat(8 - at)}`;
    expect(scan(`X: ${value}\r\n\r\n`) > 0, String(code)).toBe(code === 9 || (code >= 32 && code !== 127));
  }
});

test('steering names are noticed, and their repetition', () => {
  scan('Content-Length: 5\r\nX: y\r\ncontent-length: 6\r\nHost: a\r\n\r\n');
  expect(scanner.has(FieldName.ContentLength)).toBe(true);
  expect(scanner.isRepeated(FieldName.ContentLength)).toBe(true);
  expect(scanner.has(FieldName.Host)).toBe(true);
  expect(scanner.isRepeated(FieldName.Host)).toBe(false);
  expect(scanner.has(FieldName.Upgrade)).toBe(false);
});

test('every prefix is incomplete', () => {
  const text = 'Host: a\r\nX: b\r\n c\r\n\r\n';
  for (let i = 0; i < text.length; i++) expect(scan(text.slice(0, i)), text.slice(0, i)).toBe(Incomplete);
  expect(scan(text)).toBe(text.length);
});

test.for([
  ['a fold', 'X: a\r\n b\r\n\r\n', 'a b'],
  ['a fold of several spaces', 'X: a\r\n   b\r\n\r\n', 'a   b'],
  ['a fold with a tab', 'X: a\r\n\tb\r\n\r\n', 'a\tb'],
  ['white space before a fold', 'X: a \r\n b\r\n\r\n', 'a  b'],
  ['folds by LF', 'X: a\n b\n c\n\n', 'a b c'],
  ['a fold at the start', 'X:\r\n a\r\n\r\n', 'a'],
  ['empty continuations', 'X: a\r\n \r\n\t\r\n\r\n', 'a'],
  ['obs-text at the ends', 'X: \xa0a\r\n b\xa0\r\n\r\n', '\xa0a b\xa0'],
])('%s', ([, text, value]) => {
  expect(scan(text)).toBe(text.length);
  expect(fill(text)).toEqual([['x', value]]);
});

test('a folded well-known name keeps its place', () => {
  const text = 'Transfer-Encoding:\r\n chunked\r\n\r\n';
  expect(scan(text)).toBe(text.length);
  expect(scanner.value(FieldName.TransferEncoding, text, 0)).toBe('chunked');
  expect(fill(text)).toEqual([['transfer-encoding', 'chunked']]);
});

test.for([
  ['no colon', 'X\r\n\r\n', 'http1.codec_error'],
  ['empty name', ': y\r\n\r\n', 'http1.codec_error'],
  ['space before the colon', 'X : y\r\n\r\n', 'http1.codec_error'],
  ['separator in a name', 'X(: y\r\n\r\n', 'http1.codec_error'],
  ['obs-text in a name', 'X\xe4: y\r\n\r\n', 'http1.codec_error'],
  ['space first', ' X: y\r\n\r\n', 'http1.codec_error'],
  ['NUL', 'X: \0\r\n\r\n', 'http1.invalid_characters'],
  ['bare CR', 'X: a\rb\r\n\r\n', 'http1.invalid_characters'],
  ['bare CR at the end', 'X: y\r\n\rX', 'http1.invalid_characters'],
  ['control character in a fold', 'X: a\r\n \x01\r\n\r\n', 'http1.invalid_characters'],
])('refused: %s', ([, text, reason]) => {
  expect(scan(text)).toBe(Failed);
  expect(scanner.failure!.kind.reason).toBe(reason);
});

test('the count is limited, and the table of fields grows up to it', () => {
  const line = 'X: y\r\n';
  expect(scan(`${line.repeat(100)}\r\n`)).toBeGreaterThan(0);
  expect(scan(`${line.repeat(101)}\r\n`)).toBe(Failed);
  expect(scanner.failure!.kind.status).toBe(431);
  expect(scan(`${line.repeat(1000)}\r\n`, 1000)).toBeGreaterThan(0);
  expect(fill(`${line.repeat(1000)}\r\n`)).toHaveLength(1000);
});

test('raw names are kept where there is a place for them', () => {
  const text = 'X-CamelCase: y\r\nhost: a\r\n\r\n';
  scan(text);
  const headers = new Headers();
  headers.rawNames = [];
  scanner.copyTo(headers, text, 0, NoName);
  expect(headers.rawNames).toEqual(['X-CamelCase', 'host']);
});
