import type { EngineData } from '../../rbac/rbac-data.ts';

export const networkRbacKind = 'envoy.extensions.filters.network.rbac.v3.RBAC';

/** `envoy.extensions.filters.network.rbac.v3.RBAC` as plain data. */
export interface NetworkRbacData {
  readonly statPrefix: string;
  readonly shadowRulesStatPrefix: string;
  /** Null: nothing is enforced. */
  readonly rules: EngineData | null;
  readonly shadowRules: EngineData | null;
  /** Decided with every chunk, not once with the first. */
  readonly isContinuous: boolean;
  /** Milliseconds that a denied connection is kept; 0: none. */
  readonly delayMs: number;
}
