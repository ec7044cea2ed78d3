import { isDeepStrictEqual } from '../../core/deep-equal.ts';
import type { TransportData } from './transport-data.ts';

type Metadata = Readonly<Record<string, unknown>> | null;

const namespace = 'envoy.transport_socket_match';

/**
 * Which of a cluster's transport sockets a host has, as an index: the first whose fields are the host's own, else the
 * first whose fields are those of its locality, else the cluster's. Source: Envoy `TransportSocketMatcherImpl::resolve`.
 */
export function matchTransport(transports: readonly TransportData[], host: Metadata, locality: Metadata): number {
  if (transports.length === 1) return 0;
  const own = firstMatch(transports, host);
  return own > 0 ? own : Math.max(0, firstMatch(transports, locality));
}

function firstMatch(transports: readonly TransportData[], metadata: Metadata): number {
  const said = metadata?.[namespace];
  const fields = typeof said === 'object' && said !== null ? (said as Readonly<Record<string, unknown>>) : {};
  return transports.findIndex(
    ({ match }) =>
      match !== null && Object.entries(match).every(([name, value]) => isDeepStrictEqual(fields[name], value)),
  );
}
