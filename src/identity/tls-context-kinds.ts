/** Message names of what makes a transport TLS. */
export const downstreamTlsKind = 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
export const upstreamTlsKind = 'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';

/** `kinds`: message names that a configuration has, which may be of anything. */
export function namesTls(kinds: readonly string[]): boolean {
  return kinds.includes(downstreamTlsKind) || kinds.includes(upstreamTlsKind);
}
