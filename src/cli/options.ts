import { isLogComponent, parseLogLevel, type LogComponent, type LogLevel } from '../observe/log/level.ts';

export type Mode = 'serve' | 'validate' | 'init_only';

/** The command line, typed and checked. Flags without effect are kept for `/server_info`. */
export interface Options {
  /** Empty: none. */
  readonly configPath: string;
  /** Empty: none. */
  readonly configYaml: string;
  readonly mode: Mode;
  /** Null: not given; `defaultConcurrency` decides. */
  readonly concurrency: number | null;
  readonly logLevel: LogLevel;
  readonly componentLogLevels: readonly ComponentLogLevel[];
  /** `--component-log-level` as given. */
  readonly componentLogLevel: string;
  /** Null: Envoy's default format, or the bootstrap's `application_log_config`. */
  readonly logFormat: string | null;
  readonly logFormatEscaped: boolean;
  /** Empty: standard error. */
  readonly logPath: string;
  readonly serviceNode: string;
  readonly serviceCluster: string;
  readonly serviceZone: string;
  readonly drainTimeMs: number;
  readonly drainStrategy: 'gradual' | 'immediate';
  readonly parentShutdownTimeMs: number;
  readonly allowUnknownStaticFields: boolean;
  readonly rejectUnknownDynamicFields: boolean;
  readonly ignoreUnknownDynamicFields: boolean;
  readonly skipDeprecatedLogs: boolean;
  /** Empty: the address is written nowhere. */
  readonly adminAddressPath: string;
  readonly localAddressIpVersion: 'v4' | 'v6';
  readonly fileFlushIntervalMs: number;
  readonly fileFlushMinSizeKb: number;
  readonly statsTags: readonly StatsTag[];
  readonly baseId: number;
  readonly useDynamicBaseId: boolean;
  readonly baseIdPath: string;
  readonly restartEpoch: number;
  readonly disableHotRestart: boolean;
  readonly skipHotRestartOnNoParent: boolean;
  readonly skipHotRestartParentStats: boolean;
  readonly cpusetThreads: boolean;
  readonly enableMutexTracing: boolean;
  readonly enableFineGrainLogging: boolean;
  readonly enableCoreDump: boolean;
  readonly logStacktraceSingleEntry: boolean;
  readonly disabledExtensions: readonly string[];
  readonly socketPath: string;
  /** As given, octal. */
  readonly socketMode: string;
  readonly ioBackend: 'auto' | 'io_uring' | 'node';
  /** Reload when the configuration file changes. */
  readonly watch: boolean;
  /** SIGTERM and SIGINT exit at once, as in Envoy. */
  readonly exitOnSigterm: boolean;
}

export interface ComponentLogLevel {
  readonly component: LogComponent;
  readonly level: LogLevel;
}

export interface StatsTag {
  readonly name: string;
  readonly value: string;
}

export const defaultLogFormat = '[%Y-%m-%d %T.%e][%t][%l][%n] [%g:%#] %v';

/** A value that cannot be used; the message is one line for the terminal. */
export class OptionsError extends Error {}

/** What the parser found, by flag name in camelCase; absent flags are undefined. */
export type RawOptions = Readonly<Record<string, unknown>>;

/**
 * Checks values and fills in Envoy's defaults.
 * @throws OptionsError with Envoy's words where it has some.
 */
