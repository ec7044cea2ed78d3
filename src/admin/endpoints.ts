import { choiceParameter, flagParameter, textParameter, type Endpoint, type Parameter } from './endpoint.ts';
import type { Page } from './page.ts';
import * as actions from './pages/actions.ts';
import { helpPage } from './pages/help.ts';
import { homePage } from './pages/home.ts';
import { readyPage } from './pages/ready.ts';
import * as state from './pages/state.ts';
import { contentionPage, unsupportedPage } from './pages/unavailable.ts';

// A page whose module draws in others (RE2, protobuf, prom-client) is loaded when it is first asked for: most
// processes are asked for `/ready` alone.
const certs = state.certsPage;
const clusters: Page = async (...args) => (await import('./pages/clusters.ts')).clustersPage(...args);
const configDump: Page = async (...args) => (await import('./pages/config-dump.ts')).configDumpPage(...args);
const listeners: Page = async (...args) => (await import('./pages/listeners.ts')).listenersPage(...args);
const logging: Page = async (...args) => (await import('./pages/logging.ts')).loggingPage(...args);
const runtime: Page = async (...args) => (await import('./pages/runtime.ts')).runtimePage(...args);
const runtimeModify: Page = async (...args) => (await import('./pages/runtime.ts')).runtimeModifyPage(...args);
const serverInfo: Page = async (...args) => (await import('./pages/server-info.ts')).serverInfoPage(...args);
const stats: Page = async (...args) => (await import('./pages/stats.ts')).statsPage(...args);
const prometheus: Page = async (...args) => (await import('./pages/stats.ts')).prometheusPage(...args);
const recentLookups: Page = async (...args) => (await import('./pages/stats.ts')).recentLookupsPage(...args);

function shows(path: string, help: string, page: Page, ...parameters: Parameter[]): Endpoint {
  return { path, isMutating: false, help, parameters, page };
}

function changes(path: string, help: string, page: Page, ...parameters: Parameter[]): Endpoint {
  return { path, isMutating: true, help, parameters, page };
}

const enable = (help: string): Parameter => choiceParameter('enable', ['y', 'n'], help);
const usedOnly = flagParameter('usedonly', 'Only include stats that have been written by system since restart');
const statsFilter = textParameter('filter', 'Regular expression (Google re2) for filtering stats');

