/** Message names of what tells collectors: only who names one needs exporters. */
const exportKinds: ReadonlySet<string> = new Set([
  'envoy.config.trace.v3.ZipkinConfig',
  'envoy.config.trace.v3.OpenTelemetryConfig',
  'envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
  'envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig',
  'envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig',
]);

/** `kinds`: message names that a configuration has, which may be of anything. */
export function namesExporters(kinds: readonly string[]): boolean {
  return kinds.some((kind) => exportKinds.has(kind));
}
