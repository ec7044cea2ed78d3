/** `envoy.filters.network.sni_dynamic_forward_proxy` as plain data. */
export interface SniProxyData {
  readonly cache: { readonly name: string; readonly maxPending: number };
  /** Where the names are reached. */
  readonly port: number;
}
