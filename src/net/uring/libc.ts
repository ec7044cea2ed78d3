import { loadFfi, type Ffi } from '../ffi.ts';

export const Protection = { ReadWrite: 3 } as const;
export const MapFlag = { PrivateAnonymous: 0x22, SharedPopulate: 0x8001 } as const;

/** The functions of the C library that io_uring needs beside the ring. Addresses are bigints, results as in C. */
export interface Libc {
  mmap(at: bigint, size: bigint, protection: number, flags: number, fd: number, offset: bigint): bigint;
  munmap(at: bigint, size: bigint): number;
  syscall2(number: number, a: number, b: bigint): number;
  syscall4(number: number, a: number, b: number, c: bigint, d: number): number;
  /** io_uring_enter: number, ring, to submit, to wait for, flags, argument, its size. */
  readonly enter: (
    number: number,
    fd: number,
    submit: number,
    wait: number,
    flags: number,
    argument: bigint,
    size: bigint,
  ) => number;
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: bigint, size: number): number;
  listen(fd: number, backlog: number): number;
  setsockopt(fd: number, level: number, name: number, value: bigint, size: number): number;
  getsockname(fd: number, address: bigint, size: bigint): number;
  getpeername(fd: number, address: bigint, size: bigint): number;
  shutdown(fd: number, how: number): number;
  setns(fd: number, kind: number): number;
  close(fd: number): number;
  recv(fd: number, into: bigint, size: bigint, flags: number): number;
  sendmsg(fd: number, message: bigint, flags: number): number;
  inet_pton(family: number, text: string, into: bigint): number;
  inet_ntop(family: number, from: bigint, into: bigint, size: number): bigint;
  /** Of the last call that failed. */
  errno(): number;
  backendFd(loop: bigint): number;
  /** The memory at an address, not a copy. */
  view(address: bigint, size: number): ArrayBuffer;
  /** Where a buffer's bytes are. They stay there: V8 does not move memory outside its heap. */
  addressOf(buffer: Uint8Array): bigint;
  currentLoop(): bigint;
}

const signatures = {
  mmap: ['u64 u64 i32 i32 i32 i64', 'u64'],
  munmap: ['u64 u64', 'i32'],
  socket: ['i32 i32 i32', 'i32'],
  bind: ['i32 u64 u32', 'i32'],
  listen: ['i32 i32', 'i32'],
  setsockopt: ['i32 i32 i32 u64 u32', 'i32'],
  getsockname: ['i32 u64 u64', 'i32'],
  getpeername: ['i32 u64 u64', 'i32'],
  shutdown: ['i32 i32', 'i32'],
  setns: ['i32 i32', 'i32'],
  close: ['i32', 'i32'],
  recv: ['i32 u64 u64 i32', 'i32'],
  sendmsg: ['i32 u64 i32', 'i32'],
  inet_pton: ['i32 string u64', 'i32'],
  inet_ntop: ['i32 u64 u64 u32', 'u64'],
} as const;

function open(): Libc {
  const ffi = loadFfi();
  const functions: Record<string, unknown> = {};
  const bound = (symbol: string, signature: readonly [string, string]): unknown =>
    // One library object for each: a symbol is bound to one signature, and `syscall` has several.
    new ffi.DynamicLibrary(null).getFunction(symbol, {
      arguments: signature[0] === '' ? [] : signature[0].split(' '),
      return: signature[1],
    } as Parameters<InstanceType<Ffi['DynamicLibrary']>['getFunction']>[1]);
  for (const [name, signature] of Object.entries(signatures)) functions[name] = bound(name, signature);
  functions.syscall2 = bound('syscall', ['i32 i32 u64', 'i32']);
  functions.syscall4 = bound('syscall', ['i32 i32 i32 u64 i32', 'i32']);
  functions.enter = bound('syscall', ['i32 i32 i32 i32 i32 u64 u64', 'i32']);
  const errno = bound('__errno_location', ['', 'u64']) as () => bigint;
  const lastError = new Int32Array(ffi.toArrayBuffer(errno(), 4, false));
  functions.errno = () => lastError[0];
  functions.backendFd = bound('uv_backend_fd', ['u64', 'i32']);
  functions.view = (address: bigint, size: number) => ffi.toArrayBuffer(address, size, false);
  functions.addressOf = (buffer: Uint8Array) => ffi.getRawPointer(buffer);
  functions.currentLoop = () => (ffi as unknown as { getCurrentEventLoop(): bigint }).getCurrentEventLoop();
  return functions as unknown as Libc;
}

let opened: Libc | null = null;

/** Opened at the first use: a process that never asks for a ring does not load the FFI. Throws where Node has none. */
export function openLibc(): Libc {
  opened ??= open();
  return opened;
}
