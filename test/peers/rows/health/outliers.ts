import { load } from 'js-yaml';
import { cluster, http, type Yaml } from '../../config.ts';
import type { Group, Row, Step } from '../../row.ts';
import { flags, onlyHealth, steadyStats } from './config.ts';

/** Nothing is taken back within a row, and what is measured in intervals is so often. */
const lasting = { base_ejection_time: '300s', interval: '0.2s', max_ejection_percent: 100 };

function watched(name: string, upstreams: readonly string[], detection: string, more = '{}'): Yaml {
  return {
    ...cluster(name, upstreams),
    common_lb_config: { update_merge_window: '0s', healthy_panic_threshold: { value: 0 } },
    outlier_detection: { ...lasting, ...(load(detection) as Yaml) },
    ...(load(more) as Yaml),
  };
}

const ejections = (name: string, what: string): string => `cluster.${name}.outlier_detection.ejections_${what}`;
const answers = (...statuses: number[]): Step[] => statuses.map((status) => ({ status }));

/** So many requests to the cluster, in turn. */
function asks(name: string, count: number, upstream: readonly Step[], more: Partial<Row> = {}): Row {
  const request = Array.from({ length: count }, () => ({ path: `/${name}` }));
  return {
    name: `${name}: requests`,
    request,
    upstream,
    logLines: count,
    ignores: /^log|^stats\.(http|listener)/,
    ...more,
  };
}

/** What has come of them. */
function shows(name: string, what: string, count: number, more: Partial<Row> = {}): Row {
  return {
    name: `${name}: ${what}`,
    admin: flags(name),
    awaits: { [ejections(name, what)]: count },
    ignores: onlyHealth,
    ...more,
  };
}

const routes = (names: readonly string[]): string =>
  names.map((name) => `- { match: { prefix: /${name} }, route: { cluster: ${name} } }`).join('\n');

const names = [
  'row',
  'gateway',
  'enforced-gateway',
  'unenforced',
  'split',
  'refusing',
  'percent',
  'always',
  'failure',
  'rates',
  'back',
  'grpc',
  'degraded',
];

const byResults: Group = {
  name: 'outlier detection',
  stats: steadyStats,
  config: http({ routes: routes(names) }, [
    watched('row', ['one'], 'consecutive_5xx: 3'),
    watched('gateway', ['one'], 'consecutive_5xx: 100\nconsecutive_gateway_failure: 2'),
    watched('enforced-gateway', ['one'], 'consecutive_gateway_failure: 2\nenforcing_consecutive_gateway_failure: 100'),
    watched('unenforced', ['one'], 'consecutive_5xx: 2\nenforcing_consecutive_5xx: 0'),
    watched('split', ['dead'], 'split_external_local_origin_errors: true\nconsecutive_local_origin_failure: 2'),
    watched('refusing', ['dead'], 'consecutive_5xx: 2'),
    watched('percent', ['one'], 'consecutive_5xx: 2\nmax_ejection_percent: 50'),
    watched('always', ['one'], 'consecutive_5xx: 2\nmax_ejection_percent: 50\nalways_eject_one_host: true'),
    watched(
      'failure',
      ['one'],
      'consecutive_5xx: 100\nfailure_percentage_minimum_hosts: 1\nfailure_percentage_request_volume: 4\nfailure_percentage_threshold: 50\nenforcing_failure_percentage: 100\nenforcing_success_rate: 0\ninterval: 1s',
    ),
    watched(
      'rates',
      ['one'],
      'consecutive_5xx: 100\nsuccess_rate_minimum_hosts: 1\nsuccess_rate_request_volume: 2\ninterval: 1s',
    ),
    watched('back', ['one'], 'consecutive_5xx: 2\nbase_ejection_time: 0.2s\ninterval: 0.1s'),
    watched('grpc', ['one'], 'consecutive_5xx: 2'),
    watched('degraded', ['one'], 'detect_degraded_hosts: true'),
  ]),
  rows: [
    asks('row', 5, answers(500, 500, 200, 500, 503)),
    shows('row', 'detected_consecutive_5xx', 0, { name: 'row: a success between them' }),
    asks('row', 1, answers(501), { name: 'row: one more' }),
    shows('row', 'enforced_consecutive_5xx', 1),
    asks('row', 1, [], { name: 'row: nobody is left' }),
    asks('gateway', 3, answers(502, 500, 504)),
    shows('gateway', 'detected_consecutive_gateway_failure', 0, { name: 'gateway: another error between them' }),
    asks('gateway', 1, answers(503), { name: 'gateway: one more' }),
    shows('gateway', 'detected_consecutive_gateway_failure', 1),
    asks('enforced-gateway', 2, answers(502, 503)),
    shows('enforced-gateway', 'enforced_consecutive_gateway_failure', 1),
    asks('unenforced', 2, answers(500)),
    shows('unenforced', 'detected_consecutive_5xx', 1),
    asks('split', 2, []),
    shows('split', 'enforced_consecutive_local_origin_failure', 1),
    asks('refusing', 2, []),
    shows('refusing', 'enforced_consecutive_5xx', 1),
    asks('percent', 2, answers(500)),
    shows('percent', 'overflow', 1),
    asks('always', 2, answers(500)),
    shows('always', 'enforced_consecutive_5xx', 1),
    asks('failure', 5, answers(500, 500, 500, 200)),
    shows('failure', 'enforced_failure_percentage', 1, { awaits: { [ejections('failure', 'enforced_total')]: 1 } }),
    asks('back', 2, answers(500)),
    shows('back', 'active', 0, {
      awaits: { [ejections('back', 'enforced_total')]: 1, [ejections('back', 'active')]: 0 },
    }),
    asks('back', 1, [], { name: 'back: serves again' }),
    asks(
      'grpc',
      2,
      [
        {
          headers: [
            ['content-type', 'application/grpc'],
            ['grpc-status', '14'],
          ],
        },
      ],
      {
        request: Array.from({ length: 2 }, () => ({
          method: 'POST',
          path: '/grpc',
          headers: [['content-type', 'application/grpc']] as const,
          body: '',
        })),
      },
    ),
    shows('grpc', 'enforced_consecutive_5xx', 1),
    asks('degraded', 1, [{ headers: [['x-envoy-degraded', '1']] }]),
    shows('degraded', 'detected_degradation', 1, { awaits: { 'cluster.degraded.membership_degraded': 1 } }),
  ],
};

const events: Group = {
  name: 'outlier detection, its log',
  stats: steadyStats,
  config: http(
    {
      routes: routes(['logged']),
      hcm: 'access_log: []',
      bootstrap: "cluster_manager: { outlier_detection: { event_log_path: '{{log}}' } }",
    },
    [watched('logged', ['one'], 'consecutive_5xx: 2\nbase_ejection_time: 0.2s\ninterval: 0.1s')],
  ),
  rows: [asks('logged', 2, answers(500), { logLines: 2, ignores: /timestamp|secs_since|^stats/ })],
};

export const outliers: readonly Group[] = [byResults, events];
