import type { WorkloadLookup } from './workload-lookup.ts';
import { Workload, type WorkloadFields } from './workload.ts';

/** A workload as a control plane tells of it. */
export interface WorkloadData {
  readonly uid: string;
  /** IP addresses without port or brackets, as inet_ntop(3) writes them. */
  readonly addresses: readonly string[];
  readonly fields: WorkloadFields;
}

export interface WorkloadChanges {
  readonly set: readonly WorkloadData[];
  /** By their uids. */
  readonly removed: readonly string[];
}

/** The workloads of a mesh in one worker. */
export class WorkloadDirectory implements WorkloadLookup {
  private readonly addresses: Map<string, readonly string[]>;
  private readonly workloads: Map<string, { readonly uid: string; readonly workload: Workload }>;

  constructor() {
    this.addresses = new Map();
    this.workloads = new Map();
  }

  apply({ set, removed }: WorkloadChanges): void {
    for (const uid of removed) this.remove(uid);
    for (const { uid, addresses, fields } of set) {
      this.remove(uid);
      this.addresses.set(uid, addresses);
      const entry = { uid, workload: new Workload(fields) };
      for (const address of addresses) this.workloads.set(address, entry);
    }
  }

  byAddress(address: string): Workload | null {
    return this.workloads.get(address)?.workload ?? null;
  }

  private remove(uid: string): void {
    // An address may be another's by now.
    for (const address of this.addresses.get(uid) ?? [])
      if (this.workloads.get(address)?.uid === uid) this.workloads.delete(address);
    this.addresses.delete(uid);
  }
}
