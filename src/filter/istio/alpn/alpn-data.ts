import type { HttpVersion } from '../../../core/head.ts';

/** `istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig` as plain data: what is offered to upstreams that are spoken to so. */
export interface AlpnData {
  readonly overrides: readonly { readonly version: HttpVersion; readonly protocols: readonly string[] }[];
}
