/** One command-line flag, as data: the parser and the help text are made from this table. */
export interface Flag {
  /** Without dashes. */
  readonly name: string;
  /** One letter, where there is one. */
  readonly short?: string;
  readonly kind: 'text' | 'number' | 'switch' | 'list';
  /** What `--help` shows for the value. */
  readonly value?: string;
  readonly group: FlagGroup;
  readonly help: string;
}

export const FlagGroup = {
  Configuration: 'Configuration:',
  Process: 'Workers and life cycle:',
  Node: 'Identity of this node:',
  Log: 'Application log:',
  Own: "sekisho's own:",
  Ignored: 'Accepted as Envoy accepts them, without effect in sekisho:',
} as const;
export type FlagGroup = (typeof FlagGroup)[keyof typeof FlagGroup];

const { Configuration, Process, Node, Log, Own, Ignored } = FlagGroup;

function text(name: string, value: string, group: FlagGroup, help: string): Flag {
  return { name, kind: 'text', value, group, help };
}

function number(name: string, value: string, group: FlagGroup, help: string): Flag {
  return { name, kind: 'number', value, group, help };
}

function toggle(name: string, group: FlagGroup, help: string): Flag {
  return { name, kind: 'switch', group, help };
}

const onlyHotRestart = 'hot restart: sekisho reloads instead';

/** Envoy 1.39's flags and sekisho's own. */
export const flags: readonly Flag[] = [
  { ...text('config-path', 'path', Configuration, 'configuration file, YAML or JSON'), short: 'c' },
  text('config-yaml', 'yaml', Configuration, 'inline configuration, merged over the file'),
  text('mode', 'mode', Configuration, 'serve (default), validate (check the configuration and exit) or init_only'),
  toggle('allow-unknown-static-fields', Configuration, 'unknown fields in the bootstrap are no errors'),
  toggle('allow-unknown-fields', Configuration, 'deprecated name of --allow-unknown-static-fields'),
  toggle('reject-unknown-dynamic-fields', Configuration, 'unknown fields in resources from a control plane are errors'),
  toggle('ignore-unknown-dynamic-fields', Configuration, 'unknown fields in such resources are not even counted'),
  toggle('skip-deprecated-logs', Configuration, 'no warnings about deprecated fields'),

  number('concurrency', 'n', Process, 'worker threads (default: as many as CPUs, affinity and cgroup quota give)'),
  number('drain-time-s', 'seconds', Process, 'longest time that draining may take (default: 600)'),
  text('drain-strategy', 'strategy', Process, 'gradual (default) or immediate'),
  text('admin-address-path', 'path', Process, 'file that the address of the admin pages is written to'),
  text('local-address-ip-version', 'version', Process, 'v4 (default) or v6'),
  number('file-flush-interval-msec', 'ms', Process, 'longest time that access-log lines wait (default: 10000)'),
  number('file-flush-min-size-kb', 'kb', Process, 'access-log bytes that are written without waiting (default: 64)'),
  {
    name: 'stats-tag',
    kind: 'list',
    value: 'tag:value',
    group: Process,
    help: 'tag put on every stat; may be repeated',
  },

  text('service-node', 'id', Node, 'node id'),
  text('service-cluster', 'cluster', Node, 'cluster of this node'),
  text('service-zone', 'zone', Node, 'zone of this node'),

  {
    ...text('log-level', 'level', Log, 'trace, debug, info (default), warning, error, critical or off'),
    short: 'l',
  },
  text('component-log-level', 'list', Log, 'levels by component, e.g. upstream:debug,config:trace'),
  text(
    'log-format',
    'format',
    Log,
    "line format in spdlog's syntax (default: [%Y-%m-%d %T.%e][%t][%l][%n] [%g:%#] %v)",
  ),
  toggle('log-format-escaped', Log, 'C escape sequences instead of control characters in messages'),
  text('log-path', 'path', Log, 'file instead of standard error'),

  text('io-backend', 'backend', Own, 'auto (default: io_uring where the kernel allows it), io_uring or node'),
  toggle('watch', Own, 'reload when the configuration file changes; SIGHUP reloads in any case'),
  toggle('exit-on-sigterm', Own, 'SIGTERM and SIGINT exit at once, as in Envoy; without this flag they drain first'),

  number('base-id', 'n', Ignored, onlyHotRestart),
  toggle('use-dynamic-base-id', Ignored, onlyHotRestart),
  text('base-id-path', 'path', Ignored, onlyHotRestart),
  number('restart-epoch', 'n', Ignored, onlyHotRestart),
  toggle('disable-hot-restart', Ignored, onlyHotRestart),
  number('parent-shutdown-time-s', 'seconds', Ignored, onlyHotRestart),
  toggle('skip-hot-restart-on-no-parent', Ignored, onlyHotRestart),
  toggle('skip-hot-restart-parent-stats', Ignored, onlyHotRestart),
  text('socket-path', 'path', Ignored, onlyHotRestart),
  text('socket-mode', 'mode', Ignored, onlyHotRestart),
  toggle('cpuset-threads', Ignored, 'the default of --concurrency looks at the cpuset in any case'),
  toggle('enable-mutex-tracing', Ignored, 'there are no mutexes'),
  toggle('enable-core-dump', Ignored, 'see ulimit -c and node --report-on-fatalerror'),
  toggle('enable-fine-grain-logging', Ignored, 'levels are set by component'),
  toggle('log-stacktrace-single-entry', Ignored, 'a stack trace is one entry in any case'),
  text('disable-extensions', 'list', Ignored, 'an extension that no configuration names is never loaded'),
];
