import type { Clock, Timers } from '../../core/clock.ts';
import { runtimeInteger, runtimePercent, type RuntimeView } from '../../core/runtime-view.ts';
import type { Address } from '../../core/peer.ts';
import type { DialHandler, Dialing } from '../../net/network.ts';
import { noTransportOptions, type TransportOptions, type UpstreamTransport } from '../../net/transport.ts';
import type { StatsScope } from '../../observe/stats/stats.ts';
import type { ClusterData, HostData } from '../cluster-data.ts';
import { ClusterDialing } from '../cluster-dialing.ts';
import { ClientCodecs } from '../protocol/client-codecs.ts';
import { namesHost } from '../transport/transport-data.ts';
import { CheckStats } from './check-stats.ts';
import type { EventLines } from './event-lines.ts';
import { HealthEventLog } from './event-log.ts';
import type { HealthCheckData } from './health-check-data.ts';
import { GrpcProbe } from './probe/grpc-probe.ts';
import { HttpProbe } from './probe/http-probe.ts';
import type { Probe, ProbePlace, ProbeUser, ProbeWords } from './probe/probe.ts';
import { TcpProbe } from './probe/tcp-probe.ts';
import { HealthSession, Transition, type SessionContext } from './session.ts';
import type { WatchedHost } from './watched-host.ts';

/** A connection that is not there by then has failed as a check before. */
const connectMarginMs = 1000;

export interface CheckerTools {
  readonly clock: Clock;
  readonly timers: Timers;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly runtime: RuntimeView;
  /** Of the cluster. */
  readonly scope: StatsScope;
  readonly lines: EventLines;
  readonly words: ProbeWords;
  /** Same order as the cluster's transports. */
  readonly transports: readonly UpstreamTransport[];
  /** Anybody has used the cluster. */
  isUsed(): boolean;
  /** Every result. */
  onResult(host: WatchedHost, isHealthy: boolean): void;
}

/** The active checks of one cluster, in the main thread. Source: Envoy `HealthCheckerImplBase`. */
export class ClusterChecker implements SessionContext {
  readonly data: HealthCheckData;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly stats: CheckStats;
  readonly events: HealthEventLog;
  private readonly cluster: ClusterData;
  private readonly tools: CheckerTools;
  private readonly codecs: ClientCodecs;
  /** By host key. */
  private readonly sessions: Map<string, HealthSession>;
  /** Hosts of the first round that have had no result yet; null: it has not begun. */
  private firstRound: Set<WatchedHost> | null;
  private waiting: (() => void)[];

  constructor(cluster: ClusterData, data: HealthCheckData, tools: CheckerTools) {
    this.cluster = cluster;
    this.data = data;
    this.clock = tools.clock;
    this.timers = tools.timers;
    this.tools = tools;
    this.stats = new CheckStats(tools.scope);
    this.events = new HealthEventLog(tools.lines, data.probe.kind);
    this.codecs = new ClientCodecs(cluster.http, tools.scope);
    this.sessions = new Map();
    this.firstRound = null;
    this.waiting = [];
  }

  /** The cluster's hosts are these now. */
  update(hosts: readonly WatchedHost[]): void {
    const now = new Map(hosts.map((host) => [host.key, host]));
    for (const [key, session] of this.sessions) {
      if (now.get(key) === session.host) continue;
      session.stop();
      this.sessions.delete(key);
      this.leaveFirstRound(session.host);
    }
    const added = hosts.filter((host) => !this.sessions.has(host.key) && host.data.healthCheck?.isDisabled !== true);
    this.firstRound ??= new Set(added);
    for (const host of added) {
      const session = new HealthSession(host, this, (user) => this.makeProbe(host.data, user));
      this.sessions.set(host.key, session);
      session.start();
    }
  }

  /** Resolves when every host that was there at the beginning has had a result, or has gone. */
  whenWarm(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.sayIfWarm();
    });
  }

  /** An answer to a request has said that its host is not to be used. */
  failPassively(host: string): void {
    this.sessions.get(host)?.failPassively();
  }

  stop(): void {
    for (const session of this.sessions.values()) session.stop();
    this.sessions.clear();
    this.firstRound = new Set();
    this.sayIfWarm();
  }

  // SessionContext

  interval(isHealthy: boolean, transition: Transition): number {
    const { data } = this;
    const isPending = transition === Transition.Pending;
    let baseMs: number;
    if (!this.tools.isUsed()) baseMs = isHealthy && !isPending ? data.noTrafficHealthyMs : data.noTrafficMs;
    else if (isHealthy) baseMs = isPending ? data.healthyEdgeMs : data.intervalMs;
    else baseMs = isPending ? data.unhealthyEdgeMs : data.unhealthyMs;
    return this.withJitter(baseMs, data.intervalJitterMs);
  }

  initialDelay(): number {
    const { initialJitterMs } = this.data;
    return initialJitterMs === 0 ? 0 : this.withJitter(0, initialJitterMs);
  }

  onResult(host: WatchedHost, isHealthy: boolean): void {
    this.tools.onResult(host, isHealthy);
    this.leaveFirstRound(host);
  }

  private withJitter(baseMs: number, jitterMs: number): number {
    const { random, runtime } = this.tools;
    const percentMs = Math.floor((this.data.intervalJitterPercent * baseMs) / 100);
    const delayMs = baseMs + Math.floor(random() * percentMs) + Math.floor(random() * jitterMs);
    const min = runtimeInteger(runtime, 'health_check.min_interval', 0);
    const max = runtimeInteger(runtime, 'health_check.max_interval', Number.MAX_SAFE_INTEGER);
    return Math.max(1, min, Math.min(delayMs, max));
  }

  private leaveFirstRound(host: WatchedHost): void {
    if (this.firstRound?.delete(host) === true) this.sayIfWarm();
  }

  private sayIfWarm(): void {
    if (this.firstRound === null || this.firstRound.size > 0) return;
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  private makeProbe(host: HostData, user: ProbeUser): Probe {
    const { probe, timeoutMs } = this.data;
    const place = this.placeOf(host);
    switch (probe.kind) {
      case 'http':
        return new HttpProbe(probe, place, user, this.tools.words, this.stats.verifyCluster);
      case 'tcp':
        return new TcpProbe(probe, place, user);
      case 'grpc':
        return new GrpcProbe(probe, timeoutMs, place, user, this.tools.words);
    }
  }

  private placeOf(host: HostData): ProbePlace {
    const { clock, timers, codecs, data, cluster, tools } = this;
    const index = data.transport ?? host.transport;
    const transport = tools.transports[index];
    const isNamed = namesHost(cluster.transports[index].socket);
    const options: TransportOptions = {
      ...noTransportOptions,
      applicationProtocols: data.alpn,
      serverName: isNamed ? host.hostname : '',
    };
    const address: Address = host.healthCheck?.address ?? host.address;
    const dialOptions = new ClusterDialing(cluster, data.timeoutMs + connectMarginMs).to(address);
    return {
      clock,
      timers,
      codecs,
      authority: (configured) => host.healthCheck?.hostname || configured || cluster.name,
      isSecure: transport.isSecure,
      reusesConnection: data.reusesConnection,
      verifiesCluster: () => runtimePercent(tools.runtime, 'health_check.verify_cluster', 100, tools.random()),
      dial: (handler: DialHandler): Dialing => transport.dial(address, dialOptions, options, handler),
    };
  }
}
