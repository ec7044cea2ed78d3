import { expect, it } from 'vitest';
import { chooseByMatch, chooseByName } from '../../../../src/listener/filter-chain/chain-choice.ts';
import { anything } from '../../../../src/listener/filter-chain/match-decode.ts';
import { networkInputs } from '../../../../src/listener/filter-chain/network-inputs.ts';
import type { FilterChain } from '../../../../src/listener/listener.ts';
import type { MatcherData } from '../../../../src/match/matcher-data.ts';
import { socketPeer } from '../filters/look.ts';

const chain = (name: string): FilterChain => ({ name, handler: null!, transport: null, handshakeTimeoutMs: 0 });
const [one, two, rest] = ['one', 'two', 'rest'].map(chain);
const equals = (data: unknown) => ({ matches: (text: string) => text === data });

it('is by what chains ask for, and else the default', () => {
  const choice = chooseByMatch([{ match: { ...anything, destinationPort: 1 }, chain: one }], rest);
  expect(choice.find(socketPeer)).toBe(rest);
  expect(choice.find({ ...socketPeer, local: { ...socketPeer.local, port: 1 } })).toBe(one);
  expect(chooseByMatch([], null).find(socketPeer)).toBeNull();
});

it('is by name, and a name that nobody has is nobody’s', () => {
  const entry = (key: string, action: string) => ({ key, onMatch: { kind: 'action', action } }) as const;
  const data: MatcherData = {
    tree: { kind: 'exact', input: 'ServerNameInput', entries: [entry('a', 'one'), entry('b', 'two'), entry('c', 'x')] },
    onNoMatch: null,
  };
  const choice = chooseByName(data, [one, two], rest, equals);
  const named = (serverName: string) => choice.find({ ...socketPeer, serverName });
  expect([named('a'), named('b'), named('c'), named('')]).toEqual([one, two, null, rest]);
});

it('knows what of a connection matchers look at', () => {
  const peer = {
    ...socketPeer,
    serverName: 'a.test',
    transportProtocol: 'tls' as const,
    applicationProtocols: ['h2', 'http/1.1'],
    directRemote: { kind: 'ip' as const, host: '192.0.2.99', port: 1 },
  };
  expect(Object.fromEntries(Object.entries(networkInputs).map(([name, input]) => [name, input(peer)]))).toEqual({
    DestinationIPInput: '10.0.0.1',
    DestinationPortInput: '8080',
    SourceIPInput: '192.0.2.7',
    SourcePortInput: '4000',
    DirectSourceIPInput: '192.0.2.99',
    SourceTypeInput: null,
    ServerNameInput: 'a.test',
    TransportProtocolInput: 'tls',
    ApplicationProtocolInput: "'h2','http/1.1'",
  });
  const pipe = { kind: 'pipe' as const, host: '/run/x', port: 0 };
  const nobody = { ...socketPeer, remote: pipe, local: pipe, directRemote: pipe };
  expect(Object.fromEntries(Object.entries(networkInputs).map(([name, input]) => [name, input(nobody)]))).toMatchObject(
    {
      DestinationIPInput: null,
      DestinationPortInput: null,
      SourceIPInput: null,
      SourcePortInput: null,
      DirectSourceIPInput: null,
      SourceTypeInput: 'local',
      ServerNameInput: null,
      ApplicationProtocolInput: null,
    },
  );
});
