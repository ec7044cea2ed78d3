import { parseIp } from '../../core/ip-address.ts';
import type { Address, Peer } from '../../core/peer.ts';
import { IpPrefixMap } from '../../match/ip-prefix-map.ts';
import type { CidrData, FilterChainMatchData } from '../listener-data.ts';
import { isLocalConnection } from './source-type.ts';

/** A chain and what it asks for. */
export interface Candidate<Chain> {
  readonly match: FilterChainMatchData;
  readonly chain: Chain;
}

/** A level of the search, with everything below it. */
interface Node<Chain> {
  find(peer: Peer): Chain | null;
}

/**
 * Chooses a filter chain as Envoy does: level by level the most specific value wins, and the choice is final; a chain
 * that another level would have needed is not gone back to. Source: Envoy `FilterChainManagerImpl`, reference §1.3.
 * Built once into a map per level, so that thousands of chains cost a connection no more than a few look-ups.
 */
export class FilterChainMatcher<Chain> {
  /** False: two chains ask for the same, and only one of them is ever found. */
  readonly isUnambiguous: boolean;
  private readonly root: Node<Chain> | null;

  constructor(candidates: readonly Candidate<Chain>[]) {
    const building = { hasOverlap: false };
    this.root = candidates.length === 0 ? null : build(candidates, 0, building);
    this.isUnambiguous = !building.hasOverlap;
  }

  find(peer: Peer): Chain | null {
    return this.root === null ? null : this.root.find(peer);
  }
}

type Candidates<Chain> = readonly Candidate<Chain>[];
type Below<Chain> = (candidates: Candidates<Chain>) => Node<Chain>;
interface Level {
  /** Whether the chain asks for anything here. */
  readonly isNamed: (match: FilterChainMatchData) => boolean;
  build<Chain>(named: Candidates<Chain>, open: Node<Chain> | null, below: Below<Chain>): Node<Chain>;
}

function build<Chain>(candidates: Candidates<Chain>, depth: number, building: { hasOverlap: boolean }): Node<Chain> {
  if (depth === levels.length) {
    if (candidates.length > 1) building.hasOverlap = true;
    return new Leaf(candidates[0].chain);
  }
  const below: Below<Chain> = (some) => build(some, depth + 1, building);
  const level = levels[depth];
  const named = candidates.filter(({ match }) => level.isNamed(match));
  // Most levels are asked for by nobody.
  if (named.length === 0) return below(candidates);
  const open = candidates.filter(({ match }) => !level.isNamed(match));
  return level.build(named, open.length === 0 ? null : below(open), below);
}

class Leaf<Chain> implements Node<Chain> {
  private readonly chain: Chain;

  constructor(chain: Chain) {
    this.chain = chain;
  }

  find(): Chain {
    return this.chain;
  }
}

/** A level with a key of its own for each value: found, or else what asks for nothing. */
class KeyNode<Key, Chain> implements Node<Chain> {
  private readonly nodes: ReadonlyMap<Key, Node<Chain>>;
  private readonly open: Node<Chain> | null;
  private readonly keyOf: (peer: Peer, nodes: ReadonlyMap<Key, Node<Chain>>) => Key | null;

  constructor(
    nodes: ReadonlyMap<Key, Node<Chain>>,
    open: Node<Chain> | null,
    keyOf: (peer: Peer, nodes: ReadonlyMap<Key, unknown>) => Key | null,
  ) {
    this.nodes = nodes;
    this.open = open;
    this.keyOf = keyOf;
  }

  find(peer: Peer): Chain | null {
    const key = this.keyOf(peer, this.nodes);
    const node = key === null ? this.open : (this.nodes.get(key) ?? this.open);
    return node === null ? null : node.find(peer);
  }
}

/** A level of addresses. */
class RangeNode<Chain> implements Node<Chain> {
  private readonly ranges: IpPrefixMap<Node<Chain>>;
  private readonly open: Node<Chain> | null;
  private readonly addressOf: (peer: Peer) => Address;

  constructor(ranges: IpPrefixMap<Node<Chain>>, open: Node<Chain> | null, addressOf: (peer: Peer) => Address) {
    this.ranges = ranges;
    this.open = open;
    this.addressOf = addressOf;
  }

