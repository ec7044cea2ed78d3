import { durationMs } from '../../../core/duration.ts';
import type { ExtensionDecoder } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import {
  MetricConfigSchema,
  MetricDefinitionSchema,
  MetricType,
  PluginConfigSchema,
  Reporter,
  type MetricConfig,
  type MetricDefinition,
} from '../../../proto/istio/stats_pb.js';
import { fromBinary } from '../../../proto/protobuf.js';
import {
  standardMetrics,
  standardTags,
  type IstioStatsData,
  type MetricDefinitionData,
  type TagChangesData,
} from './istio-stats-data.ts';
import { ParsedExpressions } from './parsed-expressions.ts';

/** Istio's defaults. */
const defaultReportMs = 5000;
const defaultDeletionMs = 300_000;
const deletionMsMin = 1000;

const fields = new SupportedFields(
  PluginConfigSchema,
  [
    'disable_host_header_fallback',
    'tcp_reporting_duration',
    'metrics',
    'definitions',
    'reporter',
    'rotation_interval',
    'graceful_deletion_interval',
  ],
  // Of the WebAssembly extension that there was before.
  ['debug', 'max_peer_cache_size', 'stat_prefix', 'field_separator', 'value_separator'],
);
// Istio has never done anything by `match`.
const metricFields = new SupportedFields(
  MetricConfigSchema,
  ['dimensions', 'name', 'tags_to_remove', 'drop'],
  ['match'],
);
const definitionFields = new SupportedFields(MetricDefinitionSchema, ['name', 'value', 'type']);

const kinds: Readonly<Record<number, MetricDefinitionData['kind']>> = {
  [MetricType.GAUGE]: 'gauge',
  [MetricType.HISTOGRAM]: 'histogram',
};

export const istioStatsDecoder: ExtensionDecoder = {
  kind: PluginConfigSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): IstioStatsData {
    const message = fromBinary(PluginConfigSchema, bytes);
    fields.check(message, reasons);
    const rotationMs = durationMs(message.rotationInterval, 0);
    const deletionMs = durationMs(message.gracefulDeletionInterval, defaultDeletionMs);
    if (rotationMs > 0 && (deletionMs < deletionMsMin || deletionMs >= rotationMs))
      reasons
        .at('graceful_deletion_interval')
        .add(`is ${deletionMs} ms: it is at least ${deletionMsMin} ms and less than rotation_interval`);
    const expressions = new ParsedExpressions();
    const changes = new Changes(expressions);
    message.definitions.forEach((one, i) => changes.define(one, reasons.at('definitions', i)));
    message.metrics.forEach((one, i) => changes.change(one, reasons.at('metrics', i)));
    return {
      reporter: message.reporter === Reporter.SERVER_GATEWAY ? 'gateway' : 'auto',
      trustsHost: !message.disableHostHeaderFallback,
      reportMs: durationMs(message.tcpReportingDuration, defaultReportMs),
      rotationMs,
      deletionMs,
      dropped: [...changes.dropped],
      expressions: expressions.list,
      tags: Object.fromEntries(changes.tags),
      definitions: changes.definitions,
    };
  },
};

type Changed = { changed: Record<string, number | null>; added: [string, number][] } & TagChangesData;

/**
 * What a configuration makes of Istio's metrics, in its order. As Istio: an expression that cannot be parsed takes its tag
 * away, and names that nothing has change nothing.
 */
class Changes {
  readonly dropped: Set<string>;
  readonly tags: Map<string, Changed>;
  readonly definitions: MetricDefinitionData[];
  private readonly expressions: ParsedExpressions;

  constructor(expressions: ParsedExpressions) {
    this.dropped = new Set();
    this.tags = new Map();
    this.definitions = [];
    this.expressions = expressions;
  }

  define(message: MetricDefinition, reasons: Reasons): void {
    definitionFields.check(message, reasons);
    const { name } = message;
    const isTaken = isStandard(name) || this.definitions.some((one) => one.name === name);
    const value = this.expressions.of(message.value);
    if (isTaken || value === null) return;
    this.definitions.push({ name, kind: kinds[message.type] ?? 'counter', value });
  }

  change(message: MetricConfig, reasons: Reasons): void {
    metricFields.check(message, reasons);
    const { name } = message;
    if (message.drop) {
      if (isStandard(name)) this.dropped.add(name);
      return;
    }
    const standard = name === '' ? standardMetrics : standardMetrics.filter((one) => one === name);
    const own = this.definitions.map((one) => one.name).filter((one) => name === '' || one === name);
    for (const tag of message.tagsToRemove) {
      if (standardTags.has(tag)) for (const metric of standard) this.of(metric).changed[tag] = null;
    }
    for (const tag of Object.keys(message.dimensions).sort()) {
      this.setTag(tag, this.expressions.of(message.dimensions[tag]), standard, own);
    }
  }

  private setTag(tag: string, value: number | null, standard: readonly string[], own: readonly string[]): void {
    if (standardTags.has(tag)) for (const metric of standard) this.of(metric).changed[tag] = value;
    else if (value !== null) for (const metric of standard) this.of(metric).added.push([tag, value]);
    if (value !== null) for (const metric of own) this.of(metric).added.push([tag, value]);
  }

  private of(metric: string): Changed {
    let changed = this.tags.get(metric);
    if (changed === undefined) this.tags.set(metric, (changed = { changed: {}, added: [] }));
    return changed;
  }
}

function isStandard(name: string): boolean {
  return (standardMetrics as readonly string[]).includes(name);
}
