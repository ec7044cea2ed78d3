import { load } from 'js-yaml';
import { cluster, endpoint, http, tcp, type Yaml } from '../../config.ts';
import type { Group, Request, Row } from '../../row.ts';

function aggregate(name: string, members: readonly string[], more = '{}'): Yaml {
  return {
    name,
    connect_timeout: '5s',
    lb_policy: 'CLUSTER_PROVIDED',
    cluster_type: {
      name: 'envoy.clusters.aggregate',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig',
        clusters: members,
      },
    },
    ...(load(more) as Yaml),
  };
}

/** Priorities of hosts; `-` in front: unhealthy, `~`: degraded. */
function tiered(name: string, tiers: readonly (readonly string[])[], more = '{}'): Yaml {
  const health: Readonly<Record<string, string>> = { '-': 'UNHEALTHY', '~': 'DEGRADED' };
  const host = (text: string): Yaml => {
    const status = health[text[0]];
    return status === undefined ? endpoint(text) : endpoint(text.slice(1), `{ health_status: ${status} }`);
  };
  const endpoints = tiers.map((hosts, priority) => ({ priority, lb_endpoints: hosts.map(host) }));
  return { ...cluster(name, [], more), load_assignment: { cluster_name: name, endpoints } };
}

const noPanic = '{ common_lb_config: { healthy_panic_threshold: { value: 0 } } }';

const members: readonly Yaml[] = [
  tiered('well', [['one']]),
  tiered('ill', [['-one']], noPanic),
  tiered('empty', []),
  tiered('second', [['two']]),
  tiered('tiers', [['-one'], ['three']], noPanic),
  tiered('frail', [['~three']], noPanic),
  tiered('limited', [['one']], '{ circuit_breakers: { thresholds: [{ max_requests: 0 }] } }'),
  tiered('refusing', [['dead']]),
];

const cases: readonly (readonly [name: string, members: readonly string[], settings?: string])[] = [
  ['first', ['well', 'second']],
  ['ill-first', ['ill', 'second'], noPanic],
  ['all-ill', ['ill'], noPanic],
  ['panic', ['ill']],
  ['empty-first', ['empty', 'second']],
  ['nobody', ['empty']],
  ['unknown-first', ['unknown', 'second']],
  ['tiers-first', ['tiers', 'second'], noPanic],
  ['frail-first', ['frail', 'second'], noPanic],
  ['limits', ['limited', 'second']],
  ['refused', ['refusing', 'second']],
  ['nested', ['first', 'second']],
  ['own-limits', ['well'], '{ circuit_breakers: { thresholds: [{ max_requests: 0, max_pending_requests: 0 }] } }'],
  ['retried', ['well', 'second']],
];

const twice = (path: string): Request[] => [{ path }, { path }];

const inHttp: Group = {
  name: 'aggregate clusters',
  config: http(
    {
      routes: [
        '- { match: { prefix: /retried }, route: { cluster: retried, retry_policy: { retry_on: 5xx, num_retries: 1 } } }',
        ...cases.map(([name]) => `- { match: { prefix: /${name}/ }, route: { cluster: ${name} } }`),
      ].join('\n'),
    },
    [...members, ...cases.map(([name, list, settings]) => aggregate(name, list, settings))],
  ),
  rows: cases.map(([name]): Row => ({
    name,
    request: twice(`/${name}/`),
    ...(name === 'retried' && { upstream: [{ status: 503 }, {}] }),
    ignores: /membership_change/,
  })),
};

const inTcp: Group = {
  name: 'aggregate clusters for tcp_proxy',
  config: tcp('{ cluster: all }', [
    aggregate('all', ['ill-echo', 'echo'], noPanic),
    tiered('ill-echo', [['-bye']], noPanic),
    tiered('echo', [['echo']]),
  ]),
  rows: [{ name: 'bytes', raw: ['hello', 100, 'end'], until: 'closed', answers: 0, logLines: 1 }],
};

/** Groups about clusters that are made of others. */
export const aggregates: readonly Group[] = [inHttp, inTcp];
