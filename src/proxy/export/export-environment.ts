import type { Clusters } from '../../cluster/cluster.ts';
import type { Clock, Timers } from '../../core/clock.ts';
import type { RuntimeView } from '../../core/runtime-view.ts';
import type { CallOuts } from '../../filter/call-outs.ts';
import type { StatsScope } from '../../observe/stats/stats.ts';

/** Who sends: what collectors are told of this proxy. */
export interface ExportNode {
  readonly id: string;
  readonly cluster: string;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string };
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What exporters need of their worker. */
export interface ExportEnvironment {
  readonly clusters: Clusters;
  readonly callOuts: CallOuts;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly runtime: RuntimeView;
  /** The root scope. */
  readonly stats: StatsScope;
  readonly node: ExportNode;
  /** This machine's address. */
  readonly localAddress: string;
  /** 0 ≤ x < 1. */
  random(): number;
}

/** How this proxy calls itself towards collectors. */
export const exporterName = 'sekisho';
export const exporterAgent = 'OTel-OTLP-Exporter-sekisho';

/** Requests of one exporter that wait for their answers: more is dropped, and counted. */
export const callsMax = 64;
/** Of an answer, which says nothing of use. */
export const answerBytesMax = 1024 * 1024;
