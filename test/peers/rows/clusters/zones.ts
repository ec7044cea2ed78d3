import { load } from 'js-yaml';
import { cluster, endpoint, http, type Yaml } from '../../config.ts';
import type { Group, Request, Row } from '../../row.ts';

/** Zone → upstreams there; `-` in front: unhealthy, `*4` behind: of that weight. */
type Zones = Readonly<Record<string, readonly string[]>>;

function zoned(name: string, zones: Zones, more = '{}'): Yaml {
  const host = (text: string): Yaml => {
    const [, ill, upstream, weight] = /^(-?)(\w+)(?:\*(\d+))?$/.exec(text)!;
    const said = [
      ...(ill === '' ? [] : ['health_status: UNHEALTHY']),
      ...(weight === undefined ? [] : [`load_balancing_weight: ${weight}`]),
    ];
    return endpoint(upstream, `{ ${said.join(', ')} }`);
  };
  const endpoints = Object.entries(zones).map(([zone, hosts]) => ({
    locality: { zone },
    lb_endpoints: hosts.map(host),
  }));
  return { ...cluster(name, [], more), load_assignment: { cluster_name: name, endpoints } };
}

const zone = (settings: string, more = ''): string =>
  `{ common_lb_config: { zone_aware_lb_config: { ${settings} } }${more} }`;
const small = zone('min_cluster_size: 1');

const typed = (policy: string, settings: string): string =>
  `{ load_balancing_policy: { policies: [{ typed_extension_config: { name: p, typed_config: { '@type': type.googleapis.com/envoy.extensions.load_balancing_policies.${policy}, locality_lb_config: { zone_aware_lb_config: { ${settings} } } } } }] } }`;

/** Cluster, where its hosts are, and its settings. */
type Case = readonly [name: string, zones: Zones, settings: string];

const balanced: Zones = { b: ['two', 'three'], a: ['one'] };
/** More of the peers are in zone b. */
const foreign: Zones = { b: ['two'], c: ['three'] };

const cases: readonly Case[] = [
  ['all-here', balanced, small],
  ['least-request', balanced, zone('min_cluster_size: 1', ', lb_policy: LEAST_REQUEST')],
  ['random', balanced, zone('min_cluster_size: 1', ', lb_policy: RANDOM')],
  ['elsewhere', foreign, small],
  ['too-small', balanced, '{}'],
  ['too-small-by-one', balanced, zone('min_cluster_size: 4')],
  ['one-zone', { a: ['one', 'two'] }, small],
  ['switched-off', balanced, zone('min_cluster_size: 1, routing_enabled: { value: 0 }')],
  ['ill-here', { a: ['-one', 'two'], b: ['three', 'three'] }, small],
  ['panic', { a: ['-one', '-two'], b: ['-three'] }, small],
  ['panic-fails', { a: ['-one', '-two'], b: ['-three'] }, zone('min_cluster_size: 1, fail_traffic_on_panic: true')],
  ['weighted-localities', balanced, '{ common_lb_config: { locality_weighted_lb_config: {} } }'],
  ['typed', balanced, typed('round_robin.v3.RoundRobin', 'min_cluster_size: 1')],
  ['typed-least', balanced, typed('least_request.v3.LeastRequest', 'min_cluster_size: 1')],
  ['typed-random', balanced, typed('random.v3.Random', 'min_cluster_size: 1')],
  [
    'forced',
    { a: ['one'], b: ['two', 'two', 'three', 'three'] },
    typed('round_robin.v3.RoundRobin', 'min_cluster_size: 1, force_local_zone: {}'),
  ],
  [
    'forced-directly',
    { a: ['one'], b: ['two', 'two', 'three', 'three'] },
    typed('round_robin.v3.RoundRobin', 'min_cluster_size: 1, force_locality_direct_routing: true'),
  ],
  [
    'by-weight',
    { a: ['one*9'], b: ['two', 'two', 'three', 'three'] },
    typed('round_robin.v3.RoundRobin', 'min_cluster_size: 1, locality_basis: HEALTHY_HOSTS_WEIGHT'),
  ],
  ['hashed', balanced, '{ lb_policy: RING_HASH }'],
  [
    'subset',
    balanced,
    zone(
      'min_cluster_size: 1',
      ', lb_subset_config: { fallback_policy: ANY_ENDPOINT, subset_selectors: [{ keys: [a] }] }',
    ),
  ],
];

const stats = /lb_(zone_(?!number)|local_cluster|healthy_panic)|upstream_rq_(completed|\d+)$|upstream_cx_none/;

/** Who of several in a zone comes first is random. */
const anyOrder =
  /^client\[0\].*(body|content-length)|^upstream\[|^log.*(host|sent)|\.zone\.|too_small|not_ok|upstream_cx/;
/** Where the one that is meant is certain. */
const certain = ['all-here', 'elsewhere', 'forced', 'forced-directly', 'typed', 'typed-least', 'typed-random'];

const four = (path: string): Request[] => Array.from({ length: 4 }, () => ({ path }));

function group(name: string, local: Zones, list: readonly Case[], ordered: readonly string[], bootstrap = ''): Group {
  const own = load(
    `{ node: { id: i, cluster: c, locality: { zone: a } }, cluster_manager: { local_cluster_name: us }${bootstrap} }`,
  );
  return {
    name: `zones: ${name}`,
    config: http(
      {
        routes: list.map(([one]) => `- { match: { prefix: /${one}/ }, route: { cluster: ${one} } }`).join('\n'),
        bootstrap: JSON.stringify(own),
      },
      [zoned('us', local), ...list.map(([one, zones, settings]) => zoned(one, zones, settings))],
    ),
    stats,
    rows: list.map(([one]): Row => ({
      name: one,
      request: four(`/${one}/`),
      // How often the structures were made anew before the first request is the proxy's own.
      ignores: ordered.includes(one) ? /too_small|not_ok/ : anyOrder,
    })),
  };
}

const named = (...names: readonly string[]): readonly Case[] => cases.filter(([name]) => names.includes(name));

/** Groups about zone-aware routing. */
export const zones: readonly Group[] = [
  group('a third of the peers is here', { a: ['one'], b: ['two', 'three'] }, cases, certain),
  group('nobody else is here', { b: ['two'], c: ['three'] }, named('all-here', 'elsewhere', 'forced'), []),
  group('all peers are here', { a: ['one', 'two'] }, named('all-here', 'forced'), ['forced']),
  group(
    'peers are ill',
    { a: ['-one'], b: ['-two', '-three'] },
    [...named('all-here', 'elsewhere'), ['fails', balanced, zone('min_cluster_size: 1, fail_traffic_on_panic: true')]],
    ['fails'],
  ),
  group(
    'as the runtime says',
    { a: ['one'], b: ['two', 'three'] },
    named('too-small', 'all-here', 'forced-directly'),
    ['too-small', ...certain],
    ', layered_runtime: { layers: [{ name: l, static_layer: { upstream.zone_routing.min_cluster_size: 2, upstream.zone_routing.enabled: 100 } }] }',
  ),
];
