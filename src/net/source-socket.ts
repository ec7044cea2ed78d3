import type { Address } from '../core/peer.ts';
import type { DialOptions, ListenOptions, SocketPlace } from './network.ts';
import { DescriptorTable } from './uring/descriptor-table.ts';
import { OsSockets } from './uring/os-socket.ts';

/** Sockets of which the kernel is told more than `node:net` tells it. */

let sockets: OsSockets | null = null;

/** `node:net` does not open it as it is to be. */
export function dialsFromOwnSocket(to: Address, { source, isFree, socketOptions, place }: DialOptions): boolean {
  const isTold = source !== undefined || isFree === true || socketOptions !== undefined || place !== undefined;
  return to.kind === 'ip' && isTold;
}

/** One that is bound as `options` say, to be connected to `to`. Throws SystemCallError. */
export function openDialingSocket(to: Address, options: DialOptions): number {
  return open(to, options.place, (own, fd) => own.prepare(fd, to, options));
}

/** `node:net` does not open it as it is to be. */
export function listensOnOwnSocket({ isTransparent, isFree, socketOptions, place }: ListenOptions): boolean {
  return isTransparent === true || isFree === true || socketOptions !== undefined || place !== undefined;
}

/** One that listens. Throws SystemCallError. */
export function openListeningSocket(at: Address, options: ListenOptions): number {
  return open(at, options.place, (own, fd) => own.listen(fd, at, options));
}

/** For UDP, bound to `at`. Throws SystemCallError. */
export function openDatagramSocket(at: Address, place: SocketPlace): number {
  sockets ??= new OsSockets(new DescriptorTable());
  return sockets.openDatagram(at, place);
}

function open(address: Address, place: SocketPlace | undefined, prepare: (own: OsSockets, fd: number) => void): number {
  sockets ??= new OsSockets(new DescriptorTable());
  const fd = sockets.open(address, null, place);
  try {
    prepare(sockets, fd);
  } catch (error) {
    sockets.close(fd);
    throw error;
  }
  return fd;
}
