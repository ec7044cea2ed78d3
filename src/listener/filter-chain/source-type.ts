import type { Peer } from '../../core/peer.ts';

/** Whether a connection comes from this machine: Envoy's `isSameIpOrLoopback`, for which 127.0.0.2 is not loopback. */
export function isLocalConnection({ remote, local }: Peer): boolean {
  const { host, kind } = remote;
  return kind !== 'ip' || host === local.host || host === '127.0.0.1' || host === '::1';
}
