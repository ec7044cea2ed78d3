import { DescriptorTable } from './descriptor-table.ts';
import { openLibc } from './libc.ts';

/** SHUT_RDWR. */
const shutdownBoth = 2;

/** Closes what a thread that is gone had open; how many descriptors that were. */
export function closeLeftOpen(shared: SharedArrayBuffer): number {
  const { descriptors, areas } = new DescriptorTable(shared).takeAll();
  if (descriptors.length === 0) return 0;
  const libc = openLibc();
  for (const fd of descriptors) {
    // What the ring has under way holds the socket beyond its close, until the kernel has taken the ring apart.
    libc.shutdown(fd, shutdownBoth);
    libc.close(fd);
  }
  for (const { address, size } of areas) libc.munmap(address, BigInt(size));
  return descriptors.length;
}
