import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { RuntimeValues } from '../../../src/control/runtime-view.ts';
import type { Connection } from '../../../src/core/connection.ts';
import { TimerScale, type OverloadView } from '../../../src/core/overload-view.ts';
import { Admission } from '../../../src/listener/admission.ts';
import { ConnectionLimit } from '../../../src/listener/connection-limit.ts';
import type { ConfiguredFilter } from '../../../src/listener/filters/inspection.ts';
import { Verdict } from '../../../src/listener/filters/listener-filter.ts';
import type { ListenerData } from '../../../src/listener/listener-data.ts';
import { Listener } from '../../../src/listener/listener.ts';
import type { ActiveConnection, ConnectionHandler } from '../../../src/listener/network-filter.ts';
import { ProcessConnections } from '../../../src/listener/process-connections.ts';
import type { DownstreamTransport } from '../../../src/net/transport.ts';
import { Loop } from '../../../src/net/loop.ts';
import { NodeNetwork } from '../../../src/net/node-network.ts';
import { OwnCount, SharedNumberDirectory, SharedNumbers } from '../../../src/observe/limit/shared-limit.ts';
import type { Outcome } from '../../../src/observe/outcome.ts';
import { runtimeOf } from '../cluster/cluster-fixture.ts';
import { RecordingStats } from '../cluster/recording-stats.ts';
import { RecordingSink } from '../net/sockets.ts';

const network = new NodeNetwork(new Loop());
const data: ListenerData = {
  name: 'l',
  addresses: [{ kind: 'ip', host: '127.0.0.1', port: 0 }],
  reusePort: false,
  bindToPort: true,
  backlog: 128,
  ipv6Only: false,
  pipeMode: null,
  bufferLimit: 1 << 20,
  keepAliveSeconds: null,
  metadata: null,
  listenerFiltersTimeoutMs: 15_000,
  continueOnListenerFiltersTimeout: false,
} as unknown as ListenerData;

class Handler implements ConnectionHandler {
  readonly handled: string[] = [];
  readonly sinks: RecordingSink[] = [];
  ends = 0;
  isClosedByForce = false;
  private waiter: (() => void) | null = null;

  handle(connection: Connection, filterChainName: string): ActiveConnection {
    const sink = new RecordingSink();
    sink.onEnd = () => connection.end();
    connection.attach(sink);
    this.handled.push(filterChainName);
    this.sinks.push(sink);
    this.waiter?.();
    return { isIdle: true };
  }

  drain(): void {}

  end(): void {
    this.ends++;
  }

  closeAll(): void {
    this.isClosedByForce = true;
  }

  async count(size: number): Promise<void> {
    while (this.handled.length < size) await new Promise<void>((resolve) => (this.waiter = resolve));
  }
}

const shared = new SharedNumbers(new SharedNumberDirectory().join('worker_0'));
const runtime = new RuntimeValues();
const listeners: Listener[] = [];
const clients: Socket[] = [];
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.close();
  for (const client of clients.splice(0)) client.destroy();
  runtime.update(new Map());
});

function listen(
  handler: Handler | null,
  stats = new RecordingStats(),
  logged: Outcome[] = [],
  filters: readonly ConfiguredFilter[] = [],
  transport: DownstreamTransport | null = null,
  configured = data,
  admission?: Admission,
): Listener {
  const chains = handler === null ? [] : [{ name: 'chain', handler, transport, handshakeTimeoutMs: 70 }];
  const choice = { find: () => chains[0] ?? null };
  const accessLogs = [{ log: (outcome: Outcome) => logged.push(outcome) }];
  const made = new Listener(
    configured,
    { filters, chains, choice, accessLogs },
    {
      network,
      scope: stats,
      workerName: 'worker_0',
      processActive: stats.gauge('total_connections'),
      limit: new ConnectionLimit('l', shared.slot(0), runtime),
      admission,
    },
  );
  listeners.push(made);
  return made;
}

/** Who is let in, as far as a test says so. */
function door(
  overload: Partial<OverloadView>,
  { stats = new RecordingStats(), count = new OwnCount(), backlog = -1 } = {},
): Admission {
  return new Admission({
    scope: stats,
    limit: new ProcessConnections(count, null, runtime),
    ignoresLimit: false,
    overload: { connectionsMax: 0, action: () => null, shedPoint: () => null, timer: () => null, ...overload },
    backlog,
    random: Math.random,
  });
}

async function open(listener: Listener): Promise<number> {
  const [address] = await listener.open(null, null);
  return address.port;
}

