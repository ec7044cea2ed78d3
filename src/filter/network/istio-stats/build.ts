import type { Timed, Timers } from '../../../core/clock.ts';
import type { Clock } from '../../../core/clock.ts';
import type { IstioStatsData } from '../../istio/stats/istio-stats-data.ts';
import { isPeerRead } from '../../istio/stats/request-stats.ts';
import type { ConnectionSeries } from '../../istio/stats/series.ts';
import { Telemetry } from '../../istio/stats/telemetry.ts';
import {
  NetworkVerdict,
  type FilteredStream,
  type NetworkFilter,
  type NetworkFilterBuilder,
  type NetworkFilterFactory,
  type NetworkFilterTools,
} from '../network-filter.ts';

/** `istio.stats` of connections. */
class ConnectionStats implements NetworkFilterFactory {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly timers: Timers;

  constructor(telemetry: Telemetry, { clock, timers }: NetworkFilterTools) {
    this.telemetry = telemetry;
    this.clock = clock;
    this.timers = timers;
  }

  create(): NetworkFilter {
    return new CountedConnection(this);
  }
}

/** One connection: told once its peer is known, and at its end in any case. */
class CountedConnection implements NetworkFilter, Timed {
  deadline: number;
  heapIndex: number;
  heapKey: number;
  private readonly stats: ConnectionStats;
  private stream: FilteredStream | null;
  private series: ConnectionSeries | null;
  /** Of the telemetry, when the series were asked for. */
  private generation: number;
  private isOpenTold: boolean;
  private values: readonly string[];
  private flags: number;
  private toldSent: number;
  private toldReceived: number;

  constructor(stats: ConnectionStats) {
    this.deadline = Infinity;
    this.heapIndex = -1;
    this.heapKey = Infinity;
    this.stats = stats;
    this.stream = null;
    this.series = null;
    this.generation = 0;
    this.isOpenTold = false;
    this.values = [];
    this.flags = 0;
    this.toldSent = 0;
    this.toldReceived = 0;
  }

  onNewConnection(stream: FilteredStream): NetworkVerdict {
    this.stream = stream;
    this.wake();
    return NetworkVerdict.Continue;
  }

  onClosed(): void {
    this.stats.timers.cancel(this);
    this.tell(true);
    this.series?.closed?.inc();
    this.stats.telemetry.recordOwn(this.values, this.stats.clock.now);
    this.stream = null;
  }

  tick(): void {
    this.tell(false);
    this.wake();
  }

  private wake(): void {
    const { telemetry, timers, clock } = this.stats;
    if (telemetry.reportMs > 0) timers.schedule(this, clock.now + telemetry.reportMs);
  }

  private tell(isEnd: boolean): void {
    const { telemetry, clock } = this.stats;
    const { stream } = this;
    const outcome = stream?.connectionOutcome?.();
    if (stream === null || outcome === undefined) return;
    outcome.peer ??= stream.peer;
    outcome.filterState ??= stream.notes.filterState;
    telemetry.refresh(clock.now);
    const upstreamState = outcome.upstreamFilterState;
    const state = telemetry.reporter === 'source' && upstreamState !== null ? upstreamState : outcome.filterState;
    if (this.series === null || this.generation !== telemetry.generation) {
      if (!isEnd && !this.isOpenTold && !isPeerRead(telemetry.reporter, state)) return;
      const ends = telemetry.seriesOf(outcome, clock.now, upstreamState);
      if (!this.isOpenTold) {
        this.values = telemetry.valuesOf(outcome);
        this.flags = outcome.flags | stream.notes.flags;
      }
      this.series = ends.connection(this.flags, this.values, telemetry.askedMs(clock.now));
      this.generation = telemetry.generation;
    }
    const { series } = this;
    if (!this.isOpenTold) series.opened?.inc();
    this.isOpenTold = true;
    series.sent?.add(outcome.bytesSent - this.toldSent);
    series.received?.add(outcome.bytesReceived - this.toldReceived);
    this.toldSent = outcome.bytesSent;
    this.toldReceived = outcome.bytesReceived;
  }
}

export const networkIstioStatsBuilder: NetworkFilterBuilder = {
  kind: 'stats.PluginConfig',
  build(data, tools) {
    const { node = {}, trafficDirection = 'UNSPECIFIED', stats } = tools;
    return new ConnectionStats(new Telemetry(data as IstioStatsData, trafficDirection, node, stats), tools);
  },
};
