import { describe, expect, it } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { originalDstDecoder } from '../../../../src/listener/filters/original-dst/decode.ts';
import { InspectedPeer } from '../../../../src/listener/filters/inspected-peer.ts';
import { Verdict, type Inspected } from '../../../../src/listener/filters/listener-filter.ts';
import { OriginalDst } from '../../../../src/listener/filters/original-dst/original-dst.ts';
import { formatAddress, noProtocols, type Address, type Peer } from '../../../../src/core/peer.ts';
import { SharedText } from '../../../../src/observe/filter-state.ts';

const remote: Address = { kind: 'ip', host: '10.0.0.1', port: 1 };
const local: Address = { kind: 'ip', host: '127.0.0.1', port: 15001 };
const original: Address = { kind: 'ip', host: '10.0.0.2', port: 80 };

function inspected(originalDestination: Address | null): InspectedPeer {
  const ends = { remote, local, directRemote: remote, directLocal: local, originalDestination };
  const peer = new InspectedPeer({ ...ends, applicationProtocols: noProtocols } as unknown as Peer);
  expect(new OriginalDst().inspect({ peer } as Inspected)).toBe(Verdict.Continue);
  return peer;
}

it('restores the address that a connection was going to', () => {
  const peer = inspected(original);
  expect([peer.local, peer.directLocal, peer.remote]).toEqual([original, local, remote]);
});

it('leaves a connection alone that nobody has redirected', () => {
  const peer = inspected(null);
  expect(peer.local).toBe(peer.directLocal);
});

describe('to an internal listener', () => {
  const inside: Address = { kind: 'internal', host: 'inside', port: 0 };
  const from: Address = { kind: 'internal', host: 'internal_client_address', port: 0 };
  const name = 'envoy.filters.listener.original_dst';

  function passed(local: string | null, state: Record<string, unknown>): readonly string[] {
    const peer = new InspectedPeer({
      remote: from,
      local: inside,
      directRemote: from,
      directLocal: inside,
      applicationProtocols: noProtocols,
      dynamicMetadata: local === null ? null : new Map([[name, { local }]]),
      filterState: new Map(Object.entries(state).map(([key, value]) => [`${name}.${key}`, value])),
    } as unknown as Peer);
    expect(new OriginalDst().inspect({ peer } as Inspected)).toBe(Verdict.Continue);
    return [peer.local, peer.remote].map(formatAddress);
  }

  it.for<[string, string | null, Record<string, unknown>, string, string]>([
    ['nothing', null, {}, 'envoy://inside/', 'envoy://internal_client_address/'],
    ['metadata', '1.2.3.4:5', { local_ip: '9.9.9.9:9' }, '1.2.3.4:5', 'envoy://internal_client_address/'],
    ['filter state', null, { local_ip: '[::1]:5', remote_ip: '1.1.1.1:1' }, '[::1]:5', '1.1.1.1:1'],
    [
      'what is shared further',
      null,
      { local_ip: new SharedText('1.2.3.4:5', true, true) },
      '1.2.3.4:5',
      'envoy://internal_client_address/',
    ],
    ['no address', null, { local_ip: 'a.test:80' }, 'envoy://inside/', 'envoy://internal_client_address/'],
  ])('%s says so', ([, metadata, state, local, remote]) => {
    expect(passed(metadata, state)).toEqual([local, remote]);
  });
});

it('has nothing to configure', () => {
  const reasons = new Reasons('filter');
  expect(originalDstDecoder.decode(new Uint8Array(), reasons, null!)).toBeNull();
  expect(reasons.list).toEqual([]);
});
