/** Filters that do something with a connection; the others look at it on its way there. */
const terminalKinds: ReadonlySet<string> = new Set([
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
  'envoy.extensions.filters.network.echo.v3.Echo',
  'envoy.extensions.filters.network.direct_response.v3.Config',
]);

/** Envoy's words for a filter that must not stand where it does in its chain; empty: it may. */
export function orderFault(name: string, kind: string, isLast: boolean): string {
  if (terminalKinds.has(kind) === isLast) return '';
  const what = `filter named ${name} of type ${kind.replace('.extensions', '').replace(/\.v\d+\.\w+$/, '')}`;
  return isLast
    ? `non-terminal ${what} is the last filter in a network filter chain.`
    : `terminal ${what} must be the last filter in a network filter chain.`;
}
