import type { ExpressionData } from '../../../observe/expression/expression-data.ts';

/** `stats.PluginConfig` as plain data. */
export interface IstioStatsData {
  /** `auto`: by the direction of the listener. */
  readonly reporter: 'auto' | 'gateway';
  /** Where a cluster does not say which service it is, the request's host does. */
  readonly trustsHost: boolean;
  /** How often what connections and gRPC streams have carried is told; 0: at their ends. */
  readonly reportMs: number;
  /** Series that nothing was counted by for so long are forgotten, after the second one has passed, too; 0: never. */
  readonly rotationMs: number;
  readonly deletionMs: number;
  /** Names without their prefix. */
  readonly dropped: readonly string[];
  /** What is asked of streams, for tags and for values of definitions. */
  readonly expressions: readonly ExpressionData[];
  /** By names of metrics without their prefix, those of `definitions` too; absent: tags are as they are. */
  readonly tags: Readonly<Record<string, TagChangesData>>;
  readonly definitions: readonly MetricDefinitionData[];
}

export interface TagChangesData {
  /** Tag → the expression that it becomes; null: it goes. */
  readonly changed: Readonly<Record<string, number | null>>;
  /** Behind those that there are. */
  readonly added: readonly (readonly [tag: string, expression: number])[];
}

/** A metric of a configuration's own. */
export interface MetricDefinitionData {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly value: number;
}

/** Istio's metrics without their prefix. */
export const standardMetrics = [
  'requests_total',
  'request_duration_milliseconds',
  'request_bytes',
  'response_bytes',
  'request_messages_total',
  'response_messages_total',
  'tcp_connections_opened_total',
  'tcp_connections_closed_total',
  'tcp_sent_bytes_total',
  'tcp_received_bytes_total',
] as const;
export type StandardMetric = (typeof standardMetrics)[number];

/** Tags of Istio's metrics. */
export const standardTags: ReadonlySet<string> = new Set([
  'reporter',
  'source_workload',
  'source_workload_namespace',
  'source_principal',
  'source_app',
  'source_version',
  'source_canonical_service',
  'source_canonical_revision',
  'source_cluster',
  'destination_workload',
  'destination_workload_namespace',
  'destination_principal',
  'destination_app',
  'destination_version',
  'destination_service',
  'destination_service_name',
  'destination_service_namespace',
  'destination_canonical_service',
  'destination_canonical_revision',
  'destination_cluster',
  'request_protocol',
  'response_flags',
  'connection_security_policy',
  'response_code',
  'grpc_response_status',
]);
