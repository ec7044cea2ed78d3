import type { HostData } from '../cluster-data.ts';
import { flagsOfEndpoint, isDegraded, isHealthy } from '../host/host-health.ts';
import { HealthCell, type HealthMemory } from './health-memory.ts';

/** A host as the main thread watches it: what it finds is in shared memory at once. */
export class WatchedHost {
  readonly cluster: string;
  /** `hostKeys` of its cluster. */
  readonly key: string;
  readonly slot: number;
  data: HostData;
  private readonly memory: HealthMemory;
  private readonly onChange: (cluster: string) => void;

  /** `onChange`: the workers are to look at the cluster's hosts again. */
  constructor(cluster: string, key: string, data: HostData, memory: HealthMemory, onChange: (cluster: string) => void) {
    this.cluster = cluster;
    this.key = key;
    this.slot = data.healthSlot!;
    this.data = data;
    this.memory = memory;
    this.onChange = onChange;
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  set(flags: number): void {
    this.change(this.flags | flags);
  }

  clear(flags: number): void {
    this.change(this.flags & ~flags);
  }

  /** It may be used, if only when others may not. */
  get isFit(): boolean {
    const flags = this.flags | flagsOfEndpoint(this.data.health);
    return isHealthy(flags) || isDegraded(flags);
  }

  read(cell: HealthCell): number {
    return this.memory.load(this.slot, cell);
  }

  resetRow(cell: HealthCell): void {
    this.memory.store(this.slot, cell, 0);
  }

  private get flags(): number {
    return this.memory.load(this.slot, HealthCell.Flags);
  }

  private change(flags: number): void {
    if (flags === this.flags) return;
    this.memory.store(this.slot, HealthCell.Flags, flags);
    this.onChange(this.cluster);
  }
}
