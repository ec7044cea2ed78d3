import { expect, it } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { originalDstDecoder } from '../../../../src/listener/filters/original-dst/decode.ts';
import { InspectedPeer } from '../../../../src/listener/filters/inspected-peer.ts';
import { Verdict, type Inspected } from '../../../../src/listener/filters/listener-filter.ts';
import { OriginalDst } from '../../../../src/listener/filters/original-dst/original-dst.ts';
import { noProtocols, type Address, type Peer } from '../../../../src/core/peer.ts';

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

it('has nothing to configure', () => {
  const reasons = new Reasons('filter');
  expect(originalDstDecoder.decode(new Uint8Array(), reasons, null!)).toBeNull();
  expect(reasons.list).toEqual([]);
});
