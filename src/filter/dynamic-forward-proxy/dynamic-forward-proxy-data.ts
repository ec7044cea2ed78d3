/** `envoy.filters.http.dynamic_forward_proxy` as plain data. */
export interface DynamicForwardProxyData {
  readonly cache: { readonly name: string; readonly maxPending: number };
  /** Filter state may say the host, before the authority does. */
  readonly followsState: boolean;
}

/** Whom a route's requests want to reach in place of their authority. */
export interface HostRewriteData {
  /** Empty: not rewritten so. */
  readonly literal: string;
  /** A request header that says it, in lower case; empty: none does. */
  readonly header: string;
}
