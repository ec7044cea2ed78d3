/**
 * What came of asking istiod for an address: `told`: what it says is in the mesh; `unknown`: it knows of none; `late`: it
 * said nothing in time; `full`: too many wait, or too many were asked for.
 */
export type LookupOutcome = 'told' | 'unknown' | 'late' | 'full';

/** Where addresses that the mesh does not know are asked for. */
export interface AddressSource {
  /** `key`: `network/address`, `namespace/hostname`, or a workload's uid. `tell`: once. */
  request(key: string, tell: (outcome: LookupOutcome) => void): void;
}

/** Why a connection is refused. */
export const lookupFailures = {
  late: 'the control plane did not say in time what the destination is',
  full: 'too many destinations are asked for',
} as const;
