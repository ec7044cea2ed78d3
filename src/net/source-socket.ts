import type { Address, SourceAddress } from '../core/peer.ts';
import { DescriptorTable } from './uring/descriptor-table.ts';
import { OsSockets } from './uring/os-socket.ts';

let sockets: OsSockets | null = null;

/** For `node:net`, which sets no such options: a socket that leaves from `source`, to be connected to `to`. Throws SystemCallError. */
export function openSourceSocket(to: Address, source: SourceAddress): number {
  sockets ??= new OsSockets(new DescriptorTable());
  const fd = sockets.open(to, null);
  try {
    sockets.leaveFrom(fd, source);
  } catch (error) {
    sockets.close(fd);
    throw error;
  }
  return fd;
}
