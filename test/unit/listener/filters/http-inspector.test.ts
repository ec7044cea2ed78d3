import { expect, it } from 'vitest';
import { HttpInspector } from '../../../../src/listener/filters/http-inspector/http-inspector.ts';
import { RecordingStats } from '../../cluster/recording-stats.ts';
import { Look } from './look.ts';

const stats = new RecordingStats();
const filter = new HttpInspector(stats);

it.each([
  ['GET / HTTP/1.1\r\n', ['http/1.1']],
  ['FOO / HTTP/1.0\n', ['http/1.0']],
  ['GET /\r\n', ['http/1.0']],
  ['GET / HTTP/3.0\r\n', ['http/1.0']],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore', ['h2c']],
  ['PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', ['http/1.0']],
  ['EHLO you\r\n', []],
  ['\x16\x03\x01', []],
  ['\r\nGET / HTTP/1.1\r\n', []],
])('%j is %j', (text, protocols) => {
  const look = new Look(filter);
  expect(look.give(text)).toBe('continue');
  expect(look.peer.applicationProtocols).toEqual(protocols);
});

it('waits for the end of the line, and for all of a preface', () => {
  const look = new Look(filter);
  expect(['', 'P', 'RI * HTTP/2.0\r\n\r\nSM', '\r\n\r'].map((piece) => look.give(piece))).toEqual(
    Array(4).fill('more'),
  );
  expect(look.give('\n')).toBe('continue');
  const other = new Look(filter);
  expect(['G', 'ET / HTTP', '/1.1\r'].map((piece) => other.give(piece))).toEqual(Array(3).fill('more'));
  expect(other.progress).toBe(15);
  expect(other.give('\n')).toBe('continue');
});

it('closes a line that does not end', () => {
  const look = new Look(filter);
  expect(look.give(`GET /${'a'.repeat(60_000)}`)).toBe('more');
  expect(look.give('a'.repeat(6000))).toBe('close');
  expect(new Look(filter).give(`GET /${'a'.repeat(66_000)} HTTP/1.1\r\n`)).toBe('close');
});

it('does not look into TLS', () => {
  const look = new Look(filter);
  look.peer.transportProtocol = 'tls';
  expect(look.give('GET / HTTP/1.1\r\n')).toBe('continue');
  expect(look.peer.applicationProtocols).toEqual([]);
});

it('counts what it has found', () => {
  expect(stats.read('http_inspector.')).toEqual({
    http10_found: 4,
    http11_found: 2,
    http2_found: 2,
    http_not_found: 3,
    read_error: 2,
  });
});