function dial(port: number): Socket {
  const client = connect(port, '127.0.0.1');
  client.on('error', () => {});
  clients.push(client);
  return client;
}

it('hands connections to the filter chain, and counts them', async () => {
  const [handler, stats] = [new Handler(), new RecordingStats()];
  const listener = listen(handler, stats);
  const port = await open(listener);
  const client = dial(port);
  dial(port);
  await handler.count(2);
  expect(handler.handled).toEqual(['chain', 'chain']);
  expect(listener.activeConnections).toBe(2);
  client.end();
  await Promise.race(handler.sinks.map((sink) => sink.closed));
  expect(listener.activeConnections).toBe(1);
  expect(stats.read('')).toMatchObject({
    downstream_cx_total: 2,
    downstream_cx_active: 1,
    downstream_cx_destroy: 1,
    'worker_0.downstream_cx_total': 2,
    'worker_0.downstream_cx_active': 1,
  });
});

it('closes more connections than the runtime allows', async () => {
  const [handler, stats] = [new Handler(), new RecordingStats()];
  const port = await open(listen(handler, stats));
  const before = shared.slot(0).load();
  runtime.update(runtimeOf({ 'envoy.resource_limits.listener.l.connection_limit': String(before + 1) }));
  const client = dial(port);
  await handler.count(1);
  await once(dial(port), 'close');
  expect(stats.read('')).toMatchObject({ downstream_cx_total: 1, downstream_cx_overflow: 1, total_connections: 1 });
  client.end();
  await handler.sinks[0].closed;
  dial(port);
  await handler.count(2);
});

it('who has to wait for the process to have less to do is served then, with what was sent meanwhile', async () => {
  const [handler, stats, stops] = [new Handler(), new RecordingStats(), { value: 1 }];
  const count = new OwnCount();
  const admission = door(
    { action: (name) => (name === 'stop_accepting_connections' ? stops : null) },
    { stats, count, backlog: 1 },
  );
  const listener = listen(handler, stats, [], [], null, data, admission);
  const port = await open(listener);
  const client = dial(port);
  client.write('early');
  // The queue has one place: the second is closed when the first waits.
  await once(dial(port), 'close');
  expect([handler.handled, listener.activeConnections, count.load()]).toEqual([[], 0, 0]);
  stops.value = 0;
  listener.overloadChanged();
  await handler.count(1);
  client.end();
  await handler.sinks[0].closed;
  expect(handler.sinks[0].text).toBe('early');
  expect([listener.activeConnections, count.load()]).toEqual([0, 0]);
});

it('handshakes have the less time the more the process has to do', async () => {
  const times: number[] = [];
  const transport: DownstreamTransport = {
    accept(connection, timeoutMs) {
      times.push(timeoutMs);
      return connection;
    },
  };
  const state = { value: 0 };
  const admission = door(
    { timer: (name) => (name === 'TRANSPORT_SOCKET_CONNECT' ? new TimerScale(state, { kind: 'ms', ms: 10 }) : null) },
    {},
  );
  const handler = new Handler();
  const port = await open(listen(handler, new RecordingStats(), [], [], transport, data, admission));
  dial(port);
  await handler.count(1);
  state.value = 0.5;
  dial(port);
  await handler.count(2);
  expect(times).toEqual([70, 40]);
});

it('who waits and goes meanwhile is no more than a connection that ends', async () => {
  const [handler, stops, count] = [new Handler(), { value: 1 }, new OwnCount()];
  const admission = door(
    { action: (name) => (name === 'stop_accepting_connections' ? stops : null) },
    { count, backlog: 2 },
  );
  const listener = listen(handler, new RecordingStats(), [], [], null, data, admission);
  const port = await open(listener);
  const [first, second] = [dial(port), dial(port)];
  first.write('x');
  // Behind these two it is full, so that they are known to wait.
  await once(dial(port), 'close');
  first.resetAndDestroy();
  second.end();
  await once(dial(port), 'close');
  stops.value = 0;
  listener.overloadChanged();
  await handler.count(2);
  await Promise.all(handler.sinks.map((sink) => sink.closed));
  expect([listener.activeConnections, count.load()]).toEqual([0, 0]);
});

it('closes what no filter chain wants, and logs why', async () => {
  const stats = new RecordingStats();
  const logged: Outcome[] = [];
  const listener = listen(null, stats, logged);
  const port = await open(listener);
  const client = dial(port);
  client.resume();
  await once(client, 'close');
  expect(stats.read('')).toMatchObject({ no_filter_chain_match: 1 });
  expect(logged.map(({ details }) => details)).toEqual(['filter_chain_not_found']);
});

