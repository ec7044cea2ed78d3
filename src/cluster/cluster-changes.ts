import { isDeepStrictEqual } from '../core/deep-equal.ts';
import type { AssignmentData, ClusterData, HostData } from './cluster-data.ts';

/** What the workers' clusters must become, from `ClusterDirectory`: plain data. */
export interface ClusterChanges {
  /** New, or with another configuration than before; with the hosts of now. */
  readonly set: readonly ClusterData[];
  /** Names. */
  readonly removed: readonly string[];
  /** Only the hosts are others. */
  readonly hosts: readonly HostChanges[];
}

export interface HostChanges {
  readonly name: string;
  readonly hosts: readonly HostData[];
  /** Absent: the cluster itself says all. */
  readonly assignment?: AssignmentData;
}

/** Configured hosts travel like discovered ones, so that a static cluster with another list keeps its pools too. */
export function isEqualButForHosts(before: ClusterData, after: ClusterData): boolean {
  const noHosts = { hosts: null, assignment: null };
  return isDeepStrictEqual({ ...before, ...noHosts }, { ...after, ...noHosts });
}

/** What of a cluster may change while its pools go on. */
export function hostsOf({ hosts, assignment }: ClusterData): Omit<HostChanges, 'name'> {
  return assignment === undefined ? { hosts } : { hosts, assignment };
}
