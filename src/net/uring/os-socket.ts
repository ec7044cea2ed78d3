import { isIpv6Address } from '../../core/ip-address.ts';
import type { Address, SourceAddress } from '../../core/peer.ts';
import type { DialOptions, ListenOptions, SocketPlace } from '../network.ts';
import type { SocketMoment, SocketOptionData } from '../socket-options/socket-option-data.ts';
import type { DescriptorTable } from './descriptor-table.ts';
import { openLibc, type Libc } from './libc.ts';
import { NativeMemory } from './native-memory.ts';
import { SystemCallError } from './system-call-error.ts';

const Family = { Ipv4: 2, Ipv6: 10 } as const;
const streamCloseOnExec = 1 | 0o2_000_000;
const datagramCloseOnExec = 2 | 0o2_000_000;
const Level = { Ip: 0, Socket: 1, Tcp: 6, Ipv6: 41 } as const;
const Option = {
  ReuseAddress: 2,
  KeepAlive: 9,
  Linger: 13,
  ReusePort: 15,
  Mark: 36,
  IpFreebind: 15,
  IpTransparent: 19,
  Ipv6Transparent: 75,
  Ipv6Freebind: 78,
  BindAddressNoPort: 24,
  V6Only: 26,
  NoDelay: 1,
  KeepIdle: 4,
  KeepInterval: 5,
  KeepCount: 6,
} as const;
const shutdownWrite = 1;

/** setns(2): CLONE_NEWNET. */
const newNetwork = 0x4000_0000;
const ownNamespacePath = '/proc/thread-self/ns/net';

/** Addresses that wait to be read by the kernel: as many as a ring takes requests. */
const addressSlots = 2048;
const addressSlotBytes = 64;
/** What getsockname and setsockopt read and write. */
const scratchBytes = 4096;
const textAt = 256;
const textBytes = 64;

/** Where an address lies in memory that the kernel can read. */
export interface PlacedAddress {
  readonly address: bigint;
  readonly size: number;
}

/** The system calls on sockets that do not go through the ring: those of a connection's beginning and end. */
export class OsSockets {
  private readonly libc: Libc;
  private readonly scratch: NativeMemory;
  private readonly addresses: NativeMemory;
  private readonly descriptors: DescriptorTable;
  private nextAddress: number;
  /** The thread's own network namespace, opened where another was asked for; -1: nobody has. */
  private ownNamespace: number;

  constructor(descriptors: DescriptorTable) {
    this.descriptors = descriptors;
    this.libc = openLibc();
    this.scratch = new NativeMemory(scratchBytes);
    this.addresses = new NativeMemory(addressSlots * addressSlotBytes);
    this.nextAddress = 0;
    this.ownNamespace = -1;
  }

  /** A TCP socket without Nagle's delay; throws SystemCallError. */
  open(address: Address, keepAliveSeconds: number | null, place?: SocketPlace): number {
    const family = isIpv6Address(address.host) ? Family.Ipv6 : Family.Ipv4;
    const fd = this.make(family, streamCloseOnExec, place);
    this.descriptors.opened(fd);
    this.set(fd, Level.Tcp, Option.NoDelay, 1);
    if (keepAliveSeconds !== null) {
      this.set(fd, Level.Socket, Option.KeepAlive, 1);
      if (keepAliveSeconds > 0) this.set(fd, Level.Tcp, Option.KeepIdle, keepAliveSeconds);
    }
    return fd;
  }

  /** A UDP socket that is bound; throws SystemCallError. */
  openDatagram(address: Address, place: SocketPlace): number {
    const fd = this.make(isIpv6Address(address.host) ? Family.Ipv6 : Family.Ipv4, datagramCloseOnExec, place);
    try {
      this.bind(fd, address);
    } catch (error) {
      this.libc.close(fd);
      throw error;
    }
    return fd;
  }

