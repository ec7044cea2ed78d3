import type { ZoneData } from './zone/zone-data.ts';

/** How a cluster's hosts are chosen, as plain data. */
export interface LbData extends ChoiceData {
  /** Percent; 0: no panic mode. */
  readonly panicThreshold: number;
  /** Percent; 140 unless configured. */
  readonly overprovisioningFactor: number;
  /** A priority's health is a ratio of weights, not of host counts. */
  readonly weightedPriorityHealth: boolean;
  /** This part of the requests gets no host, 0 … 1; absent: none. */
  readonly dropRatio?: number;
  /** Changes of hosts' weights and metadata within so many milliseconds are told together; absent: Envoy's default. */
  readonly updateMergeMs?: number;
  /** `close_connections_on_host_set_change`. */
  readonly closeConnectionsOnHostSetChange: boolean;
  /** `override_host_status`: of hosts that a session may keep; absent: healthy and degraded ones. */
  readonly overrideHealth?: readonly OverrideHealth[];
}

export type OverrideHealth = 'healthy' | 'degraded' | 'unhealthy' | 'draining';

/** A policy, with what is said of localities where it is configured. */
export interface ChoiceData {
  readonly policy: LbPolicyData;
  /** `locality_weighted_lb_config`: choose a locality by its weight first. */
  readonly localityWeighted: boolean;
  /** A priority in panic answers nobody, instead of using hosts whatever their health. */
  readonly failTrafficOnPanic: boolean;
  /** `zone_aware_lb_config`; absent: Envoy's defaults. */
  readonly zone?: ZoneData;
  /** The cluster chooses itself (`cluster_provided`): `policy` says nothing. */
  readonly isProvided?: true;
}

export type LbPolicyData = PickerPolicy | HashLbData | SubsetLbData | OverrideLbData;

/** Policies that choose a priority, and then one of its hosts by what they are. */
export type PickerPolicy =
  | { readonly kind: 'round-robin'; readonly slowStart?: SlowStartData }
  | { readonly kind: 'random' }
  | {
      readonly kind: 'least-request';
      readonly choiceCount: number;
      readonly activeRequestBias: number;
      /** Runtime key that it is looked up by; empty: none. */
      readonly activeRequestBiasKey: string;
      readonly fullScan: boolean;
      readonly slowStart?: SlowStartData;
    };

/** Hosts that have just come get less than their weight says. */
export interface SlowStartData {
  /** How long. */
  readonly windowMs: number;
  /** 1: their share grows evenly; more: faster at first. */
  readonly aggression: number;
  /** Runtime key that it is looked up by; empty: none. */
  readonly aggressionKey: string;
  /** Of their weight, from the first moment on; 0 … 1. */
  readonly shareMin: number;
}

/** Of a policy that is a PickerPolicy. */
export type PickerLbData = LbData & { readonly policy: PickerPolicy };

/** Policies that keep what belongs together with one host. */
export type HashLbData = RingHashData | MaglevData;

export interface RingHashData extends ConsistentHashingData {
  readonly kind: 'ring-hash';
  readonly ringSizeMin: number;
  readonly ringSizeMax: number;
  readonly hashFunction: 'xx' | 'murmur2';
}

export interface MaglevData extends ConsistentHashingData {
  readonly kind: 'maglev';
  /** A prime. */
  readonly tableSize: number;
}

export interface ConsistentHashingData {
  /** Hosts are told apart by their names, not by their addresses. */
  readonly usesHostname: boolean;
  /** No host may carry more than this percentage of its share; 0: any load. */
  readonly balanceFactor: number;
}

/** Which hosts may be chosen depends on the request: those whose metadata are as it wants them. */
export interface SubsetLbData {
  readonly kind: 'subset';
  /** How one of them is chosen. */
  readonly inner: ChoiceData;
  readonly fallback: SubsetFallback;
  /** Metadata of the hosts that `default` means. */
  readonly defaultSubset: Readonly<Record<string, unknown>>;
  readonly selectors: readonly SubsetSelectorData[];
  readonly localityWeightAware: boolean;
  readonly scaleLocalityWeight: boolean;
  readonly panicModeAny: boolean;
  /** A list among a host's metadata: the host is of the subsets of all its values. */
  readonly listAsAny: boolean;
  /** A request may name several subsets, and the first that has a host is taken (`fallback_list`). */
  readonly fallbackList: boolean;
}

export type SubsetFallback = 'none' | 'any' | 'default';

/** Keys by which hosts are sorted into subsets. */
export interface SubsetSelectorData {
  /** Sorted, each once. */
  readonly keys: readonly string[];
  readonly singleHost: boolean;
  /** `keys`: look again with `fallbackKeys` alone; `undefined`: as the cluster says. */
  readonly fallback: SubsetFallback | 'keys' | 'undefined';
  readonly fallbackKeys: readonly string[];
}

/** The request may say itself which host it wants. */
export interface OverrideLbData {
  readonly kind: 'override-host';
  /** Where it says so; the first that does counts. */
  readonly sources: readonly OverrideSourceData[];
  /** For requests that do not, and after those. */
  readonly inner: ChoiceData;
}

export type OverrideSourceData =
  | { readonly kind: 'header'; readonly name: string }
  /** Dynamic metadata: filter name, then keys into it. */
  | { readonly kind: 'metadata'; readonly path: readonly string[] };
