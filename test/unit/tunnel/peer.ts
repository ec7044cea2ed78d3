import type { Peer } from '../../../src/core/peer.ts';

const address = { kind: 'ip', host: '192.0.2.1', port: 1 } as const;
/** Of a connection that carries tunnels. */
export const peer: Peer = {
  remote: address,
  local: address,
  directRemote: address,
  directLocal: address,
  serverName: '',
  alpn: 'h2',
  transportProtocol: 'tls',
  applicationProtocols: [],
  ja3: '',
  ja4: '',
  tls: null,
};
