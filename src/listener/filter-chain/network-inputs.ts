import type { Peer } from '../../core/peer.ts';
import type { MatchInput } from '../../match/matcher.ts';
import { isLocalConnection } from './source-type.ts';

/** `envoy.extensions.matching.common_inputs.network.v3`, by the name of the message. */
export const networkInputs = {
  DestinationIPInput: ({ local }) => (local.kind === 'ip' ? local.host : null),
  DestinationPortInput: ({ local }) => (local.kind === 'ip' ? String(local.port) : null),
  SourceIPInput: ({ remote }) => (remote.kind === 'ip' ? remote.host : null),
  SourcePortInput: ({ remote }) => (remote.kind === 'ip' ? String(remote.port) : null),
  DirectSourceIPInput: ({ directRemote }) => (directRemote.kind === 'ip' ? directRemote.host : null),
  SourceTypeInput: (peer) => (isLocalConnection(peer) ? 'local' : null),
  ServerNameInput: ({ serverName }) => (serverName === '' ? null : serverName),
  TransportProtocolInput: ({ transportProtocol }) => transportProtocol,
  ApplicationProtocolInput: ({ applicationProtocols }) =>
    applicationProtocols.length === 0 ? null : applicationProtocols.map((protocol) => `'${protocol}'`).join(','),
} as const satisfies Record<string, MatchInput<Peer>>;

export type NetworkInput = keyof typeof networkInputs;

export function isNetworkInput(name: string): name is NetworkInput {
  return Object.hasOwn(networkInputs, name);
}
