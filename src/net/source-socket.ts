import type { Address, SourceAddress } from '../core/peer.ts';
import type { ListenOptions } from './network.ts';
import { DescriptorTable } from './uring/descriptor-table.ts';
import { OsSockets } from './uring/os-socket.ts';

/** Sockets of others' addresses for `node:net`, which sets no such options. */

let sockets: OsSockets | null = null;

/** One that leaves from `source`, to be connected to `to`. Throws SystemCallError. */
export function openSourceSocket(to: Address, source: SourceAddress): number {
  return open(to, (own, fd) => own.leaveFrom(fd, source));
}

/** One that listens. Throws SystemCallError. */
export function openListeningSocket(at: Address, options: ListenOptions): number {
  return open(at, (own, fd) => {
    own.allowForeign(fd, at, options);
    own.listen(fd, at, options.reusePort, options.ipv6Only, options.backlog);
  });
}

function open(address: Address, prepare: (own: OsSockets, fd: number) => void): number {
  sockets ??= new OsSockets(new DescriptorTable());
  const fd = sockets.open(address, null);
  try {
    prepare(sockets, fd);
  } catch (error) {
    sockets.close(fd);
    throw error;
  }
  return fd;
}