  /** A socket of another namespace stays in it, wherever its thread is. Throws SystemCallError. */
  private make(family: number, type: number, place?: SocketPlace): number {
    if (place === undefined) return this.checked('socket', this.libc.socket(family, type, 0));
    const { namespaceFd, mark } = place;
    if (namespaceFd >= 0) this.enter(namespaceFd);
    let fd: number;
    try {
      fd = this.checked('socket', this.libc.socket(family, type, 0));
    } finally {
      if (namespaceFd >= 0) this.checked('setns', this.libc.setns(this.ownNamespace, newNetwork));
    }
    if (mark === 0) return fd;
    try {
      this.require(fd, Level.Socket, Option.Mark, mark);
    } catch (error) {
      this.libc.close(fd);
      throw error;
    }
    return fd;
  }

  private enter(namespaceFd: number): void {
    if (this.ownNamespace < 0) this.ownNamespace = process.getBuiltinModule('node:fs').openSync(ownNamespacePath, 'r');
    this.checked('setns', this.libc.setns(namespaceFd, newNetwork));
  }

  /** Of a socket that has keep-alive; 0: the kernel's. */
  keepAlive(fd: number, intervalSeconds: number, probes: number): void {
    if (intervalSeconds > 0) this.set(fd, Level.Tcp, Option.KeepInterval, intervalSeconds);
    if (probes > 0) this.set(fd, Level.Tcp, Option.KeepCount, probes);
  }

  /** Accepted sockets inherit the options of the one that listens. Throws SystemCallError. */
  listen(fd: number, address: Address, options: ListenOptions): void {
    const { reusePort, ipv6Only, backlog, socketOptions = [] } = options;
    const isV6 = isIpv6Address(address.host);
    this.set(fd, Level.Socket, Option.ReuseAddress, 1);
    if (reusePort) this.set(fd, Level.Socket, Option.ReusePort, 1);
    if (isV6) this.set(fd, Level.Ipv6, Option.V6Only, ipv6Only ? 1 : 0);
    this.allowForeign(fd, isV6, options);
    this.apply(fd, isV6, socketOptions, 'before-bind');
    this.bind(fd, address);
    this.apply(fd, isV6, socketOptions, 'bound');
    this.checked('listen', this.libc.listen(fd, backlog < 0 ? 0x7fff_ffff : backlog));
    this.apply(fd, isV6, socketOptions, 'listening');
  }

  /**
   * What one that dials is told and bound to first. Throws SystemCallError.
   * As Envoy's client connections, it is told nothing later, bound or not.
   */
  prepare(fd: number, to: Address, { source, bindAddress, isFree = false, socketOptions = [] }: DialOptions): void {
    const isV6 = isIpv6Address(to.host);
    this.apply(fd, isV6, socketOptions, 'before-bind');
    if (source !== undefined) {
      this.leaveFrom(fd, source);
    } else if (bindAddress !== null) {
      this.allowForeign(fd, isV6, { isFree });
      this.bind(fd, { kind: 'ip', ...bindAddress });
    }
  }

  private apply(fd: number, isV6: boolean, options: readonly SocketOptionData[], moment: SocketMoment): void {
    for (const option of options) {
      if (option.moment !== moment || (option.family !== 0 && option.family !== (isV6 ? 6 : 4))) continue;
      const { level, name, value } = option;
      if (typeof value === 'number') this.require(fd, level, name, value);
      else this.requireBytes(fd, level, name, value);
    }
  }

  private bind(fd: number, address: Address): void {
    const placed = this.place(address);
    this.checked('bind', this.libc.bind(fd, placed.address, placed.size));
  }

  /** What it connects to sees another's address. Throws SystemCallError, for one without the permission too. */
  private leaveFrom(fd: number, { host, mark }: SourceAddress): void {
    if (mark !== 0) this.require(fd, Level.Socket, Option.Mark, mark);
    this.beTransparent(fd, isIpv6Address(host));
    // The port is chosen when it connects, so that connections to several servers may share one.
    this.set(fd, Level.Ip, Option.BindAddressNoPort, 1);
    this.bind(fd, { kind: 'ip', host, port: 0 });
  }

  /** Before it is bound to an address that may be another's. */
  private allowForeign(
    fd: number,
    isV6: boolean,
    { isTransparent = false, isFree = false }: Pick<ListenOptions, 'isTransparent' | 'isFree'>,
  ): void {
    if (isTransparent) this.beTransparent(fd, isV6);
    if (!isFree) return;
    if (isV6) this.require(fd, Level.Ipv6, Option.Ipv6Freebind, 1);
    else this.require(fd, Level.Ip, Option.IpFreebind, 1);
  }

