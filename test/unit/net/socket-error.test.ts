import { expect, it } from 'vitest';
import { ClosedByPeer, LocalConnectionFailure, RemoteConnectionFailure } from '../../../src/core/failures.ts';
import { boundTo, brokenConnection, dialFailure, errorText } from '../../../src/net/socket-error.ts';

function error(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });
}

it("uses the C library's words, and Node's where it has none", () => {
  expect(errorText(error('ECONNREFUSED'))).toBe('Connection refused');
  expect(errorText(error('EODD'))).toBe('connect EODD 127.0.0.1:1');
});

it.each([
  ['ECONNREFUSED', RemoteConnectionFailure, 'Connection refused'],
  ['EHOSTUNREACH', RemoteConnectionFailure, 'No route to host'],
  ['EADDRNOTAVAIL', LocalConnectionFailure, 'Cannot assign requested address'],
  ['EMFILE', LocalConnectionFailure, 'Too many open files'],
])('a dial that fails with %s says whose fault it is', (code, kind, text) => {
  expect(dialFailure(error(code), null)).toMatchObject({ kind: kind.kind, detail: `delayed connect error: ${text}` });
  const unbound = Object.assign(error(code), { syscall: 'bind' });
  expect(dialFailure(unbound, { host: '192.0.2.1', port: 0 }).detail).toBe(`failed to bind to 192.0.2.1:0: ${text}`);
  expect(dialFailure(unbound, { host: '2001:db8::1', port: 7 }).detail).toBe(
    `failed to bind to [2001:db8::1]:7: ${text}`,
  );
});

it('a connection that breaks was closed by its peer', () => {
  expect(brokenConnection(error('ECONNRESET'))).toMatchObject({
    kind: ClosedByPeer.kind,
    detail: 'Connection reset by peer',
  });
});

it('says nothing of an option that the kernel does not grant', () => {
  expect(dialFailure(Object.assign(error('EPERM'), { syscall: 'setsockopt' }), null)).toBe(LocalConnectionFailure);
});

it('names the address of another where a connection leaves from that', () => {
  const bindAddress = { host: '127.0.0.1', port: 5 };
  const options = { connectTimeoutMs: 1, bufferLimit: 1, bindAddress, keepAliveSeconds: null };
  expect(boundTo(options)).toBe(bindAddress);
  expect(boundTo({ ...options, source: { host: '192.0.2.1', mark: 1 } })).toEqual({ host: '192.0.2.1', port: 0 });
});
