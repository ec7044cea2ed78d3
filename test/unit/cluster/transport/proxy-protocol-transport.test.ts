import { expect, test } from 'vitest';
import { buildTransports } from '../../../../src/cluster/transport/build.ts';
import type { ProxyProtocolSocketData } from '../../../../src/cluster/transport/transport-data.ts';
import type { Connection } from '../../../../src/core/connection.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import { RemoteConnectionFailure } from '../../../../src/core/failures.ts';
import type { Peer } from '../../../../src/core/peer.ts';
import type { DialHandler } from '../../../../src/net/network.ts';
import { noTransportOptions } from '../../../../src/net/transport.ts';
import { MemoryConnection, MemoryNetwork } from '../memory-network.ts';
import { RecordingStats } from '../recording-stats.ts';

class Handler implements DialHandler {
  connection: Connection | null = null;
  failure: Failure | null = null;

  onConnected(connection: Connection): void {
    this.connection = connection;
  }

  onDialFailure(failure: Failure): void {
    this.failure = failure;
  }
}

const options = { connectTimeoutMs: 1, bufferLimit: 1, bindAddress: null, keepAliveSeconds: null };
const address = { kind: 'ip', host: '10.0.0.9', port: 80 } as const;
const signature = '0d0a0d0a000d0a515549540a';

function world(change: Partial<ProxyProtocolSocketData>) {
  const network = new MemoryNetwork();
  const stats = new RecordingStats();
  const socket: ProxyProtocolSocketData = {
    kind: 'proxy-protocol',
    inner: { kind: 'raw' },
    version: 2,
    passedTlvs: [],
    addedTlvs: [],
    isTlvInKey: false,
    ...change,
  };
  const [transport] = buildTransports([{ name: 'default', match: null, socket }], {
    network,
    txBytes: () => stats.counter('tx'),
    noMetadata: () => stats.counter('none'),
    metadata: null,
    buildTls: () => {
      throw new Error('no TLS here');
    },
  });
  const handler = new Handler();
  const said = (downstream: Peer | null): string => {
    transport.dial(address, options, { ...noTransportOptions, downstream }, handler);
    return Buffer.from(network.dials.at(-1)!.succeed().take(), 'latin1').toString('hex');
  };
  return { transport, network, handler, stats, said };
}

const client = (change: Partial<Peer> = {}): Peer => ({
  ...new MemoryConnection(1, { kind: 'ip', host: '10.0.0.1', port: 5000 }).peer,
  local: { kind: 'ip', host: '10.0.0.2', port: 80 },
  ...change,
});

test('the header goes first, and counts', () => {
  const { said, handler, stats } = world({});
  expect(said(client())).toBe(`${signature}2111000c0a0000010a00000213880050`);
  expect(handler.connection).not.toBeNull();
  expect(stats.counter('tx').value).toBe(28);
});

test('without a client it says whose it is: version 1 its own ends, version 2 nobody', () => {
  expect(world({}).said(null)).toBe(`${signature}20000000`);
  const text = Buffer.from(world({ version: 1 }).said(null), 'hex').toString();
  expect(text).toBe('PROXY TCP4 127.0.0.1 10.0.0.9 1 80\r\n');
});

test('TLVs: those that are added, then the client’s own that are let through', () => {
  const tlv = (type: number, text: string) => ({ type, value: Buffer.from(text) });
  const peer = client({ proxyTlvs: [tlv(1, 'a'), tlv(2, 'b'), tlv(3, 'c')] });
  const tail = (hex: string): string => hex.slice(`${signature}2111xxxx`.length + 24);
  expect(tail(world({}).said(peer))).toBe('');
  expect(tail(world({ passedTlvs: [2] }).said(peer))).toBe('02000162');
  expect(tail(world({ passedTlvs: 'all', addedTlvs: [tlv(2, 'x')] }).said(peer))).toBe('020001780100016103000163');
});

test('connections of one client are for that client', () => {
  const key = (change: Partial<ProxyProtocolSocketData>, peer: Peer): string =>
    world(change).transport.downstreamKey!(peer);
  const other = client({ remote: { kind: 'ip', host: '10.0.0.1', port: 5001 } });
  const told = client({ proxyTlvs: [{ type: 1, value: Buffer.from('a') }] });
  expect(key({}, client())).toBe(key({}, told));
  expect(key({}, client())).not.toBe(key({}, other));
  expect(key({ isTlvInKey: true }, client())).not.toBe(key({ isTlvInKey: true }, told));
});

test('a failure is passed on', () => {
  const { transport, network, handler } = world({});
  transport.dial(address, options, noTransportOptions, handler);
  network.dials[0].fail(RemoteConnectionFailure);
  expect(handler.failure).toBe(RemoteConnectionFailure);
});
