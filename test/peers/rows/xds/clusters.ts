import { cluster, endpoint, http, type Yaml } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { dumpIgnores, fromFile, ignoredStats as ignores, node, response } from './files.ts';

const clusterType = 'envoy.config.cluster.v3.Cluster';
const endpointType = 'envoy.config.endpoint.v3.ClusterLoadAssignment';

const stats =
  /^cluster_manager\.(cds\.|active|warming|cluster_(added|modified|removed))|^cluster\.c\.(update_|assignment_|membership_|warming_state|upstream_rq_(total|drop))/;

/** Goes to `c`, wherever that comes from. */
const config = (clusters: readonly Yaml[] = [], isByCds = true): string =>
  http(
    {
      routes: '[{ match: { prefix: / }, route: { cluster: c } }]',
      routeConfig: 'validate_clusters: false',
      bootstrap: JSON.stringify({ node, ...(isByCds && { dynamic_resources: { cds_config: fromFile('cds.yaml') } }) }),
    },
    clusters,
  );

const eds = (more: Yaml = {}): Yaml => ({
  name: 'c',
  type: 'EDS',
  connect_timeout: '5s',
  // Envoy tells its workers of other health and weights when this is over.
  common_lb_config: { update_merge_window: '0s' },
  eds_cluster_config: { service_name: 's', eds_config: fromFile('eds.yaml') },
  ...more,
});

const clusters = (version: string, ...list: readonly Yaml[]): string => response(version, clusterType, ...list);

const hosts = (version: string, lbEndpoints: readonly Yaml[], more: Yaml = {}, name = 's'): string =>
  response(version, endpointType, { cluster_name: name, endpoints: [{ lb_endpoints: lbEndpoints }], ...more });

const cdsUpdate = (name: string, file: string): Row => ({
  name,
  files: { 'cds.yaml': file },
  awaits: { 'cluster_manager.cds.update_success': '+1' },
  ignores,
});

const cdsRefusal = (name: string, file: string): Row => ({
  name: `refused: ${name}`,
  files: { 'cds.yaml': file },
  awaits: { 'cluster_manager.cds.update_rejected': '+1' },
  ignores,
});

const discovered: Group = {
  name: 'CDS: clusters come and go',
  config: config(),
  files: { 'cds.yaml': clusters('1', cluster('c', ['one'])) },
  stats,
  rows: [
    { name: 'the first', ignores },
    cdsUpdate('another host', clusters('2', cluster('c', ['two']))),
    cdsUpdate('the same again under another version', clusters('3', cluster('c', ['two']))),
    cdsUpdate('one besides', clusters('4', cluster('c', ['two']), cluster('d', ['one'], 'alt_stat_name: other'))),
    { name: 'what is dumped', admin: '/config_dump?resource=dynamic_active_clusters', ignores: dumpIgnores },
    {
      name: 'what is dumped of hosts',
      admin: '/config_dump?include_eds&resource=dynamic_endpoint_configs',
      ignores: dumpIgnores,
    },
    cdsRefusal('one without a source of hosts', clusters('5', cluster('c', ['one']), { name: 'e', type: 'EDS' })),
    cdsRefusal('one without a name', clusters('5', cluster('c', ['two']), { ...cluster('e', ['two']), name: '' })),
    cdsRefusal('one twice', clusters('6', cluster('c', ['two']), cluster('c', ['one']))),
    cdsRefusal('a source for hosts that are there', clusters('7', { ...cluster('c', ['two']), ...sourceOnly() })),
    cdsUpdate('one that the configuration has', clusters('8', cluster('one', ['two']), cluster('c', ['two']))),
    cdsUpdate('none', clusters('9')),
    cdsUpdate('and again', clusters('10', cluster('c', ['one']))),
  ],
};

function sourceOnly(): Yaml {
  return { eds_cluster_config: eds()['eds_cluster_config'] };
}

const edsUpdate = (name: string, file: string): Row => ({
  name,
  files: { 'eds.yaml': file },
  awaits: { 'cluster.c.update_success': '+1' },
  ignores,
});

