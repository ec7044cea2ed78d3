import { BlockList, isIPv6 } from 'node:net';
import type { Peer } from '../core/peer.ts';
import type { CidrData, FilterChainMatchData } from './listener-data.ts';

/** A chain and what it asks for. */
export interface Candidate<Chain> {
  readonly match: FilterChainMatchData;
  readonly chain: Chain;
}

/** What of a connection the levels look at. */
export interface ConnectionFacts {
  readonly peer: Peer;
  /** The client's protocols, in its order. */
  readonly applicationProtocols: readonly string[];
}

/**
 * Chooses a filter chain as Envoy does: level by level the most specific value wins, and the choice is final; a chain
 * that another level would have needed is not gone back to. Source: Envoy `FilterChainManagerImpl`, reference §1.3.
 */
export class FilterChainMatcher<Chain> {
  private readonly candidates: readonly Candidate<Chain>[];
  /** One chain that asks for nothing: the common case needs no look at the connection. */
  private readonly only: Chain | null;

  constructor(candidates: readonly Candidate<Chain>[]) {
    this.candidates = candidates;
    this.only = candidates.length === 1 && asksForNothing(candidates[0].match) ? candidates[0].chain : null;
  }

  find(facts: ConnectionFacts): Chain | null {
    if (this.only !== null) return this.only;
    let left = this.candidates;
    for (const level of levels) {
      left = level(left, facts);
      if (left.length === 0) return null;
    }
    return left[0].chain;
  }
}

type Level = <Chain>(left: readonly Candidate<Chain>[], facts: ConnectionFacts) => readonly Candidate<Chain>[];

/** Those that name `value`; if none does, those that name nothing. */
function exactOrAny<Chain>(
  left: readonly Candidate<Chain>[],
  names: (match: FilterChainMatchData) => boolean,
  isOpen: (match: FilterChainMatchData) => boolean,
): readonly Candidate<Chain>[] {
  const named = left.filter((candidate) => names(candidate.match));
  return named.length > 0 ? named : left.filter((candidate) => isOpen(candidate.match));
}

const levels: readonly Level[] = [
  (left, { peer }) =>
    exactOrAny(
      left,
      (m) => m.destinationPort === peer.local.port,
      (m) => m.destinationPort === null,
    ),
  (left, { peer }) => longestPrefix(left, peer.local.host, (m) => m.prefixRanges),
  (left, { peer }) => serverName(left, peer.serverName.toLowerCase()),
  (left, { peer }) =>
    exactOrAny(
      left,
      (m) => m.transportProtocol === peer.transportProtocol,
      (m) => m.transportProtocol === '',
    ),
  (left, { applicationProtocols }) => applicationProtocol(left, applicationProtocols),
  (left, { peer }) => longestPrefix(left, peer.directRemote.host, (m) => m.directSourcePrefixRanges),
  (left, { peer }) => {
    const type = isLocal(peer) ? 'SAME_IP_OR_LOOPBACK' : 'EXTERNAL';
    return exactOrAny(
      left,
      (m) => m.sourceType === type,
      (m) => m.sourceType === 'ANY',
    );
  },
  (left, { peer }) => longestPrefix(left, peer.remote.host, (m) => m.sourcePrefixRanges),
  (left, { peer }) =>
    exactOrAny(
      left,
      (m) => m.sourcePorts.includes(peer.remote.port),
      (m) => m.sourcePorts.length === 0,
    ),
];

function longestPrefix<Chain>(
  left: readonly Candidate<Chain>[],
  address: string,
  rangesOf: (match: FilterChainMatchData) => readonly CidrData[],
): readonly Candidate<Chain>[] {
  let best = -1;
  let found: Candidate<Chain>[] = [];
  for (const candidate of left) {
    const ranges = rangesOf(candidate.match);
    // A chain without ranges stands for every address, behind all that name one.
    const length = ranges.length === 0 ? -1 : longest(ranges, address);
    if (ranges.length > 0 && length < 0) continue;
    if (length > best) {
      best = length;
      found = [candidate];
    } else if (length === best) {
      found.push(candidate);
    }
  }
  return found;
}

/** Length of the longest range that holds the address; -1: none does. */
function longest(ranges: readonly CidrData[], address: string): number {
  let best = -1;
  for (const range of ranges) if (range.length > best && contains(range, address)) best = range.length;
  return best;
}

/** Made when a connection first asks. */
const subnets = new WeakMap<CidrData, BlockList>();

export function contains(range: CidrData, address: string): boolean {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if ((family === 'ipv6') !== isIPv6(range.address)) return false;
  if (address === '') return false;
  let subnet = subnets.get(range);
  if (subnet === undefined) {
    subnet = new BlockList();
    subnet.addSubnet(range.address, range.length, family);
    subnets.set(range, subnet);
  }
  return subnet.check(address, family);
}

function serverName<Chain>(left: readonly Candidate<Chain>[], name: string): readonly Candidate<Chain>[] {
  if (name !== '') {
    const exact = left.filter(({ match }) => match.serverNames.includes(name));
    if (exact.length > 0) return exact;
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const wildcard = `*${name.slice(dot)}`;
      const found = left.filter(({ match }) => match.serverNames.includes(wildcard));
      if (found.length > 0) return found;
    }
  }
  return left.filter(({ match }) => match.serverNames.length === 0);
}

function applicationProtocol<Chain>(
  left: readonly Candidate<Chain>[],
  protocols: readonly string[],
): readonly Candidate<Chain>[] {
  for (const protocol of protocols) {
    const found = left.filter(({ match }) => match.applicationProtocols.includes(protocol));
    if (found.length > 0) return found;
  }
  return left.filter(({ match }) => match.applicationProtocols.length === 0);
}

function isLocal(peer: Peer): boolean {
  const { host, kind } = peer.remote;
  return kind === 'pipe' || host === peer.local.host || host === '::1' || host.startsWith('127.');
}

function asksForNothing(match: FilterChainMatchData): boolean {
  return (
    match.destinationPort === null &&
    match.prefixRanges.length === 0 &&
    match.serverNames.length === 0 &&
    match.transportProtocol === '' &&
    match.applicationProtocols.length === 0 &&
    match.directSourcePrefixRanges.length === 0 &&
    match.sourceType === 'ANY' &&
    match.sourcePrefixRanges.length === 0 &&
    match.sourcePorts.length === 0
  );
}
