import { expect, test } from 'vitest';
import { readSession, writeSession } from '../../../../src/filter/stateful-session/session-cookie.ts';

/** As Envoy 1.39.3 wrote it. */
const written = 'Cg8xMjcuMC4wLjE6MTk4NzEQhMyH2AY=';
const expires = 1_795_286_532;

test('a session is written as Envoy writes it', () => {
  expect(writeSession('127.0.0.1:19871', expires)).toBe(written);
});

test('and read until it is over', () => {
  expect(readSession(written, expires)).toBe('127.0.0.1:19871');
  expect(readSession(written, expires + 1)).toBeNull();
  expect(readSession(writeSession('[::1]:80', 0), expires)).toBe('[::1]:80');
});

test('what is no message is an address, and nothing is nobody', () => {
  expect(readSession(Buffer.from('127.0.0.1:1').toString('base64'), 0)).toBe('127.0.0.1:1');
  expect(readSession('', 0)).toBeNull();
});
