import type { Failure } from '../../core/failure.ts';
import { formatAddress, type Address } from '../../core/peer.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { TransportOptions, UpstreamTransport } from '../../net/transport.ts';
import type { HostData, LocalityData } from '../cluster-data.ts';
import type { Cluster, Host } from '../cluster.ts';
import { HealthCell, type HealthMemory } from '../health/health-memory.ts';
import type { HostConnections } from './host-connections.ts';
import { HostStat, hostStatCount, type HostBlock, type HostCounters } from './host-counters.ts';
import { endpointFlags, flagsOfEndpoint, isDegraded, isExcluded, isHealthy, HealthFlag } from './host-health.ts';
import type { ClusterLoad } from '../lb/balancer.ts';
import type { HttpConnectionPool } from '../pool/http-pool.ts';
import type { KeyedPools } from '../pool/keyed-pools.ts';
import type { TcpConnectionPool } from '../pool/tcp-pool.ts';

/** Who watches the results of hosts. As the methods of `Host` that are named alike. */
export interface HostMonitor {
  onResult(host: UpstreamHost, status: number, failure: Failure | null): void;
  onAnswer(host: UpstreamHost, request: RequestHead, answer: ResponseHead): void;
  onConnected(host: UpstreamHost, isFinal: boolean): void;
  onTimeout(host: UpstreamHost, status: number): void;
}

/** What a host must know of its pools. */
export interface HostPool {
  /** Finish what you carry, open nothing that nobody waits for, and say `poolDrained` at the end. */
  drain(): void;
  /** The host is unfit: what is open is not worth keeping. Absent: it finishes what it carries. */
  closeConnections?(): void;
}

/** A host of one cluster in one worker. Weight, health and priority follow updates; its pools live as long as it does. */
export class UpstreamHost implements Host {
  /** `hostKeys` of its cluster. */
  readonly key: string;
  readonly address: Address;
  readonly addressText: string;
  readonly hostname: string;
  readonly locality: LocalityData;
  readonly zone: string;
  priority: number;
  weight: number;
  localityWeight: number;
  canary: boolean;
  metadata: Readonly<Record<string, unknown>> | null;
  activeRequests: number;
  /** Bits of HealthFlag. */
  healthFlags: number;
  /** Where its health is in shared memory; -1: nobody watches it. */
  healthSlot: number;
  monitor: HostMonitor | null;
  /** Null: its cluster does not limit them. */
  connections: HostConnections | null;
  /** The cluster that it is of, in its worker; null: none. */
  owner: Cluster | null;
  /** Of its cluster. */
  load: ClusterLoad;
  /** When it was first, or again, known to be healthy, for slow start; NaN: nobody has said so. */
  healthySinceMs: number;
  transport: UpstreamTransport;
  /** Its name is the SNI of connections to it, unless who asks for one says another. */
  isServerName: boolean;
  /** Index: routing priority, and twice the PoolProtocol. */
  httpPools: (HttpConnectionPool | null)[];
  tcpPoolDefault: TcpConnectionPool | null;
  tcpPoolHigh: TcpConnectionPool | null;
  /** Null: nobody has asked anything of its transport. */
  keyedPools: KeyedPools | null;
  private readonly cluster: string;
  private readonly blocks: HostCounters;
  private block: HostBlock | null;
  private values: Float64Array | null;
  private isGone: boolean;
  private whenUnused: (() => void) | null;
  /** Every pool that may still have a connection. */
  private readonly pools: Set<HostPool>;

  constructor(cluster: string, key: string, data: HostData, blocks: HostCounters, transport: UpstreamTransport) {
    this.key = key;
    this.address = data.address;
    this.addressText = formatAddress(data.address);
    this.hostname = data.hostname;
    this.locality = data.locality;
    this.zone = data.locality.zone;
    this.priority = data.priority;
    this.weight = data.weight;
    this.localityWeight = data.localityWeight;
    this.canary = data.canary;
    this.metadata = data.metadata;
    this.activeRequests = 0;
    this.healthFlags = flagsOfEndpoint(data.health);
    this.healthSlot = data.healthSlot ?? -1;
    this.monitor = null;
    this.connections = null;
    this.owner = null;
    this.load = { active: 0 };
    this.healthySinceMs = NaN;
    this.transport = transport;
    this.isServerName = false;
    this.httpPools = [null, null, null, null, null, null];
    this.tcpPoolDefault = null;
    this.tcpPoolHigh = null;
    this.keyedPools = null;
    this.cluster = cluster;
    this.blocks = blocks;
    this.block = null;
    this.values = null;
    this.isGone = false;
    this.whenUnused = null;
    this.pools = new Set();
  }

  /** False: the data describe another host, though at the same address. */
  isDescribedBy(data: HostData): boolean {
    // Of a host that has a key of its own.
    if (formatAddress(data.address) !== this.addressText) return false;
    const { region, zone, subZone } = data.locality;
    const here = this.locality;
    return data.hostname === this.hostname && region === here.region && zone === here.zone && subZone === here.subZone;
  }

