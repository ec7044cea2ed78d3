import type { Address } from '../../core/peer.ts';
import type { TlsFacts } from '../../core/tls-facts.ts';
import type { MatchInput } from '../../match/matcher.ts';
import type { Outcome } from '../../observe/outcome.ts';

/** The client, as far as it is believed: by x-forwarded-for, by PROXY protocol. */
export function remoteOf({ remoteAddress, peer }: Outcome): Address | null {
  return remoteAddress ?? peer?.remote ?? null;
}

function hostOf(address: Address | null | undefined): string | null {
  return address?.kind === 'ip' ? address.host : null;
}

function portOf(address: Address | null | undefined): string | null {
  return address?.kind === 'ip' ? String(address.port) : null;
}

/** As in Envoy without TLS it cannot be told what matches: whoever asks for a name is let through by nothing else. */
function ofTls(read: (facts: TlsFacts) => string | undefined): MatchInput<Outcome> {
  return ({ peer }) => {
    const facts = peer?.tls ?? null;
    return facts === null ? undefined : read(facts) || null;
  };
}

/** Inputs of `common_inputs.network.v3` and `common_inputs.ssl.v3` that RBAC takes, by the name of the message. */
const networkInputs = {
  DestinationIPInput: ({ peer }) => hostOf(peer?.local),
  DestinationPortInput: ({ peer }) => portOf(peer?.local),
  // Of the connection, whatever x-forwarded-for says.
  SourceIPInput: ({ peer }) => hostOf(peer?.remote),
  SourcePortInput: ({ peer }) => portOf(peer?.remote),
  DirectSourceIPInput: ({ peer }) => hostOf(peer?.directRemote),
  ServerNameInput: ({ peer }) => peer?.serverName || null,
  UriSanInput: ofTls(({ peerChain }) => peerChain[0]?.uris.join(',')),
  DnsSanInput: ofTls(({ peerChain }) => peerChain[0]?.dnsNames.join(',')),
  SubjectInput: ofTls(({ peerChain }) => peerChain[0]?.subject),
} as const satisfies Record<string, MatchInput<Outcome>>;

export function isRbacNetworkInput(name: string): name is keyof typeof networkInputs {
  return Object.hasOwn(networkInputs, name);
}

/** @throws Error of a name that decoding has let pass and that there is none of */
export function networkInput(name: string): MatchInput<Outcome> {
  if (!isRbacNetworkInput(name)) throw new Error(`no matcher input ${name}`);
  return networkInputs[name];
}
