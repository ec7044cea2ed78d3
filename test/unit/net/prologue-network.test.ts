import { expect, test } from 'vitest';
import type { Connection } from '../../../src/core/connection.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { RemoteConnectionFailure } from '../../../src/core/failures.ts';
import type { DialHandler } from '../../../src/net/network.ts';
import { PrologueNetwork } from '../../../src/net/prologue-network.ts';
import { RawTransport } from '../../../src/net/raw-transport.ts';
import { noTransportOptions } from '../../../src/net/transport.ts';
import { MemoryNetwork } from '../cluster/memory-network.ts';

class Handler implements DialHandler {
  /** What had been written when it was told. */
  written: string | null = null;
  failure: Failure | null = null;

  onConnected(connection: Connection): void {
    this.written = (connection as unknown as { written: string }).written;
  }

  onDialFailure(failure: Failure): void {
    this.failure = failure;
  }
}

const address = { kind: 'ip', host: '10.0.0.1', port: 80 } as const;
const options = { connectTimeoutMs: 1, bufferLimit: 1, bindAddress: null, keepAliveSeconds: null };

test('a connection says its prologue before anybody has it', () => {
  const inner = new MemoryNetwork();
  const network = new PrologueNetwork(inner);
  const handler = new Handler();
  const prologue = (connection: Connection): Uint8Array => Buffer.from(`to ${connection.peer.remote.host}`);
  network.dial(address, { ...options, prologue }, handler);
  network.dial(address, { ...options, prologue }, handler);
  inner.dials[0].succeed();
  inner.dials[1].fail(RemoteConnectionFailure);
  expect(handler).toMatchObject({ written: 'to 10.0.0.1', failure: RemoteConnectionFailure });
});

test('without one it is as it was', async () => {
  const inner = new MemoryNetwork();
  const network = new PrologueNetwork(inner);
  const handler = new Handler();
  new RawTransport(network).dial(address, options, noTransportOptions, handler);
  inner.dials[0].succeed();
  expect(handler.written).toBe('');
  expect(network.clock).toBe(inner.clock);
  await expect(network.listen(address, {} as never, {} as never)).rejects.toThrow('nobody listens in memory');
});
