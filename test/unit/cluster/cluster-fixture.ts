import { defaultClientOptions as defaultH2Options } from '../../../src/codec/h2/options.ts';
import { ClusterRuntime, type ClusterEnvironment } from '../../../src/cluster/cluster-runtime.ts';
import { emptyLocality, type BreakerData, type ClusterData, type HostData } from '../../../src/cluster/cluster-data.ts';
import { runtimeText, type RuntimeEntries } from '../../../src/control/runtime-data.ts';
import { RuntimeValues } from '../../../src/control/runtime-view.ts';
import { HealthMemory } from '../../../src/cluster/health/health-memory.ts';
import type { HostFinding } from '../../../src/cluster/outlier/outlier-data.ts';
import { HostCounters, type HostBlockMessage } from '../../../src/cluster/host/host-counters.ts';
import { UpstreamHost } from '../../../src/cluster/host/host.ts';
import { allotBreakerSlots } from '../../../src/cluster/limit/circuit-breaker.ts';
import type { PickContext } from '../../../src/cluster/cluster.ts';
import { SharedNumberDirectory, SharedNumbers } from '../../../src/observe/limit/shared-limit.ts';
import { plainTransports } from '../../../src/cluster/transport/transport-data.ts';
import { RawTransport } from '../../../src/net/raw-transport.ts';
import { MemoryNetwork } from './memory-network.ts';
import { RecordingStats } from './recording-stats.ts';

/** mulberry32: the same numbers in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function hostData(host: string, change: Partial<HostData> = {}): HostData {
  return {
    address: { kind: 'ip', host, port: 80 },
    hostname: '',
    weight: 1,
    priority: 0,
    locality: emptyLocality,
    localityWeight: 0,
    health: 'HEALTHY',
    canary: false,
    metadata: null,
    transport: 0,
    ...change,
  };
}

const { counters: _counters, headersBytesMax: _bytes, headersCountMax: _count, ...http2Data } = defaultH2Options;

export const breaker: BreakerData = {
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 1024,
  maxRetries: 3,
  retryBudget: null,
  trackRemaining: false,
};

export function clusterData(change: Partial<ClusterData> = {}): ClusterData {
  return {
    name: 'c',
    statName: 'c',
    discovery: { kind: 'static' },
    hosts: [hostData('10.0.0.1')],
    breakerSlots: [],
    connectTimeoutMs: 5000,
    bufferLimit: 1 << 20,
    lb: {
      policy: { kind: 'round-robin' },
      panicThreshold: 50,
      overprovisioningFactor: 140,
      weightedPriorityHealth: false,
      localityWeighted: false,
      failTrafficOnPanic: false,
      closeConnectionsOnHostSetChange: false,
    },
    breakers: [breaker, breaker],
    http: {
      idleTimeoutMs: 3_600_000,
      maxConnectionDurationMs: 0,
      maxRequestsPerConnection: 0,
      maxResponseHeaderCount: 100,
      maxResponseHeaderBytes: 81920,
      http1: {
        enableTrailers: false,
        allowChunkedLength: false,
        sendFullyQualifiedUrl: false,
        headerKeyFormat: 'lower',
      },
      protocol: 'http1',
      names: { autoSni: false, autoSanValidation: false, header: '' },
      http2: http2Data,
    },
    transports: plainTransports,
    transportMatcher: null,
    bindAddress: null,
    keepAliveSeconds: null,
    metadata: null,
    healthCheck: null,
    outlier: null,
    closesConnectionsOfUnfit: false,
    ...change,
  };
}

/** The runtime of these keys. */
export function runtimeOf(keys: Readonly<Record<string, string>>): RuntimeEntries {
  return new Map(Object.entries(keys).map(([key, text]) => [key, runtimeText(text)]));
}

/** One worker's world around its clusters, in memory. */
export class World {
  readonly network: MemoryNetwork;
  readonly stats: RecordingStats;
  readonly limits: SharedNumberDirectory;
  readonly runtime: RuntimeValues;
  readonly messages: HostBlockMessage[];
  readonly health: HealthMemory;
  readonly findings: HostFinding[];
  readonly environment: ClusterEnvironment;

  constructor(seed = 1) {
    this.network = new MemoryNetwork();
    this.stats = new RecordingStats();
    this.limits = new SharedNumberDirectory();
    this.messages = [];
    this.health = new HealthMemory();
    this.findings = [];
    this.runtime = new RuntimeValues();
    this.environment = {
      network: this.network,
      random: seededRandom(seed),
      stats: this.stats,
      runtime: this.runtime,
      shared: new SharedNumbers(this.limits.join('worker_0')),
      hostCounters: new HostCounters((message) => this.messages.push(message)),
      health: this.health,
      reportHost: (finding) => this.findings.push(finding),
      buildTls: () => {
        throw new Error('a test that needs TLS says how it is built');
      },
    };
  }

  data(change: Partial<ClusterData> = {}): ClusterData {
    const data = clusterData(change);
    return { ...data, breakerSlots: allotBreakerSlots(this.limits, data.name) };
  }

  cluster(change: Partial<ClusterData> = {}): ClusterRuntime {
    return new ClusterRuntime(this.data(change), this.environment);
  }
}

export function makeHost(data: HostData): UpstreamHost {
  return new UpstreamHost(
    'c',
    data.address.host,
    data,
    new HostCounters(() => {}),
    new RawTransport(new MemoryNetwork()),
  );
}

export const anyHost: PickContext = { random: 0, hash: null, rejects: () => false, hostSelectionAttempts: 0 };
