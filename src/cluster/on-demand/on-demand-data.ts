import type { ConfigSourceData } from '../../identity/config-source-data.ts';

/** Where clusters come from that are asked for by name, when a request or a connection is for one. */
export interface OnDemandSourceData {
  /** Sources with one key are one subscription. */
  readonly key: string;
  readonly config: ConfigSourceData;
}

/** `OnDemandCds`, and `on_demand` of a TCP proxy. */
export interface OnDemandClustersData {
  readonly source: OnDemandSourceData;
  /** How long one is waited for; 0: not at all. */
  readonly timeoutMs: number;
}