/** Every admin page, in the order of `/help`. The words are Envoy's. */
export const endpoints: readonly Endpoint[] = [
  shows('/', 'Admin home page', (...args) => homePage(endpoints)(...args)),
  changes(
    '/allocprofiler',
    'enable/disable the allocation profiler (if supported)',
    unsupportedPage('allocation profiler'),
    enable('enable/disable the allocation profiler'),
  ),
  shows('/certs', 'print certs on machine', certs),
  shows(
    '/clusters',
    'upstream cluster status',
    clusters,
    textParameter('filter', 'Regular expression (Google re2) for filtering clusters by name'),
  ),
  shows(
    '/config_dump',
    'dump current Envoy configs',
    configDump,
    textParameter('resource', 'The resource to dump'),
    textParameter(
      'mask',
      'The mask to apply. When both resource and mask are specified, the mask is applied to every element in the desired repeated field so that only a subset of fields are returned. The mask is parsed as a Protobuf::FieldMask',
    ),
    textParameter(
      'name_regex',
      'Dump only the currently loaded configurations whose names match the specified regex. Can be used with both resource and mask query parameters.',
    ),
    flagParameter(
      'include_eds',
      'Dump currently loaded configuration including EDS. See the response definition for more information',
    ),
  ),
  shows('/contention', 'dump current Envoy mutex contention stats (if enabled)', contentionPage),
  changes(
    '/cpuprofiler',
    'enable/disable the CPU profiler',
    unsupportedPage('cpu profiler'),
    enable('enables the CPU profiler'),
  ),
  changes(
    '/drain_listeners',
    'drain listeners',
    actions.drainListenersPage,
    flagParameter(
      'graceful',
      'When draining listeners, enter a graceful drain period prior to closing listeners. This behaviour and duration is configurable via server options or CLI',
    ),
    flagParameter(
      'skip_exit',
      'When draining listeners, do not exit after the drain period. This must be used with graceful',
    ),
    flagParameter(
      'inboundonly',
      'Drains all inbound listeners. traffic_direction field in envoy_v3_api_msg_config.listener.v3.Listener is used to determine whether a listener is inbound or outbound.',
    ),
  ),
  changes('/healthcheck/fail', 'cause the server to fail health checks', actions.failHealthcheckPage),
  changes('/healthcheck/ok', 'cause the server to pass health checks', actions.passHealthcheckPage),
  shows('/heap_dump', 'dump current Envoy heap (if supported)', unsupportedPage('heap dump')),
  changes(
    '/heapprofiler',
    'enable/disable the heap profiler',
    unsupportedPage('heap profiler'),
    enable('enable/disable the heap profiler'),
  ),
  shows('/help', 'print out list of admin commands', (...args) => helpPage(endpoints)(...args)),
  shows('/hot_restart_version', 'print the hot restart compatibility version', state.hotRestartVersionPage),
  shows(
    '/init_dump',
    'dump current Envoy init manager information (experimental)',
    state.initDumpPage,
    textParameter(
      'mask',
      'The desired component to dump unready targets. The mask is parsed as a Protobuf::FieldMask. For example, get the unready targets of all listeners with /init_dump?mask=listener`',
    ),
  ),
  shows(
    '/listeners',
    'print listener info',
    listeners,
    choiceParameter('format', ['text', 'json'], 'File format to use'),
  ),
  changes(
    '/logging',
    'query/change logging levels',
    logging,
    textParameter(
      'paths',
      'Change multiple logging levels by setting to <logger_name1>:<desired_level1>,<logger_name2>:<desired_level2>. If fine grain logging is enabled, use __FILE__ or a glob experision as the logger name. For example, source/common*:warning',
    ),
    textParameter(
      'group',
      'Change given logger group to desired level, set to <logger_group_name>:<desired_level>. logger_group_name must be a logger name.',
    ),
    choiceParameter(
      'level',
      ['', 'trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'],
      "desired logging level, this will change all loggers's level",
    ),
  ),
  shows('/memory', 'print current allocation/heap usage', state.memoryPage),
  shows('/memory/tcmalloc', 'print TCMalloc stats', unsupportedPage('tcmalloc stats')),
  shows('/peak_heap_dump', 'dump peak Envoy heap (if supported)', unsupportedPage('peak heap dump')),
  changes('/quitquitquit', 'exit the server', actions.quitPage),
  shows('/ready', 'print server state, return 200 if LIVE, otherwise return 503', readyPage),
  changes('/reopen_logs', 'reopen access logs', actions.reopenLogsPage),
  changes('/reset_counters', 'reset all counters to zero', actions.resetCountersPage),
  shows('/runtime', 'print runtime values', runtime),
  changes(
    '/runtime_modify',
    'Adds or modifies runtime values as passed in query parameters. To delete a previously added key, use an empty string as the value. Note that deletion only applies to overrides added via this endpoint; values loaded from disk can be modified via override but not deleted. E.g. ?key1=value1&key2=value2...',
    runtimeModify,
  ),
  shows('/server_info', 'print server version/status information', serverInfo),
  shows(
    '/stats',
    'print server stats',
    stats,
    usedOnly,
    statsFilter,
    choiceParameter('format', ['html', 'active-html', 'text', 'json'], 'Format to use'),
    choiceParameter('type', ['All', 'Counters', 'Histograms', 'Gauges', 'TextReadouts'], 'Stat types to include.'),
    choiceParameter(
      'histogram_buckets',
      ['cumulative', 'disjoint', 'detailed', 'summary'],
      'Histogram bucket display mode',
    ),
  ),
  shows(
    '/stats/prometheus',
    'print server stats in prometheus format',
    prometheus,
    usedOnly,
    flagParameter('text_readouts', 'Render text_readouts as new gaugues with value 0 (increases Prometheus data size)'),
    statsFilter,
    choiceParameter('histogram_buckets', ['cumulative', 'summary'], 'Histogram bucket display mode'),
  ),
  shows('/stats/recentlookups', 'Show recent stat-name lookups', recentLookups),
  changes('/stats/recentlookups/clear', 'clear list of stat-name lookups and counter', actions.nothingPage),
  changes('/stats/recentlookups/disable', 'disable recording of reset stat-name lookup names', actions.nothingPage),
  changes('/stats/recentlookups/enable', 'enable recording of reset stat-name lookup names', actions.nothingPage),
];
