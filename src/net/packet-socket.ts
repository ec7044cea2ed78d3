import { closeSync } from 'node:fs';
import { loadFfi, type Ffi } from './ffi.ts';
import { NativeMemory } from './uring/native-memory.ts';
import { SystemCallError } from './uring/system-call-error.ts';

const unixFamily = 1;
/** SOCK_SEQPACKET, SOCK_NONBLOCK, SOCK_CLOEXEC. */
const packetSocket = 5 | 0o4000 | 0o2_000_000;
const MessageFlag = { Truncated: 0x20, ControlTruncated: 0x8, DontWait: 0x40, NoSignal: 0x4000 };
const closeOnExec = 0x4000_0000;
const Control = { SocketLevel: 1, Rights: 1, headBytes: 16 } as const;
const pollReadable = 1;
const pollHandleType = 8;
const tryAgain = 11;

/** Where the parts of a message lie in memory: struct msghdr, iovec, the data, the control data. */
const At = { message: 0, vector: 64, control: 128, data: 1024 } as const;
const controlBytes = 512;
const pathMax = 107;

type Call = (...parameters: readonly (number | bigint)[]) => number;

interface Calls {
  socket: Call;
  connect: Call;
  send: Call;
  recvmsg: Call;
  uv_poll_init: Call;
  uv_poll_start: Call;
  uv_poll_stop: Call;
  uv_close: Call;
  uv_handle_size: (type: number) => bigint;
  errno(): number;
  loop(): bigint;
  callback(run: () => void): bigint;
}

/** One packet, and the descriptors that came with it: who gets it closes them. */
export interface Packet {
  readonly bytes: Uint8Array;
  readonly descriptors: readonly number[];
}

/** Who hears of packets. */
export interface PacketListener {
  onPacket(packet: Packet): void;
  /** The other end is gone, or the socket is broken; always last. */
  onEnded(reason: string): void;
}

/**
 * A client's end of a Unix socket of type SOCK_SEQPACKET, which `node:net` has not: packets that may carry descriptors.
 * libuv watches it; its calls are non-blocking.
 */
export class PacketSocket {
  private readonly calls: Calls;
  private readonly fd: number;
  private readonly packetMax: number;
  private readonly memory: NativeMemory;
  private readonly handle: NativeMemory;
  private readonly listener: PacketListener;
  private isAsked: boolean;
  private isClosed: boolean;

  /** @param packetMax bytes of the longest packet. Throws SystemCallError where nobody is there. */
  constructor(path: string, packetMax: number, listener: PacketListener) {
    this.calls = openCalls();
    this.packetMax = packetMax;
    this.listener = listener;
    this.memory = new NativeMemory(pageOf(At.data + packetMax + 1));
    this.handle = new NativeMemory(pageOf(Number(this.calls.uv_handle_size(pollHandleType))));
    this.isAsked = false;
    this.isClosed = false;
    this.fd = this.checked('socket', this.calls.socket(unixFamily, packetSocket, 0));
    try {
      this.connect(path);
    } catch (error) {
      closeSync(this.fd);
      throw error;
    }
    this.watch();
  }

  /** Throws SystemCallError. */
  send(packet: Uint8Array): void {
    this.memory.bytes.set(packet, At.data);
    const flags = MessageFlag.DontWait | MessageFlag.NoSignal;
    this.checked('send', this.calls.send(this.fd, this.memory.addressOf(At.data), BigInt(packet.length), flags));
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.calls.uv_poll_stop(this.handle.address);
    this.calls.uv_close(this.handle.address, 0n);
    closeSync(this.fd);
    // libuv reads it until its next round.
    closing.add(this.handle);
    setImmediate(() => setImmediate(() => closing.delete(this.handle)));
  }

  private connect(path: string): void {
    const { bytes } = this.memory;
    if (Buffer.byteLength(path) > pathMax) throw new SystemCallError('connect', 36);
    bytes.fill(0, At.control, At.control + 110);
    bytes.writeUInt16LE(unixFamily, At.control);
    bytes.write(path, At.control + 2);
    this.checked('connect', this.calls.connect(this.fd, this.memory.addressOf(At.control), 110));
  }

  private watch(): void {
    const { calls, handle } = this;
    calls.uv_poll_init(calls.loop(), handle.address, this.fd);
    // Nothing may be thrown through libuv's frames, and Node wants to be entered as it is used to.
    const readable = calls.callback(() => {
      if (this.isAsked || this.isClosed) return;
      this.isAsked = true;
      setImmediate(() => this.read());
    });
    calls.uv_poll_start(handle.address, pollReadable, readable);
  }

