import type { JsonObject } from '@bufbuild/protobuf';
import { hotRestartVersion } from '../../cli/version.ts';
import { defaultLogFormat, type Options } from '../../cli/options.ts';
import { logLevelNames } from '../../observe/log/level.ts';
import { json, type Page } from '../page.ts';

const modes = { serve: 'Serve', validate: 'Validate', init_only: 'InitOnly' } as const;
const strategies = { gradual: 'Gradual', immediate: 'Immediate' } as const;

/** `/server_info`: `envoy.admin.v3.ServerInfo`. */
export const serverInfoPage: Page = (_request, source) => {
  const uptime = `${Math.floor(source.uptimeMs / 1000)}s`;
  return json({
    version: source.version,
    state: source.state,
    uptime_current_epoch: uptime,
    uptime_all_epochs: uptime,
    hot_restart_version: hotRestartVersion,
    command_line_options: commandLineOptions(source.options, source.concurrency),
    node: source.node,
  });
};

function commandLineOptions(options: Options, concurrency: number): JsonObject {
  return {
    base_id: String(options.baseId),
    concurrency,
    config_path: options.configPath,
    config_yaml: options.configYaml,
    allow_unknown_static_fields: options.allowUnknownStaticFields,
    admin_address_path: options.adminAddressPath,
    local_address_ip_version: options.localAddressIpVersion,
    log_level: logLevelNames[options.logLevel],
    component_log_level: options.componentLogLevel,
    log_format: options.logFormat ?? defaultLogFormat,
    log_path: options.logPath,
    service_cluster: options.serviceCluster,
    service_node: options.serviceNode,
    service_zone: options.serviceZone,
    file_flush_interval: seconds(options.fileFlushIntervalMs),
    drain_time: seconds(options.drainTimeMs),
    parent_shutdown_time: seconds(options.parentShutdownTimeMs),
    mode: modes[options.mode],
    disable_hot_restart: options.disableHotRestart,
    enable_mutex_tracing: options.enableMutexTracing,
    restart_epoch: options.restartEpoch,
    cpuset_threads: options.cpusetThreads,
    reject_unknown_dynamic_fields: options.rejectUnknownDynamicFields,
    log_format_escaped: options.logFormatEscaped,
    disabled_extensions: [...options.disabledExtensions],
    ignore_unknown_dynamic_fields: options.ignoreUnknownDynamicFields,
    use_dynamic_base_id: options.useDynamicBaseId,
    base_id_path: options.baseIdPath,
    drain_strategy: strategies[options.drainStrategy],
    enable_fine_grain_logging: options.enableFineGrainLogging,
    socket_path: options.socketPath,
    socket_mode: parseInt(options.socketMode, 8) || 0,
    enable_core_dump: options.enableCoreDump,
    stats_tag: options.statsTags.map(({ name, value }) => `${name}:${value}`),
    skip_hot_restart_on_no_parent: options.skipHotRestartOnNoParent,
    skip_hot_restart_parent_stats: options.skipHotRestartParentStats,
    skip_deprecated_logs: options.skipDeprecatedLogs,
    file_flush_min_size: options.fileFlushMinSizeKb,
    log_stacktrace_single_entry: options.logStacktraceSingleEntry,
  };
}

/** A duration in protobuf's JSON: `10s`, `0.500s`. */
function seconds(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${(ms / 1000).toFixed(3)}s`;
}
