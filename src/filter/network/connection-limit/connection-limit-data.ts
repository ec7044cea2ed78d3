import type { RuntimeFlagData } from '../../../core/runtime-view.ts';

export const connectionLimitKind = 'envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit';

/** `envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit` as plain data. */
export interface ConnectionLimitData {
  readonly statPrefix: string;
  readonly maxConnections: number;
  /** Milliseconds that a connection too many is kept; 0: none. */
  readonly delayMs: number;
  readonly enabled: RuntimeFlagData;
}
