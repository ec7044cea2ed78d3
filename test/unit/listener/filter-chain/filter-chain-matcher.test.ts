import { expect, it } from 'vitest';
import type { Address, Peer } from '../../../../src/core/peer.ts';
import { anything } from '../../../../src/listener/filter-chain/match-decode.ts';
import { FilterChainMatcher } from '../../../../src/listener/filter-chain/filter-chain-matcher.ts';
import type { FilterChainMatchData } from '../../../../src/listener/listener-data.ts';

const address = (host: string, port = 1000): Address => ({ kind: 'ip', host, port });

function peer(change: Partial<Peer> = {}): Peer {
  const [remote, local] = [address('192.0.2.7'), address('10.0.0.1', 8080)];
  const transportProtocol = 'raw_buffer';
  return {
    remote,
    local,
    directRemote: remote,
    directLocal: local,
    serverName: '',
    alpn: '',
    transportProtocol,
    applicationProtocols: [],
    ja3: '',
    ja4: '',
    tls: null,
    ...change,
  };
}

function find(
  chains: Record<string, Partial<FilterChainMatchData>>,
  change: Partial<Peer> = {},
  applicationProtocols: readonly string[] = [],
): string | null {
  const candidates = Object.entries(chains).map(([chain, match]) => ({ chain, match: { ...anything, ...match } }));
  return new FilterChainMatcher(candidates).find({ ...peer(change), applicationProtocols });
}

const range = (text: string) => {
  const [host, length] = text.split('/');
  return { address: host, length: Number(length) };
};

it('finds the chain that asks for nothing, and nothing where there is none', () => {
  expect(find({ only: {} })).toBe('only');
  expect(find({})).toBeNull();
  expect(find({ other: { destinationPort: 1 } })).toBeNull();
});

it('prefers the named port to any, and does not go back for a later level', () => {
  expect(find({ any: {}, port: { destinationPort: 8080 } })).toBe('port');
  expect(find({ any: {}, port: { destinationPort: 8080, serverNames: ['a.example'] } })).toBeNull();
});

it('prefers the longest range of the destination, of either family', () => {
  const chains = {
    any: {},
    wide: { prefixRanges: [range('10.0.0.0/8')] },
    narrow: { prefixRanges: [range('10.0.0.0/24')] },
  };
  expect(find(chains)).toBe('narrow');
  expect(find(chains, { local: address('10.9.9.9') })).toBe('wide');
  expect(find(chains, { local: address('fd00::1') })).toBe('any');
  expect(find({ v6: { prefixRanges: [range('fd00::/8')] } }, { local: address('fd00::1') })).toBe('v6');
});

it('prefers an exact server name to the longest wildcard to none', () => {
  const chains = {
    none: {},
    short: { serverNames: ['*.example.com'] },
    long: { serverNames: ['*.a.example.com'] },
    exact: { serverNames: ['x.a.example.com'] },
  };
  const named = (serverName: string) => find(chains, { serverName });
  expect(['x.a.example.com', 'y.a.example.com', 'b.example.com', 'example.com', ''].map(named)).toEqual([
    'exact',
    'long',
    'short',
    'none',
    'none',
  ]);
});

it("takes the client's first protocol that a chain names", () => {
  const chains = { none: {}, h1: { applicationProtocols: ['http/1.1'] }, h2: { applicationProtocols: ['h2'] } };
  expect(find(chains, {}, ['h2', 'http/1.1'])).toBe('h2');
  expect(find(chains, {}, ['spdy', 'http/1.1'])).toBe('h1');
  expect(find(chains, {}, ['spdy'])).toBe('none');
});

it('tells raw from TLS', () => {
  const chains = { any: {}, tls: { transportProtocol: 'tls' } };
  expect(find(chains)).toBe('any');
  expect(find(chains, { transportProtocol: 'tls' })).toBe('tls');
});

it('tells who comes from this machine', () => {
  const chains = { any: {}, local: { sourceType: 'SAME_IP_OR_LOOPBACK' }, far: { sourceType: 'EXTERNAL' } } as const;
  expect(find(chains)).toBe('far');
  expect(find(chains, { remote: address('127.0.0.3') })).toBe('far');
  expect(find(chains, { remote: address('10.0.0.1') })).toBe('local');
  expect(find(chains, { remote: { kind: 'pipe', host: '', port: 0 } })).toBe('local');
});

it('looks at the source last: its direct address, its address, its port', () => {
  const directSourcePrefixRanges = [range('198.51.100.0/24')];
  expect(find({ any: {}, direct: { directSourcePrefixRanges } }, { directRemote: address('198.51.100.9') })).toBe(
    'direct',
  );
  expect(find({ any: {}, source: { sourcePrefixRanges: [range('192.0.2.0/24')] } })).toBe('source');
  expect(find({ any: {}, port: { sourcePorts: [999, 1000] } })).toBe('port');
  expect(find({ any: {}, port: { sourcePorts: [999] } })).toBe('any');
});
