import { expressionEngine, type Expression } from '../../../observe/expression/expressions.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import type { StatsScope } from '../../../observe/stats/stats.ts';
import { ownInMetrics, type NodeOfWorkload } from '../workload/own-workload.ts';
import type { WorkloadFields } from '../workload/workload.ts';
import { factsOf, labelsOf, type EndFacts, type Reporter } from './ends.ts';
import { standardMetrics, type IstioStatsData, type MetricDefinitionData } from './istio-stats-data.ts';
import { Metric } from './metric.ts';
import { StatsRegistry } from './registry.ts';
import { EndsSeries, type Metrics } from './series.ts';

/** Pairs of ends that are remembered, of each configuration and worker; more are looked up by name again. */
const endsMax = 10_000;

const noValues: readonly string[] = [];

/** A map of maps, by the parts of EndFacts. */
type Level = Map<unknown, unknown>;

/** One `istio.stats` configuration in one worker, for requests and for connections. */
export class Telemetry {
  readonly reporter: Reporter;
  readonly reportMs: number;
  /** Grows when series may have been forgotten: whoever keeps some asks anew. */
  generation: number;
  private readonly data: IstioStatsData;
  private readonly own: WorkloadFields;
  private readonly registry: StatsRegistry;
  private readonly metrics: Metrics;
  private readonly definitions: readonly { readonly metric: Metric; readonly data: MetricDefinitionData }[];
  private readonly expressions: readonly Expression[];
  private known: Level;
  private knownCount: number;
  /** The ends of the last stream, which are mostly those of the next one, too. */
  private last: EndsSeries | null;
  private rotatesAtMs: number;
  /** Of the registry. */
  private seenGeneration: number;

  /** `root`: of all stats. */
  constructor(data: IstioStatsData, direction: string, node: NodeOfWorkload, root: StatsScope) {
    const registry = StatsRegistry.of(root);
    const sidecar = direction === 'INBOUND' ? 'destination' : 'source';
    this.reporter = data.reporter === 'gateway' ? 'waypoint' : sidecar;
    this.reportMs = data.reportMs;
    this.generation = 0;
    this.data = data;
    this.own = ownInMetrics(node);
    this.registry = registry;
    const metricOf = (name: string) => new Metric(name, data.tags[name] ?? null, data.dropped.includes(name), registry);
    this.metrics = Object.fromEntries(standardMetrics.map((name) => [name, metricOf(name)])) as Record<
      (typeof standardMetrics)[number],
      Metric
    >;
    this.definitions = data.definitions.map((one) => ({ metric: metricOf(one.name), data: one }));
    this.expressions = data.expressions.map((one) => expressionEngine().build(one, true, true));
    this.known = new Map();
    this.knownCount = 0;
    this.last = null;
    this.rotatesAtMs = data.rotationMs > 0 ? 0 : Infinity;
    this.seenGeneration = registry.generation;
    this.tellVersion(node);
  }

  /** Of a stream or connection, with what its upstream connection's filters found out, if it has any. */
  seriesOf(outcome: Outcome, nowMs: number, upstreamState: ReadonlyMap<string, unknown> | null = null): EndsSeries {
    this.refresh(nowMs);
    const facts = factsOf(this.reporter, outcome, this.data.trustsHost, upstreamState);
    const { last } = this;
    if (last !== null && isSame(last.facts, facts)) return last;
    this.last = this.find(facts);
    return this.last;
  }

  /** Before `generation` is looked at by whoever keeps series. */
  refresh(nowMs: number): void {
    if (nowMs >= this.rotatesAtMs) this.rotate(nowMs);
    if (this.seenGeneration === this.registry.generation) return;
    this.seenGeneration = this.registry.generation;
    this.forgetEnds();
  }

  /** What the configuration's expressions come to; an error is `unknown`. */
  valuesOf(outcome: Outcome): readonly string[] {
    return this.expressions.length === 0 ? noValues : this.expressions.map((one) => one.text(outcome) ?? 'unknown');
  }

  /** The time to ask for stats with. */
  askedMs(nowMs: number): number {
    return this.rotatesAtMs === Infinity ? Infinity : nowMs;
  }

  /** The metrics that the configuration defines itself, at the end of a stream or connection. */
  recordOwn(values: readonly string[], nowMs: number): void {
    for (const { metric, data } of this.definitions) {
      const tags = metric.tags([], values);
      const amount = wholeNumber(values[data.value]);
      const askedMs = this.askedMs(nowMs);
      if (data.kind === 'counter') this.registry.counter(metric.name, tags, askedMs).add(amount);
      else if (data.kind === 'gauge') this.registry.gauge(metric.name, tags, askedMs).set(amount);
      else this.registry.histogram(metric.name, tags, askedMs).record(amount);
    }
  }

  private find(facts: EndFacts): EndsSeries {
    const byPeer = below(below(this.known, facts.peer), facts.endpoint);
    const byService = below(below(byPeer, facts.service), facts.specialName || facts.host);
    const byPrincipal = below(byService, facts.peerPrincipal);
    let series = byPrincipal.get(facts.ownPrincipal) as EndsSeries | undefined;
    if (series !== undefined && isSame(series.facts, facts)) return series;
    series = new EndsSeries(facts, labelsOf(this.reporter, facts, this.own), this.policyOf(facts), this.metrics);
    byPrincipal.set(facts.ownPrincipal, series);
    if (++this.knownCount > endsMax) this.forgetEnds();
    return series;
  }

  /** As Istio: only a server knows how it is reached. */
  private policyOf({ peerPrincipal, ownPrincipal }: EndFacts): string {
    if (this.reporter === 'source') return 'unknown';
    return peerPrincipal !== '' && ownPrincipal !== '' ? 'mutual_tls' : 'none';
  }

  private rotate(nowMs: number): void {
    const { rotationMs, deletionMs } = this.data;
    this.rotatesAtMs = nowMs + rotationMs;
    this.forgetEnds();
    this.registry.sweep(nowMs - rotationMs - deletionMs);
  }

  private forgetEnds(): void {
    this.generation++;
    this.known = new Map();
    this.knownCount = 0;
    this.last = null;
  }

  private tellVersion({ metadata }: NodeOfWorkload): void {
    const version = metadata?.ISTIO_VERSION;
    const tags = ['component', 'proxy', 'tag', typeof version === 'string' && version !== '' ? version : 'unknown'];
    this.registry.fact('istio_build', tags).set(1);
  }
}

function below(level: Level, key: unknown): Level {
  let next = level.get(key) as Level | undefined;
  if (next === undefined) level.set(key, (next = new Map()));
  return next;
}

function isSame(a: EndFacts, b: EndFacts): boolean {
  return (
    a.peer === b.peer &&
    a.endpoint === b.endpoint &&
    a.service === b.service &&
    a.specialName === b.specialName &&
    a.host === b.host &&
    a.peerPrincipal === b.peerPrincipal &&
    a.ownPrincipal === b.ownPrincipal
  );
}

/** As Istio reads the value of a metric; what is no number is 0. */
function wholeNumber(text: string | undefined): number {
  return text !== undefined && /^\s*\+?\d{1,19}\s*$/.test(text) ? Number(text) : 0;
}
