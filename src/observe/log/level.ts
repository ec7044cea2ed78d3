/** Envoy's log levels, as integers so that the test before a message is one comparison. */
export const LogLevel = { Trace: 0, Debug: 1, Info: 2, Warning: 3, Error: 4, Critical: 5, Off: 6 } as const;
export type LogLevel = (typeof LogLevel)[keyof typeof LogLevel];

/** Names by level, as Envoy prints them. */
export const logLevelNames: readonly string[] = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'];

/** Undefined: no such level. `warn` is `warning`. */
export function parseLogLevel(name: string): LogLevel | undefined {
  const index = name === 'warn' ? LogLevel.Warning : logLevelNames.indexOf(name);
  return index < 0 ? undefined : (index as LogLevel);
}

/**
 * Names of Envoy's loggers, in the order in which its admin page prints them. The complete list, so that every
 * `--component-log-level` that Envoy takes is taken here; most never log.
 */
export const logComponents = [
  'a2a',
  'admin',
  'alternate_protocols_cache',
  'aws',
  'assert',
  'backtrace',
  'basic_auth',
  'cache_filter',
  'client',
  'config',
  'connection',
  'conn_handler',
  'compression',
  'credential_injector',
  'decompression',
  'dns',
  'dubbo',
  'envoy_bug',
  'ext_authz',
  'ext_proc',
  'rocketmq',
  'file',
  'filter',
  'forward_proxy',
  'geolocation',
  'grpc',
  'happy_eyeballs',
  'hc',
  'health_checker',
  'http',
  'http2',
  'hystrix',
  'init',
  'io',
  'jwt',
  'json_rpc',
  'kafka',
  'key_value_store',
  'lua',
  'local_rate_limit',
  'main',
  'matcher',
  'mcp',
  'misc',
  'mongo',
  'multi_connection',
  'notification',
  'oauth2',
  'quic',
  'quic_stream',
  'pool',
  'rate_limit_quota',
  'rbac',
  'rds',
  'redis',
  'router',
  'runtime',
  'stats',
  'secret',
  'sse',
  'tap',
  'testing',
  'thrift',
  'tracing',
  'upstream',
  'udp',
  'wasm',
  'websocket',
  'golang',
  'stats_sinks',
  'dynamic_modules',
  'ip_tagging',
] as const;
export type LogComponent = (typeof logComponents)[number];

export function isLogComponent(name: string): name is LogComponent {
  return (logComponents as readonly string[]).includes(name);
}