  find(peer: Peer): Chain | null {
    const { kind, host } = this.addressOf(peer);
    const bytes = kind === 'ip' ? parseIp(host) : noAddress;
    const node = (bytes === null ? undefined : this.ranges.find(bytes)) ?? this.open;
    return node === null ? null : node.find(peer);
  }
}

/** In place of a Unix socket's name, as in Envoy: only 0.0.0.0/0 holds it. */
const noAddress = Uint8Array.of(255, 255, 255, 255);

function keyed<Key>(
  keysOf: (match: FilterChainMatchData) => readonly Key[],
  keyOf: (peer: Peer, nodes: ReadonlyMap<Key, unknown>) => Key | null,
): Level {
  return {
    isNamed: (match) => keysOf(match).length > 0,
    build<Chain>(named: Candidates<Chain>, open: Node<Chain> | null, below: Below<Chain>): Node<Chain> {
      const groups = new Map<Key, Candidate<Chain>[]>();
      for (const candidate of named) {
        for (const key of new Set(keysOf(candidate.match))) {
          const group = groups.get(key);
          if (group === undefined) groups.set(key, [candidate]);
          else group.push(candidate);
        }
      }
      const nodes = new Map(Array.from(groups, ([key, group]) => [key, below(group)]));
      return new KeyNode(nodes, open, keyOf);
    },
  };
}

function ranged(
  rangesOf: (match: FilterChainMatchData) => readonly CidrData[],
  addressOf: (peer: Peer) => Address,
): Level {
  return {
    isNamed: (match) => rangesOf(match).length > 0,
    build<Chain>(named: Candidates<Chain>, open: Node<Chain> | null, below: Below<Chain>): Node<Chain> {
      const groups = new IpPrefixMap<Set<Candidate<Chain>>>();
      for (const candidate of named) {
        for (const range of rangesOf(candidate.match)) {
          const group = groups.get(range);
          if (group === undefined) groups.set(range, new Set([candidate]));
          else group.add(candidate);
        }
      }
      const nodes = new IpPrefixMap<Node<Chain>>();
      for (const { match } of named)
        for (const range of rangesOf(match))
          if (nodes.get(range) === undefined) nodes.set(range, below([...groups.get(range)!]));
      return new RangeNode(nodes, open, addressOf);
    },
  };
}

function listOf<Value>(value: Value | null): readonly Value[] {
  return value === null ? [] : [value];
}

/** `www.a.example`, then `*.a.example`, then `*.example`: the first that a chain names. */
function serverNameKey({ serverName }: Peer, nodes: ReadonlyMap<string, unknown>): string | null {
  if (serverName === '') return null;
  if (nodes.has(serverName)) return serverName;
  for (let dot = serverName.indexOf('.'); dot >= 0; dot = serverName.indexOf('.', dot + 1)) {
    const wildcard = `*${serverName.slice(dot)}`;
    if (nodes.has(wildcard)) return wildcard;
  }
  return null;
}

function sourceTypeKey(peer: Peer, nodes: ReadonlyMap<string, unknown>): string | null {
  const type = isLocalConnection(peer) ? 'SAME_IP_OR_LOOPBACK' : 'EXTERNAL';
  return nodes.has(type) ? type : null;
}

/** In Envoy's order. */
const levels: readonly Level[] = [
  keyed(
    (match) => listOf(match.destinationPort),
    ({ local }) => (local.kind === 'ip' ? local.port : null),
  ),
  ranged(
    (match) => match.prefixRanges,
    ({ local }) => local,
  ),
  keyed((match) => match.serverNames, serverNameKey),
  keyed(
    (match) => listOf(match.transportProtocol === '' ? null : match.transportProtocol),
    ({ transportProtocol }) => transportProtocol,
  ),
  keyed(
    (match) => match.applicationProtocols,
    ({ applicationProtocols }, nodes) => applicationProtocols.find((protocol) => nodes.has(protocol)) ?? null,
  ),
  ranged(
    (match) => match.directSourcePrefixRanges,
    ({ directRemote }) => directRemote,
  ),
  keyed((match) => listOf<string>(match.sourceType === 'ANY' ? null : match.sourceType), sourceTypeKey),
  ranged(
    (match) => match.sourcePrefixRanges,
    ({ remote }) => remote,
  ),
  keyed(
    (match) => match.sourcePorts,
    ({ remote }) => remote.port,
  ),
];