  /** Takes over what may change without the host being another. Open connections stay as they are. */
  update(data: HostData, transport: UpstreamTransport): void {
    this.transport = transport;
    this.priority = data.priority;
    this.weight = data.weight;
    this.localityWeight = data.localityWeight;
    this.canary = data.canary;
    this.metadata = data.metadata;
    this.healthFlags = (this.healthFlags & ~endpointFlags) | flagsOfEndpoint(data.health);
    this.healthSlot = data.healthSlot ?? -1;
  }

  /** Takes over what active checks and outlier detection have found. True: it may not be used any more. */
  readHealth(memory: HealthMemory): boolean {
    const wasFit = this.isHealthy || this.isDegraded;
    const found = this.healthSlot < 0 ? 0 : memory.load(this.healthSlot, HealthCell.Flags);
    const wasFailing = (this.healthFlags & HealthFlag.FailedActiveCheck) !== 0;
    this.healthFlags = (this.healthFlags & endpointFlags) | found;
    // It starts slowly again; the balancer, which is told of the change, says from when.
    if (wasFailing && this.isHealthy) this.healthySinceMs = NaN;
    return wasFit && !this.isHealthy && !this.isDegraded;
  }

  get isSecure(): boolean {
    return this.transport.isSecure;
  }

  get isHealthy(): boolean {
    return isHealthy(this.healthFlags);
  }

  get isDegraded(): boolean {
    return isDegraded(this.healthFlags);
  }

  get isExcluded(): boolean {
    return isExcluded(this.healthFlags);
  }

  /** Its counters in shared memory, by HostStat; made when first asked for. */
  get counters(): Float64Array {
    return this.values ?? this.openBlock();
  }

  recordResult(status: number, failure: Failure | null): void {
    const counters = this.counters;
    const stat = failure !== null || status >= 500 ? HostStat.RqError : HostStat.RqSuccess;
    counters[stat] = counters[stat] + 1;
    if (this.monitor !== null) this.monitor.onResult(this, status, failure);
  }

  recordAnswer(request: RequestHead, answer: ResponseHead): void {
    const counters = this.counters;
    const stat = answer.status >= 500 ? HostStat.RqError : HostStat.RqSuccess;
    counters[stat] = counters[stat] + 1;
    if (this.monitor !== null) this.monitor.onAnswer(this, request, answer);
  }

  recordConnected(isFinal: boolean): void {
    if (isFinal) {
      const counters = this.counters;
      counters[HostStat.RqSuccess] = counters[HostStat.RqSuccess] + 1;
    }
    if (this.monitor !== null) this.monitor.onConnected(this, isFinal);
  }

  recordTimeout(status = 504): void {
    const counters = this.counters;
    counters[HostStat.RqTimeout] = counters[HostStat.RqTimeout] + 1;
    if (this.monitor !== null && status !== 0) this.monitor.onTimeout(this, status);
  }

  /** What a connection to it is asked for by who asks for `options`. */
  optionsOf(options: TransportOptions): TransportOptions {
    const wanted = this.transport.passesState === true ? { ...options, hostMetadata: this.metadata } : options;
    if (!this.isServerName || options.serverName !== '' || this.hostname === '') return wanted;
    return { ...wanted, serverName: this.hostname };
  }

  /** Called by a pool when it is made. */
  poolOpened(pool: HostPool): void {
    this.pools.add(pool);
    if (this.isGone) pool.drain();
  }

  /** Called by a pool whose last connection has gone after `drain`. */
  poolDrained(pool: HostPool): void {
    this.pools.delete(pool);
    this.becomeUnused();
  }

  /** The host has left its cluster: pools finish what they carry and close, and `whenUnused` is told then. */
  leave(whenUnused: () => void): void {
    this.isGone = true;
    this.whenUnused = whenUnused;
    for (const pool of this.pools) pool.drain();
    this.becomeUnused();
  }

  /** Connections finish what they carry and close; who comes next finds new pools. */
  renewPools(): void {
    this.httpPools = [null, null, null, null, null, null];
    this.keyedPools = null;
    this.tcpPoolDefault = null;
    this.tcpPoolHigh = null;
    for (const pool of this.pools) pool.drain();
  }

  /** It has become unfit. `isAtOnce`: plain connections do not finish what they carry. */
  failed(isAtOnce: boolean): void {
    const pools = [...this.pools];
    this.renewPools();
    if (isAtOnce) for (const pool of pools) pool.closeConnections?.();
  }

  private openBlock(): Float64Array {
    // Who still holds a host that has left may count on, but nobody asks for its numbers.
    if (!this.isGone) this.block = this.blocks.open(this.cluster, this.key);
    this.values = this.block === null ? new Float64Array(hostStatCount) : this.block.values;
    return this.values;
  }

  private becomeUnused(): void {
    if (!this.isGone || this.pools.size > 0) return;
    const { whenUnused } = this;
    this.whenUnused = null;
    whenUnused?.();
    if (this.block === null) return;
    this.blocks.close(this.block);
    this.block = null;
    this.values = null;
  }
}
