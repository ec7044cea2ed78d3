import { expect, it } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { noProtocols, type Address, type Peer } from '../../../../src/core/peer.ts';
import { originalSrcDecoder } from '../../../../src/listener/filters/original-src/decode.ts';
import { InspectedPeer } from '../../../../src/listener/filters/inspected-peer.ts';
import { Verdict, type Inspected } from '../../../../src/listener/filters/listener-filter.ts';
import { OriginalSrc } from '../../../../src/listener/filters/original-src/original-src.ts';
import { OriginalSrcSchema } from '../../../../src/proto/envoy/extensions/filters/listener/original_src/v3/original_src_pb.js';
import { create, toBinary } from '../../../../src/proto/protobuf.js';

const socket: Address = { kind: 'ip', host: '10.0.0.1', port: 1 };

function inspected(remote: Address): InspectedPeer {
  const ends = { remote, local: socket, directRemote: remote, directLocal: socket };
  return new InspectedPeer({ ...ends, applicationProtocols: noProtocols } as unknown as Peer);
}

it('lets connections for a client leave from its address', () => {
  const peer = inspected(socket);
  expect(peer.source).toBeNull();
  const filter = new OriginalSrc({ mark: 7 });
  expect(filter.inspect({ peer } as Inspected)).toBe(Verdict.Continue);
  expect(peer.source).toEqual({ host: '10.0.0.1', mark: 7 });
});

it('takes the address that another filter has restored', () => {
  const peer = inspected(socket);
  peer.restore({ kind: 'ip', host: '2001:db8::1', port: 5 }, peer.local);
  new OriginalSrc({ mark: 0 }).inspect({ peer } as Inspected);
  expect(peer.source).toEqual({ host: '2001:db8::1', mark: 0 });
});

it('leaves a client alone that has no IP address', () => {
  const peer = inspected({ kind: 'pipe', host: '/s', port: 0 });
  new OriginalSrc({ mark: 0 }).inspect({ peer } as Inspected);
  expect(peer.source).toBeNull();
});

it('is decoded', () => {
  const reasons = new Reasons();
  const bytes = toBinary(OriginalSrcSchema, create(OriginalSrcSchema, { mark: 5, bindPort: true }));
  expect(originalSrcDecoder.decode(bytes, reasons, null!)).toEqual({ mark: 5 });
  expect(reasons.list).toEqual([]);
});
