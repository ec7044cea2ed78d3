import { create, toBinary } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Connection, ConnectionSink } from '../../../../../src/core/connection.ts';
import { ClosedByPeer } from '../../../../../src/core/failures.ts';
import { Reasons } from '../../../../../src/core/rejection.ts';
import { unknownWorkload, Workload } from '../../../../../src/filter/istio/workload/workload.ts';
import { metadataExchangeBuilder } from '../../../../../src/filter/network/metadata-exchange/build.ts';
import { metadataExchangeDecoder } from '../../../../../src/filter/network/metadata-exchange/decode.ts';
import { writeFrame } from '../../../../../src/filter/network/metadata-exchange/frame.ts';
import type { NetworkFilterTools } from '../../../../../src/filter/network/network-filter.ts';
import type { ConnectionHandler } from '../../../../../src/listener/network-filter.ts';
import type { ConnectionNotes } from '../../../../../src/observe/connection-notes.ts';
import { Outcome } from '../../../../../src/observe/outcome.ts';
import { MetadataExchangeSchema } from '../../../../../src/proto/istio/metadata_exchange_pb.js';
import { FilteredHandler } from '../../../../../src/proxy/network/filtered-handler.ts';
import { MemoryConnection } from '../../../cluster/memory-network.ts';
import { TestStats } from '../../filter-fixture.ts';

const theirs = new Workload({ ...unknownWorkload, workload: 'theirs' });
const ours = { id: 'us', metadata: { WORKLOAD_NAME: 'ours' } };
const ourFrame = Buffer.from(writeFrame('us', new Workload({ ...unknownWorkload, workload: 'ours' }))).toString(
  'latin1',
);
const theirFrame = Buffer.from(writeFrame('them', theirs));
const looked = new Workload({ ...unknownWorkload, workload: 'looked up' });

let stats = new TestStats();
beforeEach(() => {
  stats = new TestStats();
});

function tools(): NetworkFilterTools {
  const workloads = { byAddress: (address: string) => (address === '10.0.0.1' ? looked : null) };
  return { stats, node: ours, workloads } as unknown as NetworkFilterTools;
}

function dataOf(fields: { enableDiscovery?: boolean } = {}): unknown {
  const message = create(MetadataExchangeSchema, { protocol: 'istio-peer-exchange', ...fields });
  const reasons = new Reasons();
  const data = metadataExchangeDecoder.decode(toBinary(MetadataExchangeSchema, message), reasons, { open: () => null });
  expect(reasons.list).toEqual([]);
  return data;
}

/** Writes down what comes. */
class Sink implements ConnectionSink {
  readonly heard: string[] = [];

  onBytes(chunk: Uint8Array): void {
    this.heard.push(Buffer.from(chunk).toString('latin1'));
  }

  onDrain(): void {}

  onEnd(): void {
    this.heard.push('end');
  }

  onClosed(): void {
    this.heard.push('closed');
  }
}