  private beTransparent(fd: number, isV6: boolean): void {
    if (isV6) this.require(fd, Level.Ipv6, Option.Ipv6Transparent, 1);
    else this.require(fd, Level.Ip, Option.IpTransparent, 1);
  }

  /** Makes the next close send a reset. */
  lingerZero(fd: number): void {
    const { i32, address } = this.scratch;
    i32[0] = 1;
    i32[1] = 0;
    this.libc.setsockopt(fd, Level.Socket, Option.Linger, address, 8);
  }

  shutdownWrite(fd: number): void {
    this.libc.shutdown(fd, shutdownWrite);
  }

  close(fd: number): void {
    this.descriptors.closed(fd);
    this.libc.close(fd);
  }

  /** Null: not connected any more. */
  remoteOf(fd: number): Address | null {
    this.scratch.u32[0] = 128;
    return this.libc.getpeername(fd, this.scratch.addressOf(8), this.scratch.address) < 0 ? null : this.readAddress();
  }

  localOf(fd: number): Address | null {
    this.scratch.u32[0] = 128;
    return this.libc.getsockname(fd, this.scratch.addressOf(8), this.scratch.address) < 0 ? null : this.readAddress();
  }

  /** Writes a sockaddr that stays as it is until the ring has taken as many requests as it holds. */
  place(address: Address): PlacedAddress {
    const offset = this.nextAddress * addressSlotBytes;
    this.nextAddress = (this.nextAddress + 1) % addressSlots;
    const { bytes } = this.addresses;
    bytes.fill(0, offset, offset + addressSlotBytes);
    const isV6 = isIpv6Address(address.host);
    const family = isV6 ? Family.Ipv6 : Family.Ipv4;
    bytes.writeUInt16LE(family, offset);
    bytes.writeUInt16BE(address.port, offset + 2);
    const at = this.addresses.addressOf(offset + (isV6 ? 8 : 4));
    if (this.libc.inet_pton(family, address.host, at) !== 1) throw new SystemCallError('inet_pton', 22);
    return { address: this.addresses.addressOf(offset), size: isV6 ? 28 : 16 };
  }

  private readAddress(): Address | null {
    const { bytes } = this.scratch;
    const family = bytes.readUInt16LE(8);
    if (family === Family.Ipv4) {
      const host = `${bytes[12]}.${bytes[13]}.${bytes[14]}.${bytes[15]}`;
      return { kind: 'ip', host, port: bytes.readUInt16BE(10) };
    }
    if (family !== Family.Ipv6) return null;
    const from = this.scratch.addressOf(16);
    this.libc.inet_ntop(family, from, this.scratch.addressOf(textAt), textBytes);
    const text = bytes.toString('latin1', textAt, bytes.indexOf(0, textAt));
    // What a dual-stack socket shows as `::ffff:a.b.c.d` is an IPv4 address, as Envoy prints it.
    const host = text.startsWith('::ffff:') && text.includes('.') ? text.slice(7) : text;
    return { kind: 'ip', host, port: bytes.readUInt16BE(10) };
  }

  private set(fd: number, level: number, option: number, value: number): void {
    this.scratch.i32[0] = value;
    this.libc.setsockopt(fd, level, option, this.scratch.address, 4);
  }

  private require(fd: number, level: number, option: number, value: number): void {
    this.scratch.i32[0] = value;
    this.checked('setsockopt', this.libc.setsockopt(fd, level, option, this.scratch.address, 4));
  }

  private requireBytes(fd: number, level: number, option: number, value: Uint8Array): void {
    const memory = value.length <= scratchBytes ? this.scratch : new NativeMemory(value.length);
    memory.bytes.set(value);
    this.checked('setsockopt', this.libc.setsockopt(fd, level, option, memory.address, value.length));
  }

  private checked(syscall: string, result: number): number {
    if (result < 0) throw new SystemCallError(syscall, this.libc.errno());
    return result;
  }
}
