import { http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { dumpIgnores, fromFile, ignoredStats as ignores, node, response } from './files.ts';

const type = 'envoy.config.route.v3.RouteConfiguration';

/** Answers `body` to everything, or goes to `cluster`. */
const answers = (body: string, name = 'local') =>
  `{ name: ${name}, virtual_hosts: [{ name: v, domains: ["*"], routes: [{ name: ${body}, match: { prefix: / }, direct_response: { status: 200, body: { inline_string: ${body} } } }] }] }`;

const goesTo = (cluster: string) =>
  `{ name: local, virtual_hosts: [{ name: v, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: ${cluster} } }] }] }`;

const stats = /^http\.ingress\.(rds\.|no_route|downstream_rq_\dxx|rq_)/;

const config = (file: string) =>
  http({
    rds: JSON.stringify({ route_config_name: 'local', config_source: fromFile(file) }),
    bootstrap: JSON.stringify({ node }),
  });

const updated = (count: number, file: string): Row => ({
  name: `update ${count}`,
  files: { 'rds.yaml': file },
  awaits: { 'http.ingress.rds.local.update_success': count },
  ignores,
});

const refused = (count: number, name: string, file: string): Row => ({
  name: `refused: ${name}`,
  files: { 'rds.yaml': file },
  awaits: { 'http.ingress.rds.local.update_rejected': count },
  ignores,
});

const duplicate =
  '{ name: local, virtual_hosts: [{ name: v, domains: ["a"], routes: [] }, { name: w, domains: ["a"], routes: [] }] }';

const swapped: Group = {
  name: 'RDS: routes are swapped',
  config: config('rds.yaml'),
  files: { 'rds.yaml': response('1', type, answers('first')) },
  stats,
  rows: [
    { name: 'the first', ignores },
    { ...updated(2, response('2', type, answers('second'))), name: 'others' },
    { ...updated(3, response('3', type, answers('second'))), name: 'the same again under another version' },
    {
      name: 'what is dumped',
      admin: '/config_dump?resource=dynamic_route_configs',
      ignores: dumpIgnores,
    },
    { ...updated(4, response('4', type, goesTo('one'))), name: 'to a cluster' },
    { ...updated(5, response('5', type, goesTo('nowhere'))), name: 'to a cluster that there is none of' },
    refused(1, 'a domain twice', response('6', type, duplicate)),
    refused(2, 'two of them', response('7', type, answers('a'), answers('b', 'other'))),
    refused(3, 'another name', response('8', type, answers('a', 'other'))),
    { ...updated(6, response('10', type)), name: 'none at all: the last stays' },
    {
      name: 'requests under way go on',
      request: [{ path: '/a' }, { path: '/b' }],
      ignores,
    },
  ],
};

const empty: Group = {
  name: 'RDS: none comes',
  config: config('rds.yaml'),
  files: { 'rds.yaml': response('1', type) },
  stats,
  rows: [
    { name: 'nothing is routed', ignores },
    { ...updated(2, response('2', type, answers('late'))), name: 'until it comes' },
  ],
};

const shared: Group = {
  name: 'RDS: validate_clusters',
  config: config('rds.yaml'),
  files: { 'rds.yaml': response('1', type, goesTo('one')) },
  stats,
  rows: [
    { name: 'a cluster that there is', ignores },
    refused(
      1,
      'a cluster that there is none of',
      response('2', type, goesTo('nowhere').replace('name: local,', 'name: local, validate_clusters: true,')),
    ),
  ],
};

export const discoveredRoutes: readonly Group[] = [swapped, empty, shared];
