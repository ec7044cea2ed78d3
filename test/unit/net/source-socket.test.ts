import { closeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Address } from '../../../src/core/peer.ts';
import { loadFfi } from '../../../src/net/ffi.ts';
import type { DialOptions, ListenOptions } from '../../../src/net/network.ts';
import type { SocketOptionData } from '../../../src/net/socket-options/socket-option-data.ts';
import {
  dialsFromOwnSocket,
  listensOnOwnSocket,
  openDialingSocket,
  openListeningSocket,
} from '../../../src/net/source-socket.ts';

const loopback: Address = { kind: 'ip', host: '127.0.0.1', port: 0 };
const dialing: DialOptions = { connectTimeoutMs: 1, bufferLimit: 0, bindAddress: null, keepAliveSeconds: null };
const listening: ListenOptions = {
  reusePort: true,
  backlog: -1,
  ipv6Only: true,
  pipeMode: null,
  bufferLimit: 0,
  keepAliveSeconds: null,
};

const tcp = 6;
const userTimeout = 18;
const keepIdle = 4;
const option = (name: number, value: SocketOptionData['value'], more: Partial<SocketOptionData> = {}) => ({
  level: tcp,
  name,
  value,
  moment: 'before-bind' as const,
  family: 0 as const,
  ...more,
});

/** What the kernel says. */
function ask(fd: number, level: number, name: number): number {
  const ffi = loadFfi();
  const getsockopt = new ffi.DynamicLibrary(null).getFunction('getsockopt', {
    arguments: ['i32', 'i32', 'i32', 'u64', 'u64'],
    return: 'i32',
  }) as (...parts: (number | bigint)[]) => number;
  const memory = Buffer.alloc(8);
  memory.writeUInt32LE(4, 4);
  const at = ffi.getRawPointer(memory);
  expect(getsockopt(fd, level, name, at, at + 4n)).toBe(0);
  return memory.readInt32LE(0);
}

function using<T>(fd: number, look: (fd: number) => T): T {
  try {
    return look(fd);
  } finally {
    closeSync(fd);
  }
}

describe('a socket that dials', () => {
  it('is of its own where more is asked than node:net gives', () => {
    expect(dialsFromOwnSocket(loopback, dialing)).toBe(false);
    expect(dialsFromOwnSocket(loopback, { ...dialing, socketOptions: [] })).toBe(true);
    expect(dialsFromOwnSocket(loopback, { ...dialing, isFree: true })).toBe(true);
    expect(dialsFromOwnSocket({ kind: 'pipe', host: '/x', port: 0 }, { ...dialing, isFree: true })).toBe(false);
  });

  it('has the options that are for it', () => {
    const bytes = new Uint8Array(new Int32Array([77]).buffer);
    const socketOptions = [
      option(userTimeout, 1234),
      option(keepIdle, bytes),
      option(9999, 1, { moment: 'bound' }),
      option(9999, 1, { moment: 'listening' }),
      option(9999, 1, { family: 6 }),
    ];
    const fd = openDialingSocket(loopback, { ...dialing, socketOptions });
    expect(using(fd, (own) => [ask(own, tcp, userTimeout), ask(own, tcp, keepIdle)])).toEqual([1234, 77]);
  });

  it('is refused with an option that the kernel does not know', () => {
    expect(() => openDialingSocket(loopback, { ...dialing, socketOptions: [option(9999, 1)] })).toThrow(/setsockopt/);
  });

  it('may be bound to an address that is not there yet', () => {
    const bindAddress = { host: '192.0.2.77', port: 0 };
    expect(() => openDialingSocket(loopback, { ...dialing, bindAddress, socketOptions: [] })).toThrow(/bind/);
    using(openDialingSocket(loopback, { ...dialing, bindAddress, isFree: true }), () => {});
  });
});

describe('a socket that listens', () => {
  it('is of its own where more is asked than node:net gives', () => {
    expect(listensOnOwnSocket(listening)).toBe(false);
    expect(listensOnOwnSocket({ ...listening, socketOptions: [] })).toBe(true);
  });

  it('has the options of every moment', () => {
    const socketOptions = [
      option(userTimeout, 4321),
      option(keepIdle, 55, { moment: 'bound' }),
      option(23, 5, { moment: 'listening' }),
    ];
    const fd = openListeningSocket(loopback, { ...listening, socketOptions });
    expect(using(fd, (own) => [ask(own, tcp, userTimeout), ask(own, tcp, keepIdle), ask(own, tcp, 23)])).toEqual([
      4321, 55, 5,
    ]);
  });
});
