import { isDeepStrictEqual } from 'node:util';
import type { ClusterData, HostData } from './cluster-data.ts';

/** What the workers' clusters must become, from `ClusterDirectory`: plain data. */
export interface ClusterChanges {
  /** New, or with another configuration than before; with the hosts of now. */
  readonly set: readonly ClusterData[];
  /** Names. */
  readonly removed: readonly string[];
  /** Only the hosts are others. */
  readonly hosts: readonly { readonly name: string; readonly hosts: readonly HostData[] }[];
}

/** Configured hosts travel like discovered ones, so that a static cluster with another list keeps its pools too. */
export function isEqualButForHosts(before: ClusterData, after: ClusterData): boolean {
  return isDeepStrictEqual({ ...before, hosts: null }, { ...after, hosts: null });
}

/** From one set of clusters, by name, to another. */
export function clusterChanges(
  before: ReadonlyMap<string, ClusterData>,
  after: ReadonlyMap<string, ClusterData>,
): ClusterChanges {
  const set: ClusterData[] = [];
  const hosts: { name: string; hosts: readonly HostData[] }[] = [];
  for (const [name, data] of after) {
    const known = before.get(name);
    if (known === undefined || !isEqualButForHosts(known, data)) set.push(data);
    else if (!isDeepStrictEqual(known.hosts, data.hosts)) hosts.push({ name, hosts: data.hosts });
  }
  return { set, removed: [...before.keys()].filter((name) => !after.has(name)), hosts };
}
