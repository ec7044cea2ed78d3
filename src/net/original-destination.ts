import type { Address } from '../core/peer.ts';
import { loadFfi, type Ffi } from './ffi.ts';

/** The same for IPv4 and IPv6: SO_ORIGINAL_DST, IP6T_SO_ORIGINAL_DST. */
const originalDst = 80;
const Level = { Ipv4: 0, Ipv6: 41 } as const;
const Transparent = { Ipv4: 19, Ipv6: 75 } as const;
const Family = { Ipv4: 2, Ipv6: 10 } as const;
const sockaddrBytes = 28;

/** Where connections were going before iptables sent them here. */
export interface OriginalDestinations {
  /** `local`: what the socket itself calls its address. Null: nobody has redirected it. */
  of(fd: number, local: Address): Address | null;
}

class KernelDestinations implements OriginalDestinations {
  private readonly getsockopt: (fd: number, level: number, name: number, value: bigint, size: bigint) => number;
  /** The length, and what is read. They stay where they are: V8 does not move memory outside its heap. */
  private readonly size: Uint32Array;
  private readonly value: Uint8Array;
  private readonly sizeAt: bigint;
  private readonly valueAt: bigint;

  constructor(ffi: Ffi) {
    const signature = { arguments: ['i32', 'i32', 'i32', 'u64', 'u64'], return: 'i32' };
    this.getsockopt = new ffi.DynamicLibrary(null).getFunction('getsockopt', signature as never) as never;
    this.size = new Uint32Array(new SharedArrayBuffer(4));
    this.value = new Uint8Array(new SharedArrayBuffer(sockaddrBytes));
    this.sizeAt = ffi.getRawPointer(Buffer.from(this.size.buffer));
    this.valueAt = ffi.getRawPointer(Buffer.from(this.value.buffer));
  }

  of(fd: number, local: Address): Address | null {
    if (fd < 0 || local.kind !== 'ip') return null;
    const isIpv6 = local.host.includes(':');
    // What came over IPv4 to a socket of both families has an original destination of IPv4.
    if (this.read(fd, isIpv6 ? Level.Ipv6 : Level.Ipv4, originalDst, sockaddrBytes)) return this.address();
    const option = isIpv6 ? Transparent.Ipv6 : Transparent.Ipv4;
    if (!this.read(fd, isIpv6 ? Level.Ipv6 : Level.Ipv4, option, 4) || this.value[0] === 0) return null;
    // TPROXY leaves the address as it is. Another object says that it was restored.
    return { ...local };
  }

  private read(fd: number, level: number, name: number, size: number): boolean {
    this.size[0] = size;
    return this.getsockopt(fd, level, name, this.valueAt, this.sizeAt) === 0;
  }

  private address(): Address | null {
    const { value } = this;
    const family = value[0] | (value[1] << 8);
    const port = (value[2] << 8) | value[3];
    if (family === Family.Ipv4) return { kind: 'ip', host: value.subarray(4, 8).join('.'), port };
    if (family !== Family.Ipv6) return null;
    const groups = Array.from({ length: 8 }, (_, i) => ((value[8 + 2 * i] << 8) | value[9 + 2 * i]).toString(16));
    return { kind: 'ip', host: new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1), port };
  }
}

let opened: OriginalDestinations | null = null;

/** Opened at the first use. Throws where Node has no FFI. */
export function openOriginalDestinations(): OriginalDestinations {
  opened ??= new KernelDestinations(loadFfi());
  return opened;
}