const edsRefusal = (name: string, file: string): Row => ({
  name: `refused: ${name}`,
  files: { 'eds.yaml': file },
  awaits: { 'cluster.c.update_rejected': '+1' },
  ignores,
});

const weights = (version: string, ...of: readonly [name: string, weight: number][]): string =>
  hosts(
    version,
    of.map(([name, weight]) => endpoint(name, `load_balancing_weight: ${weight}`)),
  );

/** An hour: what waits, waits. */
const merged: Group = {
  name: 'EDS: weights within a window are told together',
  config: config([eds({ common_lb_config: { update_merge_window: '3600s' } })], false),
  files: { 'eds.yaml': weights('1', ['one', 1]) },
  stats: /^cluster_manager\.(cluster_updated|update_)|^cluster\.c\.(update_success|membership_change)/,
  rows: [
    { name: 'the first', ignores },
    edsUpdate('another weight', weights('2', ['one', 2])),
    edsUpdate('and another', weights('3', ['one', 3])),
    edsUpdate('the same', weights('4', ['one', 3])),
    edsUpdate('another host', weights('5', ['two', 1])),
    edsUpdate('whose weight is another', weights('6', ['two', 2])),
    edsUpdate('the first again', weights('7', ['one', 4])),
  ],
};

const drops = (numerator: number): Yaml => ({
  policy: { drop_overloads: [{ category: 'load', drop_percentage: { numerator } }] },
});

const endpoints: Group = {
  name: 'EDS: hosts come and go',
  config: config([eds()], false),
  files: { 'eds.yaml': hosts('1', [endpoint('one')]) },
  stats,
  rows: [
    { name: 'the first', ignores },
    edsUpdate('another', hosts('2', [endpoint('two')])),
    edsUpdate('the same again', hosts('3', [endpoint('two')])),
    edsUpdate('unhealthy', hosts('4', [endpoint('two', 'health_status: UNHEALTHY')])),
    edsUpdate('draining', hosts('5', [endpoint('two', 'health_status: DRAINING'), endpoint('one')])),
    edsUpdate('degraded', hosts('6', [endpoint('two', 'health_status: DEGRADED')])),
    edsUpdate('another weight', hosts('7', [endpoint('two', 'load_balancing_weight: 3')])),
    {
      ...edsUpdate(
        'priorities',
        hosts('8', [], {
          endpoints: [
            { priority: 1, lb_endpoints: [endpoint('one')] },
            { priority: 0, lb_endpoints: [endpoint('two', 'health_status: UNHEALTHY')] },
          ],
        }),
      ),
    },
    {
      name: 'what is dumped',
      admin: '/config_dump?include_eds&resource=static_endpoint_configs&name_regex=s',
      ignores: dumpIgnores,
    },
    edsUpdate('all are dropped', hosts('9', [endpoint('one')], drops(100))),
    // Envoy's workers learn of it with the next change of hosts.
    edsUpdate('none is dropped', hosts('10', [endpoint('two')], drops(0))),
    edsUpdate('none at all', hosts('11', [])),
    edsUpdate('no assignment: the hosts stay', response('12', endpointType)),
    edsUpdate('hosts again', hosts('13', [endpoint('one')])),
    edsRefusal('another name', hosts('14', [endpoint('two')], {}, 'other')),
    edsRefusal('a name for an address', hosts('15', [nameFor()])),
    edsRefusal(
      'two categories of drops',
      hosts('16', [endpoint('two')], { policy: { drop_overloads: [{ category: 'a' }, { category: 'b' }] } }),
    ),
    {
      ...edsUpdate('they hold for a time', hosts('17', [endpoint('one')], { policy: { endpoint_stale_after: '60s' } })),
    },
  ],
};

function nameFor(): Yaml {
  return { endpoint: { address: { socket_address: { address: 'a.test', port_value: 80 } } } };
}

const missing: Group = {
  name: 'EDS: no assignment comes',
  config: config([eds()], false),
  files: { 'eds.yaml': response('1', endpointType) },
  stats,
  rows: [{ name: 'nobody is there', ignores }, edsUpdate('until it comes', hosts('2', [endpoint('one')]))],
};

export const discoveredClusters: readonly Group[] = [discovered, endpoints, missing, merged];
