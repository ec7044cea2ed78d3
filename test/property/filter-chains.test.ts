import { expect, test } from 'vitest';
import type { Address, Peer } from '../../src/core/peer.ts';
import { FilterChainMatcher } from '../../src/listener/filter-chain/filter-chain-matcher.ts';
import { isLocalConnection } from '../../src/listener/filter-chain/source-type.ts';
import type { CidrData, FilterChainMatchData } from '../../src/listener/listener-data.ts';
import { holds } from '../../src/match/ip-prefix-map.ts';
import { parseIp } from '../../src/core/ip-address.ts';
import * as fc from './chance.ts';

/** Filters a list level by level: slow, and plainly what Envoy's order says. */
function simply(chains: readonly FilterChainMatchData[], peer: Peer): number | null {
  let left = chains.map((_, i) => i);
  const narrow = (
    isNamed: (match: FilterChainMatchData) => boolean,
    isOpen: (match: FilterChainMatchData) => boolean,
  ) => {
    const named = left.filter((i) => isNamed(chains[i]));
    left = named.length > 0 ? named : left.filter((i) => isOpen(chains[i]));
  };
  const narrowByRange = (address: Address, rangesOf: (match: FilterChainMatchData) => readonly CidrData[]) => {
    const bytes = parseIp(address.host)!;
    const longest = (i: number): number => {
      const ranges = rangesOf(chains[i]);
      if (ranges.length === 0) return -1;
      return Math.max(-2, ...ranges.filter((range) => holds(range, bytes)).map(({ length }) => length));
    };
    const best = Math.max(-2, ...left.map(longest));
    left = best === -2 ? [] : left.filter((i) => longest(i) === best);
  };
  const narrowByFirst = (values: readonly string[], valuesOf: (match: FilterChainMatchData) => readonly string[]) => {
    const value = values.find((one) => left.some((i) => valuesOf(chains[i]).includes(one)));
    narrow(
      (match) => value !== undefined && valuesOf(match).includes(value),
      (match) => valuesOf(match).length === 0,
    );
  };
  narrow(
    (match) => match.destinationPort === peer.local.port,
    (match) => match.destinationPort === null,
  );
  narrowByRange(peer.local, (match) => match.prefixRanges);
  const labels = peer.serverName.split('.');
  const wildcards = labels.map((_, i) => `*.${labels.slice(i + 1).join('.')}`).slice(0, -1);
  narrowByFirst(peer.serverName === '' ? [] : [peer.serverName, ...wildcards], (match) => match.serverNames);
  narrow(
    (match) => match.transportProtocol === peer.transportProtocol,
    (match) => match.transportProtocol === '',
  );
  narrowByFirst(peer.applicationProtocols, (match) => match.applicationProtocols);
  narrowByRange(peer.directRemote, (match) => match.directSourcePrefixRanges);
  const type = isLocalConnection(peer) ? 'SAME_IP_OR_LOOPBACK' : 'EXTERNAL';
  narrow(
    (match) => match.sourceType === type,
    (match) => match.sourceType === 'ANY',
  );
  narrowByRange(peer.remote, (match) => match.sourcePrefixRanges);
  narrow(
    (match) => match.sourcePorts.includes(peer.remote.port),
    (match) => match.sourcePorts.length === 0,
  );
  return left[0] ?? null;
}

const host = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.1.0.1', '192.0.2.1', '127.0.0.1', '::1', '2001:db8::1');
const range = fc.constantFrom(
  ...['10.0.0.0/8', '10.0.0.0/31', '10.1.0.1/32', '127.0.0.0/8', '2001:db8::/32', '::/3', '192.0.2.0/29'].map(
    (text) => {
      const [address, length] = text.split('/');
      return { address, length: Number(length) };
    },
  ),
);
const ranges = fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(range, { maxLength: 3 }));
const port = fc.constantFrom(80, 443, 8080);
const name = fc.constantFrom('', 'a.test', 'b.a.test', 'c.b.a.test', 'test', 'other');
const named = fc.constantFrom('a.test', 'b.a.test', '*.a.test', '*.test', 'other');
const protocol = fc.constantFrom('h2', 'http/1.1', 'istio');
const sometimes = <T>(arbitrary: fc.Arbitrary<T[]>): fc.Arbitrary<T[]> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant<T[]>([]) }, arbitrary);

const match: fc.Arbitrary<FilterChainMatchData> = fc.record({
  destinationPort: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, port),
  prefixRanges: ranges,
  serverNames: sometimes(fc.array(named, { maxLength: 2 })),
  transportProtocol: fc.constantFrom('', '', 'tls', 'raw_buffer'),
  applicationProtocols: sometimes(fc.array(protocol, { maxLength: 2 })),
  directSourcePrefixRanges: ranges,
  sourceType: fc.constantFrom('ANY' as const, 'ANY' as const, 'SAME_IP_OR_LOOPBACK' as const, 'EXTERNAL' as const),
  sourcePrefixRanges: ranges,
  sourcePorts: sometimes(fc.array(port, { maxLength: 2 })),
});

const address = fc.record({ kind: fc.constant('ip' as const), host, port });
const peer: fc.Arbitrary<Peer> = fc
  .record({
    remote: address,
    local: address,
    directRemote: address,
    serverName: name,
    transportProtocol: fc.constantFrom('tls' as const, 'raw_buffer' as const),
    applicationProtocols: fc.uniqueArray(protocol, { maxLength: 3 }),
  })
  .map((facts) => ({ ...facts, directLocal: facts.local, alpn: '', ja3: '', ja4: '', tls: null }));

test('the index finds the chain that filtering level by level finds', () => {
  fc.assert(
    fc.property(fc.array(match, { maxLength: 12 }), fc.array(peer, { minLength: 1, maxLength: 8 }), (chains, peers) => {
      const matcher = new FilterChainMatcher(chains.map((one, i) => ({ match: one, chain: i })));
      for (const one of peers) expect(matcher.find(one)).toBe(simply(chains, one));
    }),
    { numRuns: 1000 },
  );
});

test('chains that can never be told apart are noticed', () => {
  fc.assert(
    fc.property(match, match, (one, two) => {
      const twice = new FilterChainMatcher([one, one].map((each, i) => ({ match: each, chain: i })));
      expect(twice.isUnambiguous).toBe(false);
      const apart = new FilterChainMatcher([
        { match: { ...one, destinationPort: 1 }, chain: 0 },
        { match: { ...two, destinationPort: 2 }, chain: 1 },
      ]);
      expect(apart.isUnambiguous).toBe(true);
    }),
  );
});
