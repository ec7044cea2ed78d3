import { durationMs } from '../../core/duration.ts';
import type { Extensions } from '../../core/extension.ts';
import { fieldValue } from '../../core/field-value.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import type { Cluster } from '../../proto/envoy/config/cluster/v3/cluster_pb.js';
import {
  HealthCheck_GrpcHealthCheckSchema,
  HealthCheck_TlsOptionsSchema,
  HealthCheckSchema,
  type HealthCheck,
  type HealthCheck_GrpcHealthCheck,
} from '../../proto/envoy/config/core/v3/health_check_pb.js';
import type { TransportChoice } from '../transport/transport-choice.ts';
import type { HealthCheckData, ProbeData } from './health-check-data.ts';
import { decodeHttpProbe, type DecodeProbeWords } from './probe/http-decode.ts';
import { decodeTcpProbe } from './probe/tcp-decode.ts';

/** Envoy's defaults. */
const defaultNoTrafficMs = 60_000;

const matchNamespace = 'envoy.transport_socket_match';

const supported = new SupportedFields(
  HealthCheckSchema,
  [
    'timeout',
    'interval',
    'initial_jitter',
    'interval_jitter',
    'interval_jitter_percent',
    'unhealthy_threshold',
    'healthy_threshold',
    'reuse_connection',
    'http_health_check',
    'tcp_health_check',
    'grpc_health_check',
    'no_traffic_interval',
    'no_traffic_healthy_interval',
    'unhealthy_interval',
    'unhealthy_edge_interval',
    'healthy_edge_interval',
    'event_log_path',
    'event_logger',
    'always_log_health_check_failures',
    'always_log_health_check_success',
    'tls_options',
    'transport_socket_match_criteria',
  ],
  // Envoy has never done anything with it.
  ['alt_port'],
);
const supportedGrpc = new SupportedFields(HealthCheck_GrpcHealthCheckSchema, [
  'service_name',
  'authority',
  'initial_metadata',
]);
const supportedTls = new SupportedFields(HealthCheck_TlsOptionsSchema, ['alpn_protocols']);

/** Null: there is none, or reasons were added. `words`: what of it other rooms decode. */
export function decodeHealthCheck(
  cluster: Cluster,
  transports: TransportChoice,
  reasons: Reasons,
  extensions: Extensions,
  words: DecodeProbeWords,
): HealthCheckData | null {
  const [check] = cluster.healthChecks;
  if (check === undefined) return null;
  if (cluster.healthChecks.length > 1) reasons.at('health_checks').add('Multiple health checks not supported');
  const at = reasons.at('health_checks', 0);
  supported.check(check, at);
  if (check.tlsOptions !== undefined) supportedTls.check(check.tlsOptions, at.at('tls_options'));
  const probe = decodeProbe(check, at, words);
  if (probe === null) return null;
  return {
    ...decodeTimes(check),
    unhealthyThreshold: check.unhealthyThreshold ?? 1,
    healthyThreshold: check.healthyThreshold ?? 1,
    intervalJitterPercent: check.intervalJitterPercent,
    reusesConnection: check.reuseConnection ?? true,
    eventLogs: decodeEventLogs(check, at, extensions),
    logsFailures: check.alwaysLogHealthCheckFailures,
    logsSuccesses: check.alwaysLogHealthCheckSuccess,
    alpn: [...(check.tlsOptions?.alpnProtocols ?? [])],
    transport:
      check.transportSocketMatchCriteria === undefined
        ? null
        : transports.of({ [matchNamespace]: check.transportSocketMatchCriteria }, null),
    ignoresHealthOnRemoval: cluster.ignoreHealthOnHostRemoval,
    ignoresNewHosts: cluster.commonLbConfig?.ignoreNewHostsUntilFirstHc ?? false,
    probe,
  };
}

type Times =
  | 'timeoutMs'
  | 'intervalMs'
  | 'initialJitterMs'
  | 'intervalJitterMs'
  | 'noTrafficMs'
  | 'noTrafficHealthyMs'
  | 'unhealthyMs'
  | 'unhealthyEdgeMs'
  | 'healthyEdgeMs';

function decodeTimes(check: HealthCheck): Pick<HealthCheckData, Times> {
  const intervalMs = durationMs(check.interval, 0);
  const noTrafficMs = durationMs(check.noTrafficInterval, defaultNoTrafficMs);
  const unhealthyMs = durationMs(check.unhealthyInterval, intervalMs);
  return {
    timeoutMs: durationMs(check.timeout, 0),
    intervalMs,
    initialJitterMs: durationMs(check.initialJitter, 0),
    intervalJitterMs: durationMs(check.intervalJitter, 0),
    noTrafficMs,
    noTrafficHealthyMs: durationMs(check.noTrafficHealthyInterval, noTrafficMs),
    unhealthyMs,
    unhealthyEdgeMs: durationMs(check.unhealthyEdgeInterval, unhealthyMs),
    healthyEdgeMs: durationMs(check.healthyEdgeInterval, intervalMs),
  };
}

function decodeProbe(check: HealthCheck, reasons: Reasons, words: DecodeProbeWords): ProbeData | null {
  const { healthChecker } = check;
  switch (healthChecker.case) {
    case 'httpHealthCheck':
      return decodeHttpProbe(healthChecker.value, reasons.at('http_health_check'), words);
    case 'tcpHealthCheck':
      return decodeTcpProbe(healthChecker.value, reasons.at('tcp_health_check'));
    case 'grpcHealthCheck':
      return decodeGrpcProbe(healthChecker.value, reasons.at('grpc_health_check'), words);
    default:
      return null;
  }
}

function decodeGrpcProbe(check: HealthCheck_GrpcHealthCheck, reasons: Reasons, words: DecodeProbeWords): ProbeData {
  supportedGrpc.check(check, reasons);
  return {
    kind: 'grpc',
    service: check.serviceName,
    authority: fieldValue(check.authority),
    headers: words.headers(check.initialMetadata, [], reasons, 'initial_metadata'),
  };
}

function decodeEventLogs(check: HealthCheck, reasons: Reasons, extensions: Extensions): string[] {
  const sinks = check.eventLogger.flatMap(({ name, typedConfig }, i) => {
    const at = reasons.at('event_logger', i);
    const sink = extensions.open('envoy.health_check.event_sinks', name, typedConfig, at);
    return sink === null ? [] : [sink.data as string];
  });
  return check.eventLogPath === '' ? sinks : [...sinks, check.eventLogPath];
}
