import type { Hash64 } from '../../../core/hash64.ts';
import type { UpstreamHost } from '../../host/host.ts';

/** Which host a hash belongs to. Does not change once it is built. */
export interface HashTable {
  /** `attempt`: so many hosts were refused before. Null: there is nobody. */
  pick(hash: Hash64, attempt: number): UpstreamHost | null;
  /** How many places of the table the hosts with the fewest and with the most have. */
  readonly placesMin: number;
  readonly placesMax: number;
  readonly size: number;
}

/** A table in the making: a large one is built in pieces, between which requests are served. */
export interface HashTableBuild {
  /** True: it is complete, and `table` may be asked for. One call takes a millisecond or so. */
  advance(): boolean;
  table(): HashTable;
}
