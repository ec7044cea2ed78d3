import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { buildTransports } from '../../../../../src/cluster/transport/build.ts';
import { internalTransportDecoder } from '../../../../../src/cluster/transport/internal/decode.ts';
import { isSecure, type InternalSocketData } from '../../../../../src/cluster/transport/transport-data.ts';
import { TransportWishes } from '../../../../../src/cluster/transport/transport-wishes.ts';
import type { Extensions } from '../../../../../src/core/extension.ts';
import { Reasons } from '../../../../../src/core/rejection.ts';
import type { DialOptions } from '../../../../../src/net/network.ts';
import { noTransportOptions, type TransportOptions } from '../../../../../src/net/transport.ts';
import { AddressText, SharedAddress, SharedText } from '../../../../../src/observe/filter-state.ts';
import { InternalUpstreamTransportSchema } from '../../../../../src/proto/envoy/extensions/transport_sockets/internal_upstream/v3/internal_upstream_pb.js';
import { MemoryNetwork } from '../../memory-network.ts';
import { RecordingStats } from '../../recording-stats.ts';

const extensions: Extensions = { open: () => null };

function decode(init: MessageInitShape<typeof InternalUpstreamTransportSchema>) {
  const reasons = new Reasons('socket');
  const bytes = toBinary(InternalUpstreamTransportSchema, create(InternalUpstreamTransportSchema, init));
  return {
    data: internalTransportDecoder.decode(bytes, reasons, extensions) as InternalSocketData,
    reasons: reasons.list,
  };
}

describe('decoding', () => {
  test('what is passed', () => {
    const { data, reasons } = decode({
      transportSocket: { name: 'envoy.transport_sockets.raw_buffer' },
      passthroughMetadata: [
        { kind: { kind: { case: 'host', value: {} } }, name: 'a' },
        { kind: { kind: { case: 'cluster', value: {} } }, name: 'b' },
      ],
    });
    expect(reasons).toEqual([]);
    expect(data).toEqual({
      kind: 'internal',
      inner: { kind: 'raw' },
      passed: [
        { of: 'host', name: 'a' },
        { of: 'cluster', name: 'b' },
      ],
    });
    expect(isSecure(data)).toBe(false);
  });

  test('metadata of others is refused', () => {
    const { reasons } = decode({ passthroughMetadata: [{ kind: { kind: { case: 'route', value: {} } }, name: 'a' }] });
    expect(reasons.map(({ message }) => message)).toEqual(['metadata type is not supported: route']);
  });
});

const names = { autoSni: false, autoSanValidation: false, header: '' };

function world(passed: InternalSocketData['passed'], clusterMetadata: Record<string, unknown> | null) {
  let dialled: DialOptions | null = null;
  class Network extends MemoryNetwork {
    override dial(...args: Parameters<MemoryNetwork['dial']>) {
      dialled = args[1];
      return super.dial(...args);
    }
  }
  const stats = new RecordingStats();
  const socket: InternalSocketData = { kind: 'internal', inner: { kind: 'raw' }, passed };
  const [transport] = buildTransports([{ name: 'default', match: null, socket }], {
    network: new Network(),
    txBytes: () => stats.counter('tx'),
    noMetadata: () => stats.counter('none'),
    metadata: clusterMetadata,
    buildTls: () => {
      throw new Error('no TLS here');
    },
  });
  const dial = (wanted: TransportOptions) => {
    const options = { connectTimeoutMs: 1, bufferLimit: 1, bindAddress: null, keepAliveSeconds: null };
    const handler = { onConnected: () => {}, onDialFailure: () => {} };
    transport.dial({ kind: 'internal', host: 'inside', port: 0 }, options, wanted, handler);
    return dialled?.passed;
  };
  return { transport, stats, dial };
}

describe('passing', () => {
  test('metadata of the host and of the cluster; what is missing is counted', () => {
    const passed = [
      { of: 'host', name: 'a' },
      { of: 'cluster', name: 'b' },
      { of: 'host', name: 'b' },
    ] as const;
    const { stats, dial } = world(passed, { b: { y: 2 } });
    const { metadata } = dial({ ...noTransportOptions, hostMetadata: { a: { x: 1 }, c: {} } })!;
    expect([...metadata!]).toEqual([
      ['a', { x: 1 }],
      ['b', { y: 2 }],
    ]);
    expect(stats.counter('none').value).toBe(1);
    expect(dial(noTransportOptions)!.metadata!.size).toBe(1);
    expect(stats.counter('none').value).toBe(3);
  });

  test('shared filter state: once, or further, and who shares a connection', () => {
    const { transport, dial } = world([], null);
    const wishes = new TransportWishes(names);
    const of = (state: Record<string, unknown> | null) =>
      wishes.of(transport, 'a.test', null, state === null ? null : new Map(Object.entries(state)), null);
    expect(of(null)).toBe(noTransportOptions);
    expect(of({ own: 'x' })).toBe(noTransportOptions);
    const far = new SharedText('far', false, true);
    const where = new SharedAddress('192.0.2.1:80', true, false);
    const options = of({ once: new SharedText('near', true, false), far, where, own: 'x' });
    expect([...dial(options)!.filterState!]).toEqual([
      ['once', 'near'],
      ['far', far],
      ['where', new AddressText('192.0.2.1:80')],
    ]);
    const keyOf = (text: string, isHashable: boolean) => of({ key: new SharedText(text, isHashable, false) }).key;
    expect(keyOf('a', true)).not.toBe(keyOf('b', true));
    expect(keyOf('a', false)).toBe(keyOf('b', false));
    // Connections that tell nobody are told apart as well, as in Envoy.
    const elsewhere = (isHashable: boolean) =>
      wishes.of(
        { isSecure: false, dial: transport.dial.bind(transport) },
        '',
        null,
        new Map([['key', new SharedText('a', isHashable, true)]]),
        null,
      );
    expect(elsewhere(true).key).toBe(keyOf('a', true));
    expect(elsewhere(false)).toBe(noTransportOptions);
  });
});
