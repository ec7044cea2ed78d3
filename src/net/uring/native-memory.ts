import { openLibc, MapFlag, Protection } from './libc.ts';
import { SystemCallError } from './system-call-error.ts';

/**
 * Memory of the operating system's, seen through typed arrays: what is handed to system calls by address must not move.
 * An address travels as a bigint to functions, and as two 32-bit halves into structures.
 */
export class NativeMemory {
  readonly address: bigint;
  readonly size: number;
  readonly bytes: Buffer;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly u16: Uint16Array;

  /** `fd` and `offset`: what is mapped; -1: fresh memory, filled with zeros as it is touched. */
  constructor(size: number, fd = -1, offset = 0) {
    const libc = openLibc();
    const isAnonymous = fd < 0;
    this.address = libc.mmap(
      0n,
      BigInt(size),
      Protection.ReadWrite,
      isAnonymous ? MapFlag.PrivateAnonymous : MapFlag.SharedPopulate,
      fd,
      BigInt(offset),
    );
    if (BigInt.asIntN(64, this.address) === -1n) throw new SystemCallError('mmap', libc.errno());
    const buffer = libc.view(this.address, size);
    this.size = size;
    this.bytes = Buffer.from(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u16 = new Uint16Array(buffer);
  }

  addressOf(offset: number): bigint {
    return this.address + BigInt(offset);
  }
}

/** Lower half of an address, as structures want it. */
export function lowHalf(address: bigint): number {
  return Number(address & 0xffff_ffffn);
}

export function highHalf(address: bigint): number {
  return Number(address >> 32n);
}
