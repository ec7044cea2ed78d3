import type { ClusterChanges } from '../cluster/cluster-changes.ts';
import type { ListenerData } from '../listener/listener-data.ts';
import type { SharedNumberIndices } from './shared-number-keys.ts';

/** One configuration as plain data: what a worker builds its snapshot from, or changes it by. */
export interface SnapshotData {
  /** Counts up with every accepted configuration. */
  readonly version: number;
  /** All of them; a worker keeps those that it has already. */
  readonly listeners: readonly ListenerData[];
  /** What differs from the version before; for a fresh worker, everything. */
  readonly clusters: ClusterChanges;
  /**
   * Listener name → the ports that its addresses are bound to, once the first worker knows them: where port 0 was
   * configured every worker must bind the same one.
   */
  readonly ports: Readonly<Record<string, readonly number[]>>;
  /** Message names of the extensions that the configuration names, so that a worker can load them. */
  readonly extensions: readonly string[];
  /** Where what the listeners count over all workers is. */
  readonly numbers: SharedNumberIndices;
}
