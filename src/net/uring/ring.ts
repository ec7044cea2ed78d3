import type { MappedArea } from './descriptor-table.ts';
import { openLibc, type Libc } from './libc.ts';
import { highHalf, lowHalf, NativeMemory } from './native-memory.ts';
import { SystemCallError } from './system-call-error.ts';

/** Numbers of io_uring's system calls: the same on every architecture. */
const setupCall = 425;
const enterCall = 426;
const registerCall = 427;

const SetupFlag = { CqSize: 1 << 3, Clamp: 1 << 4, SubmitAll: 1 << 7, SingleIssuer: 1 << 12, DeferTaskrun: 1 << 13 };
const setupFlags =
  SetupFlag.CqSize | SetupFlag.Clamp | SetupFlag.SubmitAll | SetupFlag.SingleIssuer | SetupFlag.DeferTaskrun;
const Feature = { SingleMmap: 1 << 0, ExtArg: 1 << 8 };
const EnterFlag = { GetEvents: 1, ExtArg: 8 };
const ringOffset = 0;
const entriesOffset = 0x1000_0000;

/** Submission entries: more than that in one turn are submitted in several calls. */
const submissionsMax = 2048;
const completionsMax = 16_384;

/** struct io_uring_getevents_arg. A whole register: where an argument goes by the stack, C reads all of it. */
const argumentBytes = 24n;

/** Completions between two looks at the clock, less one: a tenth of a millisecond's worth. */
const refreshMask = 15;

/** Operations (`IORING_OP_*`). */
export const Op = { PollAdd: 6, Accept: 13, AsyncCancel: 14, Connect: 16, Close: 19, Send: 26, Recv: 27 } as const;
/** Flags of a submission entry (`IOSQE_*`). */
export const EntryFlag = { BufferSelect: 1 << 5, SkipSuccess: 1 << 6 } as const;
/** Flags of a completion (`IORING_CQE_F_*`). */
export const CompletionFlag = { Buffer: 1, More: 2, SocketNonEmpty: 4 } as const;
/** The buffer's number stands in the upper half of a completion's flags. */
export const bufferShift = 16;

/**
 * As `what` of a request with `SkipSuccess` that the kernel does or refuses while it is handed over: a refusal is told
 * before anything else that has completed.
 */
export const ifRefused = 0x8000_0000;

/** Who asked for something. Holds its slot in the ring until everything that it asked for has completed. */
export interface RingUser {
  /** `what` as given to the ring; `result`: as the system call's, an error negative; `flags`: `CompletionFlag`s. */
  onCompletion(what: number, result: number, flags: number): void;
}

/**
 * An io_uring of one thread: requests are written into memory shared with the kernel and handed over, many at a time, by
 * the same call that waits for completions. Made for one issuer with deferred task work, so the kernel completes things
 * only while that call runs, and the shared memory needs no barriers. Needs Linux 6.1.
 * Source: io_uring_setup(2), io_uring_enter(2), include/uapi/linux/io_uring.h.
 */
export class Ring {
  readonly fd: number;
  readonly areas: readonly MappedArea[];
  /** How often everything that was requested has been handed over. */
  handOvers: number;
  private readonly libc: Libc;
  private readonly users: (RingUser | null)[];
  private readonly freeSlots: number[];
  private readonly entries: NativeMemory;
  private readonly entries32: Uint32Array;
  private readonly ring32: Uint32Array;
  private readonly ring32s: Int32Array;
  private readonly sqHeadAt: number;
  private readonly sqTailAt: number;
  private readonly cqHeadAt: number;
  private readonly cqTailAt: number;
  private readonly sqMask: number;
  private readonly cqMask: number;
  private readonly cqesAt: number;
  private tail: number;
  /** struct io_uring_getevents_arg at 0, struct timespec at 64. */
  private readonly argument: NativeMemory;
  private readonly argumentAddress: bigint;
  private readonly enterRing: Libc['enter'];

  /** Throws where the kernel is too old for it or forbids it. */
  constructor() {
    const libc = openLibc();
    const params = new NativeMemory(4096);
    params.u32[2] = setupFlags;
    params.u32[1] = completionsMax;
    const fd = libc.syscall2(setupCall, submissionsMax, params.address);
    if (fd < 0) throw new SystemCallError('io_uring_setup', libc.errno());
    if ((params.u32[5] & Feature.SingleMmap) === 0 || (params.u32[5] & Feature.ExtArg) === 0) {
      libc.close(fd);
      throw new Error('io_uring of an old kernel');
    }
    this.libc = libc;
    this.fd = fd;
    this.handOvers = 0;
    this.users = [];
    this.freeSlots = [];
    const at = (index: number): number => params.u32[index] >> 2;
    const [sqEntries, cqEntries] = [params.u32[0], params.u32[1]];
    const size = Math.max(params.u32[16] + sqEntries * 4, params.u32[25] + cqEntries * 16);
    const ring = new NativeMemory(size, fd, ringOffset);
    this.entries = new NativeMemory(sqEntries * 64, fd, entriesOffset);
    this.entries32 = this.entries.u32;
    this.areas = [ring, this.entries];
    this.ring32 = ring.u32;
    this.ring32s = ring.i32;
    this.sqHeadAt = at(10);
    this.sqTailAt = at(11);
    this.cqHeadAt = at(20);
    this.cqTailAt = at(21);
    this.sqMask = sqEntries - 1;
    this.cqMask = cqEntries - 1;
    this.cqesAt = at(25);
    for (let i = 0; i < sqEntries; i++) ring.u32[at(16) + i] = i;
    this.tail = ring.u32[this.sqTailAt];
    this.argument = new NativeMemory(4096);
    this.argumentAddress = this.argument.address;
    const spanAddress = this.argument.addressOf(64);
    this.argument.u32[4] = lowHalf(spanAddress);
    this.argument.u32[5] = highHalf(spanAddress);
    this.enterRing = libc.enter;
  }

