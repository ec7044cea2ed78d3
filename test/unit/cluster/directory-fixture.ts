import type { ClusterData } from '../../../src/cluster/cluster-data.ts';
import type { ClusterDirectory } from '../../../src/cluster/cluster-directory.ts';

/** These clusters, as they are told anew, and no others. */
export function replaceClusters(directory: ClusterDirectory, list: readonly ClusterData[]): void {
  const names = new Set(list.map(({ name }) => name));
  for (const { name } of directory.current()) if (!names.has(name)) directory.remove(name);
  for (const data of list) directory.set(data);
}
