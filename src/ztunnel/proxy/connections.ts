import { judge, type AccessRequest, type Denial } from '../policy/access.ts';
import type { MeshChange } from '../state/mesh.ts';
import type { ConnectionFacts } from './connection-facts.ts';
import type { Pod } from './pod.ts';

/** A connection that is open, as it is listed and judged anew. */
export interface OpenConnection {
  readonly facts: ConnectionFacts;
  /** What policies say yes or no to; null: it is an outgoing one, which the other end judges. */
  readonly access: AccessRequest | null;
  /** Breaks it off; `reason`: ztunnel's words. */
  reject(reason: string): void;
}

/** The open connections of a workload. Those that come in are judged anew whenever something changes. */
export class Connections {
  private readonly pod: Pod;
  private readonly open: Set<OpenConnection>;
  private readonly unwatch: () => void;

  constructor(pod: Pod) {
    this.pod = pod;
    this.open = new Set();
    this.unwatch = pod.thread.mesh.watch((change) => this.judgeAnew(change));
  }

  get size(): number {
    return this.open.size;
  }

  get all(): Iterable<OpenConnection> {
    return this.open;
  }

  /** It was let in by the pod's quota, which it leaves with `delete`. */
  add(connection: OpenConnection): void {
    this.open.add(connection);
  }

  /** What policies say of it by now. Null: it may be. */
  denialOf({ access }: OpenConnection): Denial | null {
    const { workload, thread } = this.pod;
    if (access === null) return null;
    // A workload that is gone has no policies that could allow anything.
    return workload === null ? gone : judge(thread.mesh.policiesOf(workload), access);
  }

  delete(connection: OpenConnection): void {
    if (this.open.delete(connection)) this.pod.quota.leave();
  }

  closeAll(reason: string): void {
    this.unwatch();
    for (const connection of this.open) connection.reject(reason);
  }

  private judgeAnew(change: MeshChange): void {
    const concerns = change.policies.length + change.removedPolicies.length + change.workloads.length > 0;
    if (this.open.size === 0 || (!concerns && change.removedAddresses.length === 0)) return;
    for (const connection of this.open) {
      const denial = this.denialOf(connection);
      if (denial !== null) connection.reject(denial.reason);
    }
  }
}

const gone: Denial = { reason: 'the workload is gone' };