it('logs a connection when it has closed, with what its filter chain knows of it', async () => {
  const [handler, logged] = [new Handler(), [] as Outcome[]];
  const listener = listen(handler, new RecordingStats(), logged);
  const client = dial(await open(listener));
  await handler.count(1);
  expect(logged).toEqual([]);
  client.end('hello');
  await handler.sinks[0].closed;
  expect(logged).toMatchObject([
    { filterChainName: 'chain', bytesReceived: 5, accessLogType: 'NotSet', flags: 0, peer: { remote: { kind: 'ip' } } },
  ]);
  expect(logged[0].endMs).toBeGreaterThanOrEqual(logged[0].startMs);
});

it('lets its filters look first, and logs who dies there', async () => {
  const [handler, stats, logged] = [new Handler(), new RecordingStats(), [] as Outcome[]];
  const filter = {
    inspect: ({ bytes }: { bytes: Uint8Array }) => (bytes.length < 5 ? Verdict.NeedMore : Verdict.Continue),
  };
  const listener = listen(handler, stats, logged, [{ filter, isDisabled: null }]);
  const port = await open(listener);
  const good = dial(port);
  const bad = dial(port);
  good.write('hello');
  await handler.count(1);
  await handler.sinks[0].received(5);
  const gone = new Promise((resolve) => bad.on('error', () => {}).on('close', resolve));
  bad.end('x');
  while (logged.length === 0) await new Promise(setImmediate);
  expect(logged).toMatchObject([{ filterChainName: '', connectionId: 0 }]);
  expect(stats.read('')).toMatchObject({ downstream_cx_total: 1, downstream_listener_filter_remote_close: 1 });
  await gone;
  expect(listener.activeConnections).toBe(1);
});

it('hands over what its transport makes of a connection, and counts that once', async () => {
  const [handler, stats] = [new Handler(), new RecordingStats()];
  const timeouts: number[] = [];
  let isReleased = false;
  const transport: DownstreamTransport = {
    accept: (raw, handshakeTimeoutMs) => {
      timeouts.push(handshakeTimeoutMs);
      return raw;
    },
    release: () => {
      isReleased = true;
    },
  };
  const listener = listen(handler, stats, [], [], transport);
  const client = dial(await open(listener));
  await handler.count(1);
  client.end();
  await handler.sinks[0].closed;
  expect([timeouts, listener.activeConnections]).toEqual([[70], 0]);
  expect(stats.read('')).toMatchObject({ downstream_cx_total: 1, downstream_cx_destroy: 1 });
  await new Promise<void>((resolve) => listener.end(resolve));
  expect(isReleased).toBe(true);
});

it('takes over the socket of the one before it, with all who wait there', async () => {
  const [before, after] = [new Handler(), new Handler()];
  const old = listen(before);
  const [address] = await old.open(null, null);
  const successor = listen(after);
  expect(await successor.open(null, old)).toEqual([address]);
  old.close();
  dial(address.port);
  await after.count(1);
  expect(before.handled).toEqual([]);
});

it('takes it over to be bound to the port that the one before it got', async () => {
  const [before, after] = [new Handler(), new Handler()];
  const old = listen(before);
  const addresses = await old.open(null, null);
  const successor = listen(after, undefined, undefined, undefined, undefined, { ...data, addresses });
  expect(await successor.open(null, old)).toEqual(addresses);
  old.close();
  dial(addresses[0].port);
  await after.count(1);
  expect(before.handled).toEqual([]);
});

it('has ended when the last connection has gone', async () => {
  const handler = new Handler();
  const listener = listen(handler);
  const port = await open(listener);
  const client = dial(port);
  await handler.count(1);
  const done = new Promise<void>((resolve) => listener.end(resolve));
  expect(handler.ends).toBe(1);
  await expect(once(dial(port), 'connect')).rejects.toThrow('ECONNREFUSED');
  expect(listener.activeConnections).toBe(1);
  client.end();
  await done;
  expect(listener.activeConnections).toBe(0);
});

it('is retired when the drain time has closed what is left', async () => {
  const handler = new Handler();
  const listener = listen(handler);
  const client = dial(await open(listener));
  await handler.count(1);
  let isDone = false;
  listener.retire(60_000, () => {
    isDone = true;
  });
  expect([handler.isClosedByForce, isDone]).toEqual([false, false]);
  listener.tick();
  expect(handler.isClosedByForce).toBe(true);
  client.end();
  await handler.sinks[0].closed;
  expect(isDone).toBe(true);
});
