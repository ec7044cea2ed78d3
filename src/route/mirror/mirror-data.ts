import type { HeaderMutationsData, RuntimeFractionData } from '../route-data.ts';

/** One of `request_mirror_policies`. */
export interface MirrorData {
  /** Empty: `header` names the header with the cluster. */
  readonly cluster: string;
  readonly header: string;
  /** Null: every request. */
  readonly fraction: RuntimeFractionData | null;
  /** Its span, and what it asks for, are sampled; absent: as the stream is. */
  readonly isSampled?: boolean;
  /** The mirrored host is not called `-shadow`. */
  readonly keepsHost: boolean;
  /** Empty: the request's. */
  readonly host: string;
  /** In the order in which they apply, which is that of the configuration. */
  readonly mutations: readonly HeaderMutationsData[];
}