  private read(): void {
    this.isAsked = false;
    while (!this.isClosed) {
      const size = this.receive();
      if (size < 0) {
        const errno = this.calls.errno();
        if (errno !== tryAgain) this.end(new SystemCallError('recvmsg', errno).message);
        return;
      }
      if (size === 0) {
        this.end('the other end has closed it');
        return;
      }
      this.deliver(size);
    }
  }

  private receive(): number {
    const { memory, packetMax } = this;
    const { bytes } = memory;
    bytes.fill(0, At.message, At.vector);
    bytes.writeBigUInt64LE(memory.addressOf(At.vector), At.message + 16);
    bytes.writeBigUInt64LE(1n, At.message + 24);
    bytes.writeBigUInt64LE(memory.addressOf(At.control), At.message + 32);
    bytes.writeBigUInt64LE(BigInt(controlBytes), At.message + 40);
    bytes.writeBigUInt64LE(memory.addressOf(At.data), At.vector);
    bytes.writeBigUInt64LE(BigInt(packetMax + 1), At.vector + 8);
    return this.calls.recvmsg(this.fd, memory.addressOf(At.message), MessageFlag.DontWait | closeOnExec);
  }

  private deliver(size: number): void {
    const { bytes } = this.memory;
    const flags = bytes.readInt32LE(At.message + 48);
    const descriptors = this.descriptors();
    if (size > this.packetMax || (flags & (MessageFlag.Truncated | MessageFlag.ControlTruncated)) !== 0) {
      for (const fd of descriptors) closeSync(fd);
      this.end('a packet is too large');
      return;
    }
    this.listener.onPacket({ bytes: new Uint8Array(bytes.subarray(At.data, At.data + size)), descriptors });
  }

  /** Of all control messages. */
  private descriptors(): number[] {
    const { bytes } = this.memory;
    const end = At.control + Number(bytes.readBigUInt64LE(At.message + 40));
    const found: number[] = [];
    for (let at: number = At.control; at + Control.headBytes <= end;) {
      const length = Number(bytes.readBigUInt64LE(at));
      if (length < Control.headBytes || at + length > end) break;
      if (bytes.readInt32LE(at + 8) === Control.SocketLevel && bytes.readInt32LE(at + 12) === Control.Rights)
        for (let fd = at + Control.headBytes; fd + 4 <= at + length; fd += 4) found.push(bytes.readInt32LE(fd));
      at += (length + 7) & ~7;
    }
    return found;
  }

  private end(reason: string): void {
    this.close();
    this.listener.onEnded(reason);
  }

  private checked(what: string, result: number): number {
    if (result < 0) throw new SystemCallError(what, this.calls.errno());
    return result;
  }
}

function pageOf(size: number): number {
  return Math.ceil(size / 4096) * 4096;
}

/** Memory of handles that libuv has not let go yet. */
const closing = new Set<NativeMemory>();

let opened: Calls | null = null;

function openCalls(): Calls {
  opened ??= open();
  return opened;
}

function open(): Calls {
  const ffi = loadFfi();
  const library = new ffi.DynamicLibrary(null);
  const bind = (name: string, parameters: string, result: string): unknown =>
    library.getFunction(name, {
      arguments: parameters === '' ? [] : parameters.split(' '),
      return: result,
    } as Parameters<InstanceType<Ffi['DynamicLibrary']>['getFunction']>[1]);
  const errnoAt = (bind('__errno_location', '', 'u64') as () => bigint)();
  const errno = new Int32Array(ffi.toArrayBuffer(errnoAt, 4, false));
  return {
    socket: bind('socket', 'i32 i32 i32', 'i32'),
    connect: bind('connect', 'i32 u64 u32', 'i32'),
    send: bind('send', 'i32 u64 u64 i32', 'i32'),
    recvmsg: bind('recvmsg', 'i32 u64 i32', 'i32'),
    uv_poll_init: bind('uv_poll_init', 'u64 u64 i32', 'i32'),
    uv_poll_start: bind('uv_poll_start', 'u64 i32 u64', 'i32'),
    uv_poll_stop: bind('uv_poll_stop', 'u64', 'i32'),
    uv_close: bind('uv_close', 'u64 u64', 'void'),
    uv_handle_size: bind('uv_handle_size', 'i32', 'u64'),
    errno: () => errno[0],
    loop: () => (ffi as unknown as { getCurrentEventLoop(): bigint }).getCurrentEventLoop(),
    callback: (run: () => void) =>
      library.registerCallback(
        { arguments: ['u64', 'i32', 'i32'], return: 'void' } as Parameters<typeof library.registerCallback>[0],
        run as never,
      ),
  } as unknown as Calls;
}
