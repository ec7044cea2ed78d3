import { onTestFinished } from 'vitest';
import { ClusterRuntime } from '../../../../src/cluster/cluster-runtime.ts';
import type { Cluster } from '../../../../src/cluster/cluster.ts';
import type { CountedAs } from '../../../../src/control/xds/subscription-stats.ts';
import { DirectoryWatches } from '../../../../src/control/xds/directory-watches.ts';
import type { SubscriptionsEnvironment } from '../../../../src/control/xds/subscriptions.ts';
import type { Address } from '../../../../src/core/peer.ts';
import type { ApiSourceData } from '../../../../src/identity/config-source-data.ts';
import { Loop } from '../../../../src/net/loop.ts';
import { NodeNetwork } from '../../../../src/net/node-network.ts';
import { LogFormat } from '../../../../src/observe/log/log-format.ts';
import { LogLevel } from '../../../../src/observe/log/level.ts';
import { LogLevels } from '../../../../src/observe/log/log-levels.ts';
import { LogWriter } from '../../../../src/observe/log/log-writer.ts';
import type { Log } from '../../../../src/observe/log/log.ts';
import { StatsStore } from '../../../../src/observe/stats/stats-store.ts';
import { NodeSchema, type Node } from '../../../../src/proto/envoy/config/core/v3/base_pb.js';
import { create } from '../../../../src/proto/protobuf.js';
import { WorkerStats } from '../../../../src/observe/stats/worker-stats.ts';
import { clusterData, hostData, World } from '../../cluster/cluster-fixture.ts';

/** The main thread around what asks control planes: its loop, its clusters, its log and its stats. */
export class XdsWorld implements SubscriptionsEnvironment {
  readonly loop = new Loop();
  readonly clock = this.loop.clock;
  readonly timers = this.loop.timers;
  /** 0: whatever ends is begun again at once. */
  readonly random = (): number => 0;
  readonly localAddress = '192.0.2.1';
  readonly log: Log;
  /** `level text`. */
  readonly lines: string[] = [];
  readonly watches: DirectoryWatches;
  readonly store = new StatsStore();
  readonly stats = new WorkerStats((batch) => this.store.receive('main_thread', batch)).root;
  private readonly clusters = new Map<string, Cluster>();

  /** Message names that were to be loaded. */
  readonly prepared: string[] = [];
  /** Null: whatever is to be loaded is there. */
  loading: Promise<void> | null = null;

  constructor() {
    const levels = new LogLevels();
    levels.setAll(LogLevel.Debug);
    const logs = new LogWriter({
      levels,
      format: new LogFormat('%l %v'),
      file: { write: (line) => void this.lines.push(line.trimEnd()), reopen: () => {} },
      origin: { threadId: 1, processId: 1, version: '' },
      isEscaped: false,
      now: () => 0,
    });
    this.log = logs.component('config');
    this.watches = new DirectoryWatches(this.clock, this.timers, () => this.loop.enter(), this.log);
  }

  node(): Node {
    return create(NodeSchema, { id: 'me', cluster: 'mine' });
  }

  readonly setText = (name: string, value: string): void => this.store.setText(name, value);

  enter(): void {
    this.loop.enter();
  }

  leave(): void {
    this.loop.leave();
  }

  prepare(kinds: readonly string[]): Promise<void> | null {
    this.prepared.push(...kinds);
    return this.loading;
  }

  cluster(name: string): Cluster | undefined {
    return this.clusters.get(name);
  }

  /** A cluster that speaks HTTP/2 to one host. */
  addCluster(name: string, address: Address): void {
    const world = new World();
    const network = new NodeNetwork(this.loop);
    const http = { ...clusterData().http, protocol: 'http2' as const };
    const data = world.data({ name, statName: name, hosts: [hostData('127.0.0.1', { address })], http });
    const cluster = new ClusterRuntime(data, { ...world.environment, network });
    onTestFinished(() => cluster.drain());
    this.clusters.set(name, cluster);
  }

  countedAs(name: string): CountedAs {
    return {
      scope: this.stats.scope('sds').scope(name),
      prefix: `sds.${name}`,
      setText: (text, value) => this.store.setText(text, value),
    };
  }

  /** Counters and gauges below a prefix that are not 0, and texts. */
  shown(prefix: string): Record<string, number | string> {
    const { counters, gauges, texts } = this.store.snapshot();
    const found = [...counters, ...gauges, ...texts].filter(
      ({ name, value }) => name.startsWith(prefix) && value !== 0,
    );
    return Object.fromEntries(found.map(({ name, value }) => [name.slice(prefix.length + 1), value]));
  }
}

/** A source over a cluster. */
export function apiSource(cluster: string, change: Partial<ApiSourceData> = {}): ApiSourceData {
  const service = {
    cluster,
    authority: '',
    timeoutMs: 0,
    initialMetadata: [],
    skipEnvoyHeaders: false,
    maxReceiveMessageLength: 0,
  };
  return {
    kind: 'api',
    protocol: 'GRPC',
    services: [service],
    rateLimit: null,
    nodeOnFirstMessageOnly: false,
    ...change,
  };
}
