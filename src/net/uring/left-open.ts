import { DescriptorTable } from './descriptor-table.ts';
import { openLibc } from './libc.ts';

/** Closes what a thread that is gone had open; how many descriptors that were. */
export function closeLeftOpen(descriptors: SharedArrayBuffer): number {
  const left = new DescriptorTable(descriptors).takeAll();
  for (const fd of left) openLibc().close(fd);
  return left.length;
}