export function buildOptions(raw: RawOptions): Options {
  const text = (name: string, otherwise = ''): string => (raw[name] as string | undefined) ?? otherwise;
  const number = (name: string, otherwise: number): number => (raw[name] as number | undefined) ?? otherwise;
  const flag = (name: string): boolean => raw[name] === true;
  const options: Options = {
    configPath: text('configPath'),
    configYaml: text('configYaml'),
    mode: oneOf(text('mode', 'serve'), ['serve', 'validate', 'init_only'], 'unknown mode'),
    // Envoy: 0 is one worker.
    concurrency: raw['concurrency'] === undefined ? null : Math.max(1, number('concurrency', 1)),
    logLevel: logLevel(text('logLevel', 'info')),
    componentLogLevels: parseComponentLogLevels(text('componentLogLevel')),
    componentLogLevel: text('componentLogLevel'),
    logFormat: raw['logFormat'] === undefined ? null : text('logFormat'),
    logFormatEscaped: flag('logFormatEscaped'),
    logPath: text('logPath'),
    serviceNode: text('serviceNode'),
    serviceCluster: text('serviceCluster'),
    serviceZone: text('serviceZone'),
    drainTimeMs: number('drainTimeS', 600) * 1000,
    drainStrategy: oneOf(text('drainStrategy', 'gradual'), ['gradual', 'immediate'], 'unknown drain-strategy'),
    parentShutdownTimeMs: number('parentShutdownTimeS', 900) * 1000,
    allowUnknownStaticFields: flag('allowUnknownStaticFields') || flag('allowUnknownFields'),
    rejectUnknownDynamicFields: flag('rejectUnknownDynamicFields'),
    ignoreUnknownDynamicFields: flag('ignoreUnknownDynamicFields'),
    skipDeprecatedLogs: flag('skipDeprecatedLogs'),
    adminAddressPath: text('adminAddressPath'),
    localAddressIpVersion: oneOf(text('localAddressIpVersion', 'v4'), ['v4', 'v6'], 'unknown IP address version'),
    fileFlushIntervalMs: number('fileFlushIntervalMsec', 10_000),
    fileFlushMinSizeKb: number('fileFlushMinSizeKb', 64),
    statsTags: ((raw['statsTag'] as readonly string[] | undefined) ?? []).map(parseStatsTag),
    baseId: number('baseId', 0),
    useDynamicBaseId: flag('useDynamicBaseId'),
    baseIdPath: text('baseIdPath'),
    restartEpoch: number('restartEpoch', 0),
    disableHotRestart: flag('disableHotRestart'),
    skipHotRestartOnNoParent: flag('skipHotRestartOnNoParent'),
    skipHotRestartParentStats: flag('skipHotRestartParentStats'),
    cpusetThreads: flag('cpusetThreads'),
    enableMutexTracing: flag('enableMutexTracing'),
    enableFineGrainLogging: flag('enableFineGrainLogging'),
    enableCoreDump: flag('enableCoreDump'),
    logStacktraceSingleEntry: flag('logStacktraceSingleEntry'),
    disabledExtensions: text('disableExtensions') === '' ? [] : text('disableExtensions').split(','),
    socketPath: text('socketPath', '@envoy_domain_socket'),
    socketMode: text('socketMode', '0'),
    ioBackend: oneOf(text('ioBackend', 'auto'), ['auto', 'io_uring', 'node'], 'unknown io-backend'),
    watch: flag('watch'),
    exitOnSigterm: flag('exitOnSigterm'),
  };
  checkTogether(options);
  return options;
}

function checkTogether(options: Options): void {
  if (options.restartEpoch > 0 && options.useDynamicBaseId) {
    throw new OptionsError(`cannot use --restart-epoch=${options.restartEpoch} with --use-dynamic-base-id`);
  }
  if (options.enableFineGrainLogging && options.componentLogLevels.length > 0) {
    throw new OptionsError('--component-log-level will not work with --enable-fine-grain-logging');
  }
  if (options.watch && options.configPath === '') {
    throw new OptionsError('--watch needs a file to look at: add --config-path');
  }
}

function oneOf<const Allowed extends string>(found: string, allowed: readonly Allowed[], problem: string): Allowed {
  const match = allowed.find((name) => name === found);
  if (match === undefined) throw new OptionsError(`${problem} '${found}'; allowed: ${allowed.join(', ')}`);
  return match;
}

function logLevel(name: string): LogLevel {
  const level = parseLogLevel(name);
  if (level === undefined) throw new OptionsError(`invalid log level specified '${name}'`);
  return level;
}

function parseComponentLogLevels(list: string): ComponentLogLevel[] {
  if (list === '') return [];
  return list.split(',').map((entry) => {
    const [component, level, ...rest] = entry.split(':');
    if (component === undefined || level === undefined || rest.length > 0) {
      throw new OptionsError(`component log level not correctly specified '${entry}'`);
    }
    const parsed = logLevel(level);
    if (!isLogComponent(component)) throw new OptionsError(`invalid component specified '${component}'`);
    return { component, level: parsed };
  });
}

/** Names are alphanumeric, values hold no dot: both become part of stat names. */
function parseStatsTag(tag: string): StatsTag {
  const colon = tag.indexOf(':');
  if (colon < 0) throw new OptionsError(`misformatted stats-tag '${tag}'`);
  const name = tag.slice(0, colon);
  const value = tag.slice(colon + 1);
  for (const [part, isValid] of [
    [name, /^[A-Za-z0-9]+$/.test(name)],
    [value, value !== '' && !value.includes('.')],
  ] as const) {
    if (!isValid) throw new OptionsError(`misformatted stats-tag '${tag}' contains invalid char in '${part}'`);
  }
  return { name, value };
}
