import type { Address } from '../core/peer.ts';
import type { StatNameMatcherData } from '../observe/stats/stats-data.ts';

/** The bootstrap's `admin` as plain data. */
export interface AdminData {
  readonly address: Address;
  /** Mode bits of a Unix socket; null: leave. */
  readonly pipeMode: number | null;
  /** Which request targets are answered; empty: all. */
  readonly allowPaths: readonly StatNameMatcherData[];
}