function connection(alpn: string, host = '10.0.0.1'): MemoryConnection {
  const made = new MemoryConnection(1, { kind: 'ip', host, port: 5 });
  return Object.assign(made, { peer: { ...made.peer, alpn } });
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

describe('of a listener', () => {
  function world(alpn: string, fields = {}, host = '10.0.0.1') {
    const client = connection(alpn, host);
    const sink = new Sink();
    const outcome = new Outcome();
    outcome.upstreamHost = '10.0.0.1:80';
    const seen: { connection: Connection | null; notes: ConnectionNotes | null } = { connection: null, notes: null };
    const terminal = {
      handle(inner: Connection, _name: string, notes: ConnectionNotes) {
        Object.assign(seen, { connection: inner, notes });
        inner.attach(sink);
        return { isIdle: true, connectionOutcome: () => outcome };
      },
    } as unknown as ConnectionHandler;
    new FilteredHandler([metadataExchangeBuilder.build(dataOf(fields), tools())], terminal).handle(client, 'chain');
    return { client, sink, inner: seen.connection!, state: seen.notes!.filterState };
  }

  it('the frame of a client tells who it is, and is answered by ours', () => {
    const { client, sink, state } = world('istio-peer-exchange');
    client.receive(latin1(theirFrame.subarray(0, 5)));
    client.receive(latin1(theirFrame.subarray(5, 30)));
    expect(sink.heard).toEqual([]);
    client.receive(latin1(Buffer.concat([theirFrame.subarray(30), Buffer.from('hello')])));
    client.receive('more');
    client.peerEnded();
    expect(sink.heard).toEqual(['hello', 'more', 'end']);
    expect(client.take()).toBe(ourFrame);
    expect(Workload.in(state, 'downstream_peer')!.workload).toBe('theirs');
    expect(stats.used).toEqual({
      'metadata_exchange.alpn_protocol_found': 1,
      'metadata_exchange.metadata_added': 1,
      'metadata_exchange.initial_header_not_found': 1,
    });
  });

  it('ours goes first where a server speaks first', () => {
    const { client, inner } = world('istio-peer-exchange');
    inner.write(Buffer.from('banner'));
    inner.writeLatin1('!');
    expect(client.take()).toBe(`${ourFrame}banner!`);
  });

  it('without the protocol nothing is exchanged, and the client is who lives at its address', () => {
    const { client, sink, inner, state } = world('istio', { enableDiscovery: true });
    client.receive('hello');
    inner.write(Buffer.from('hi'));
    expect(sink.heard).toEqual(['hello']);
    expect(client.take()).toBe('hi');
    expect(Workload.in(state, 'downstream_peer')).toBe(looked);
    expect(Workload.in(state, 'upstream_peer')).toBe(looked);
    const stranger = world('istio', { enableDiscovery: true }, '10.0.0.9');
    stranger.client.receive('hello');
    expect(stranger.state.get('peer_not_found')).toBe(true);
    expect(stats.used).toEqual({
      'metadata_exchange.alpn_protocol_not_found': 2,
      'metadata_exchange.metadata_added': 1,
    });
  });

  it('a client that says it would and does not is nobody, and nothing of what it says is lost', () => {
    const { client, sink, state } = world('istio-peer-exchange');
    client.receive('GET / HTTP/1.1');
    expect(sink.heard).toEqual(['GET / HTTP/1.1']);
    expect(state.get('peer_not_found')).toBe(true);
    const short = world('istio-peer-exchange');
    short.client.receive('GET');
    short.client.peerEnded();
    expect(short.sink.heard).toEqual(['GET', 'end']);
    const malformed = world('istio-peer-exchange');
    malformed.client.receive(latin1(Buffer.from([0x3d, 0x23, 0x04, 0x67, 0, 0, 0, 2, 255, 255, 65])));
    expect(malformed.sink.heard).toEqual(['\u{ff}\u{ff}A']);
    expect(stats.values.get('metadata_exchange.header_not_found')).toBe(1);
  });
});

describe('of a cluster', () => {
  function world(alpn: string, fields = {}) {
    const server = connection(alpn);
    const found = new Map<string, unknown>();
    const host = { addressText: '10.0.0.1:80', metadata: null };
    const filter = metadataExchangeBuilder.buildUpstream!(dataOf(fields), tools());
    const used = filter.connected(server, host, found);
    const sink = new Sink();
    used.attach(sink);
    return { server, used, sink, found };
  }

  it('ours goes in front of what is said first, and the server’s is taken away', () => {
    const { server, used, sink, found } = world('istio-peer-exchange');
    used.write(Buffer.from('query'));
    used.write(Buffer.from('!'));
    expect(server.take()).toBe(`${ourFrame}query!`);
    for (const byte of theirFrame) server.receive(latin1(Uint8Array.of(byte)));
    expect(sink.heard).toEqual([]);
    server.receive('answer');
    server.peerEnded();
    server.close(ClosedByPeer);
    expect(sink.heard).toEqual(['answer', 'end', 'closed']);
    expect(Workload.in(found, 'upstream_peer')!.workload).toBe('theirs');
  });

  it('a server that speaks first hears of us then', () => {
    const { server, sink } = world('istio-peer-exchange');
    server.receive(latin1(Buffer.concat([theirFrame, Buffer.from('banner')])));
    expect(server.take()).toBe(ourFrame);
    expect(sink.heard).toEqual(['banner']);
  });

  it('without the protocol the connection is as it is', () => {
    const { server, used, found } = world('', { enableDiscovery: true });
    expect(used).toBe(server);
    expect(Workload.in(found, 'upstream_peer')).toBe(looked);
    expect([...world('').found]).toEqual([['peer_not_found', true]]);
  });

  it('a server that ends in the middle of its frame is nobody', () => {
    const { server, sink, found } = world('istio-peer-exchange');
    server.receive(latin1(theirFrame.subarray(0, 4)));
    server.peerEnded();
    expect(sink.heard).toEqual([theirFrame.subarray(0, 4).toString('latin1'), 'end']);
    expect(found.get('peer_not_found')).toBe(true);
  });
});
