import type { Address } from '../../core/peer.ts';

/** A worker has begun to use an address that its cluster did not know. */
export interface HostSighting {
  readonly cluster: string;
  readonly address: Address;
}
