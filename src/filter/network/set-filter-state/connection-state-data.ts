import type { FilterStateValueData } from '../../set-filter-state/set-filter-state-data.ts';

/** `envoy.extensions.filters.network.set_filter_state.v3.Config` as plain data. */
export interface ConnectionStateData {
  readonly onNewConnection: readonly FilterStateValueData[];
  readonly onTlsHandshake: readonly FilterStateValueData[];
  readonly onData: readonly FilterStateValueData[];
}