  /** A place for one who asks: its number goes into every request. */
  enlist(user: RingUser): number {
    const slot = this.freeSlots.pop();
    if (slot === undefined) return this.users.push(user) - 1;
    this.users[slot] = user;
    return slot;
  }

  /** Nothing that it asked for is under way. */
  dismiss(slot: number): void {
    this.users[slot] = null;
    this.freeSlots.push(slot);
  }

  /**
   * Writes a request. `what`: given back with its completion, 0 for one that nobody waits for; `flagsAndPriority`: entry
   * flags in bits 8–15, ioprio in bits 16–31.
   */
  request(
    op: number,
    fd: number,
    flagsAndPriority: number,
    addressLow: number,
    addressHigh: number,
    size: number,
    opFlags: number,
    slot: number,
    what: number,
  ): void {
    this.makeRoom();
    const e = this.entries32;
    const at = (this.tail & this.sqMask) << 4;
    e[at] = op | flagsAndPriority;
    e[at + 1] = fd;
    e[at + 2] = 0;
    e[at + 3] = 0;
    e[at + 4] = addressLow;
    e[at + 5] = addressHigh;
    e[at + 6] = size;
    e[at + 7] = opFlags;
    e[at + 8] = slot;
    e[at + 9] = what;
    e[at + 10] = 0;
    e[at + 11] = 0;
    e[at + 12] = 0;
    e[at + 13] = 0;
    this.tail = (this.tail + 1) >>> 0;
  }

  /** The next request will not be what makes the ring hand over. */
  makeRoom(): void {
    if (this.pending > this.sqMask) this.handOver();
  }

  /** Of the last request: connect's address length. */
  setOffset(value: number): void {
    this.entries32[(((this.tail - 1) & this.sqMask) << 4) + 2] = value;
  }

  /** Of the last request: the group of buffers that the kernel chooses from. */
  setBufferGroup(group: number): void {
    this.entries32[(((this.tail - 1) & this.sqMask) << 4) + 10] = group;
  }

  /** Hands over what was requested, and does not look for completions. */
  handOver(): void {
    this.enterRing(enterCall, this.fd, this.publish(), 0, 0, 0n, 0n);
    this.handedOver();
  }

  /** Hands over what was requested, and waits for `atLeast` completions, `timeoutMs` at most; 0: does not wait. */
  enter(timeoutMs: number, atLeast = 1): void {
    const submit = this.publish();
    if (timeoutMs === 0) {
      this.enterRing(enterCall, this.fd, submit, 0, EnterFlag.GetEvents, 0n, 0n);
      this.handedOver();
      return;
    }
    const whole = Math.floor(timeoutMs / 1000);
    const span = this.argument.u32;
    span[16] = whole;
    span[17] = 0;
    span[18] = Math.ceil((timeoutMs - whole * 1000) * 1e6);
    span[19] = 0;
    const flags = EnterFlag.GetEvents | EnterFlag.ExtArg;
    this.enterRing(enterCall, this.fd, submit, atLeast, flags, this.argumentAddress, argumentBytes);
    this.handedOver();
  }

  /** Tells everybody what has completed; how many things. `refresh` is called every few, so that time does not stand. */
  complete(refresh: () => void): number {
    const { ring32, ring32s, cqHeadAt, cqMask, cqesAt, users } = this;
    let head = ring32[cqHeadAt];
    const tail = ring32[this.cqTailAt];
    const count = (tail - head) >>> 0;
    while (head !== tail) {
      const at = cqesAt + ((head & cqMask) << 2);
      const slot = ring32[at];
      const what = ring32[at + 1];
      const result = ring32s[at + 2];
      const flags = ring32[at + 3];
      head = (head + 1) >>> 0;
      ring32[cqHeadAt] = head;
      if (what !== 0) users[slot]!.onCompletion(what, result, flags);
      if ((head & refreshMask) === 0) refresh();
    }
    return count;
  }

  register(opcode: number, argument: bigint, count: number): void {
    if (this.libc.syscall4(registerCall, this.fd, opcode, argument, count) < 0) {
      throw new SystemCallError('io_uring_register', this.libc.errno());
    }
  }

  /** Everything that is under way is cancelled by the kernel. No method may be called after. */
  close(): void {
    this.libc.close(this.fd);
    for (const { address, size } of this.areas) this.libc.munmap(address, BigInt(size));
  }

  /** Requests that the kernel has not taken yet: it takes fewer than it is offered where it lacks memory. */
  private get pending(): number {
    return (this.tail - this.ring32[this.sqHeadAt]) >>> 0;
  }

  private handedOver(): void {
    this.tellRefusals();
    if (this.pending === 0) this.handOvers++;
  }

  private tellRefusals(): void {
    const { ring32, cqMask, cqesAt } = this;
    const tail = ring32[this.cqTailAt];
    for (let head = ring32[this.cqHeadAt]; head !== tail; head = (head + 1) >>> 0) {
      const at = cqesAt + ((head & cqMask) << 2);
      if (ring32[at + 1] !== ifRefused) continue;
      // Told now, and not again.
      ring32[at + 1] = 0;
      this.users[ring32[at]]!.onCompletion(ifRefused, this.ring32s[at + 2], ring32[at + 3]);
    }
  }

  private publish(): number {
    this.ring32[this.sqTailAt] = this.tail;
    return this.pending;
  }
}
