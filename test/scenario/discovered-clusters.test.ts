import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInterval as every } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { clusterKind, endpointKind } from '../../src/control/xds/resource-kinds.ts';
import { ClusterSchema } from '../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { ClusterLoadAssignmentSchema } from '../../src/proto/envoy/config/endpoint/v3/endpoint_pb.js';
import { fromJson, toBinary } from '../../src/proto/protobuf.js';
import { ControlPlane } from '../xds/control-plane.ts';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener, route } from './config.ts';
import { getText } from './http.ts';
import { Origin } from './origin.ts';
import { Traffic } from './traffic.ts';
import { until } from './wait.ts';

type Json = Record<string, unknown>;

const node = { id: 'me', cluster: 'mine' };
const overAds = { resource_api_version: 'V3', ads: {} };

const named = (name: string): Promise<Origin> =>
  Origin.start((incoming, response) => {
    incoming.resume();
    response.end(name);
  });

/** A cluster whose hosts come over ADS. */
function discovered(name: string, more: Json = {}): Json {
  return { name, type: 'EDS', connect_timeout: '5s', eds_cluster_config: { eds_config: overAds }, ...more };
}

function assignment(name: string, ports: readonly number[], more: Json = {}): Json {
  return { ...(cluster(name, ports)['load_assignment'] as Json), ...more };
}

const packedCluster = (json: Json): Uint8Array => toBinary(ClusterSchema, fromJson(ClusterSchema, json as never));
const packedHosts = (json: Json): Uint8Array =>
  toBinary(ClusterLoadAssignmentSchema, fromJson(ClusterLoadAssignmentSchema, json as never));

function setClusters(plane: ControlPlane, ...list: readonly Json[]): void {
  plane.change(clusterKind.typeUrl, Object.fromEntries(list.map((json) => [json['name'], packedCluster(json)])));
}

function setHosts(plane: ControlPlane, name: string, ports: readonly number[], more: Json = {}): void {
  plane.change(endpointKind.typeUrl, { [name]: packedHosts(assignment(name, ports, more)) });
}

/** To the cluster that the path names; nobody minds whether it is there. */
const ingress = (...names: readonly string[]): Json =>
  httpListener({
    manager: {
      route_config: {
        name: 'local',
        validate_clusters: false,
        virtual_hosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [...names.slice(1).map((name) => route(`/${name}`, name)), route('/', names[0])],
          },
        ],
      },
    },
  });

const http2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

function underAds(port: number, apiType: string, more: Json = {}): Json {
  const api = {
    api_type: apiType,
    transport_api_version: 'V3',
    grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
  };
  return bootstrap([ingress('c', 'd')], [cluster('xds', [port], http2), ...((more['clusters'] as Json[]) ?? [])], {
    node,
    dynamic_resources: { ads_config: api, cds_config: { ...overAds, ...(more['cds'] as Json) } },
  });
}

describe.each(['GRPC', 'DELTA_GRPC'])('clusters over ADS by %s', (apiType) => {
  test('come with their hosts before the process is ready, change, and go', async () => {
    const [one, two] = [await named('one'), await named('two')];
    const plane = await ControlPlane.start();
    setClusters(plane, discovered('c'));
    setHosts(plane, 'c', [one.port]);
    const app = await App.start(underAds(plane.port, apiType));
    const url = await app.url();
    expect(await getText(url)).toBe('one');
    expect(await app.stat('cluster_manager.active_clusters')).toBe(2);
    // Other hosts.
    setHosts(plane, 'c', [two.port]);
    await until('the other host', async () => (await getText(url)) === 'two');
    // Another configuration of the cluster, whose hosts are known.
    setClusters(plane, discovered('c', { connect_timeout: '3s' }));
    await app.statIs('cluster_manager.cluster_modified', 1);
    await app.statIs('cluster_manager.warming_clusters', 0);
    expect(await getText(url)).toBe('two');
    // Gone.
    plane.change(clusterKind.typeUrl, {}, ['c']);
    await app.statIs('cluster_manager.cluster_removed', 1);
    await until('no answer', async () => (await fetch(url)).status === 503);
    expect(plane.verdicts.filter(({ refusal }) => refusal !== '')).toEqual([]);
  });

  test('that are refused are told by name, and those beside them come', async () => {
    const one = await named('one');
    const plane = await ControlPlane.start();
    setClusters(plane, { name: 'bad', type: 'EDS' }, cluster('c', [one.port]));
    const app = await App.start(underAds(plane.port, apiType));
    expect((await plane.verdict(clusterKind.typeUrl)).refusal).toBe(
      'Error adding/updating cluster(s) bad: cannot create an EDS cluster without an EDS config',
    );
    expect(await getText(await app.url())).toBe('one');
    expect(await app.stat('cluster_manager.cds.update_rejected')).toBe(1);
  });

  test('wait for their hosts while the version before serves', async () => {
    const [one, two] = [await named('one'), await named('two')];
    const plane = await ControlPlane.start();
    setClusters(plane, cluster('c', [one.port]));
    const app = await App.start(underAds(plane.port, apiType));
    const url = await app.url();
    setClusters(plane, discovered('c'));
    await app.statIs('cluster_manager.warming_clusters', 1);
    expect(await getText(url)).toBe('one');
    const dump = await app.admin('/config_dump?resource=dynamic_warming_clusters');
    expect(dump.body).toContain('"EDS"');
    setHosts(plane, 'c', [two.port]);
    await until('the other host', async () => (await getText(url)) === 'two');
    await app.statIs('cluster_manager.warming_clusters', 0);
  });

  test('a static cluster stays what it is', async () => {
    const [one, two] = [await named('one'), await named('two')];
    const plane = await ControlPlane.start();
    setClusters(plane, cluster('c', [two.port]));
    const app = await App.start(underAds(plane.port, apiType, { clusters: [cluster('c', [one.port])] }));
    expect((await plane.verdict(clusterKind.typeUrl)).refusal).toBe('');
    expect(await getText(await app.url())).toBe('one');
    plane.change(clusterKind.typeUrl, {}, ['c']);
    await plane.verdict(clusterKind.typeUrl, 2);
    expect(await getText(await app.url())).toBe('one');
  });

  test('change twenty times a second under traffic, and no request fails', async () => {
    const origins = [await named('one'), await named('two')];
    const plane = await ControlPlane.start();
    setClusters(plane, discovered('c'));
    setHosts(plane, 'c', [origins[0].port]);
    const app = await App.start(underAds(plane.port, apiType), { concurrency: 2 });
    const traffic = new Traffic(await app.url(), 8);
    await traffic.sees('one');
    const rounds = 60;
    let round = 0;
    for await (const _ of every(50)) {
      if (++round > rounds) break;
      const ports = origins.map(({ port }) => port).slice(round % 2);
      if (round % 3 === 0) setClusters(plane, discovered('c', { connect_timeout: `${3 + (round % 5)}s` }));
      else setHosts(plane, 'c', ports);
    }
    setHosts(plane, 'c', [origins[1].port]);
    await traffic.sees('two', 200);
    expect(await traffic.stop()).toEqual([]);
    expect(await app.stat('cluster_manager.cluster_modified')).toBeGreaterThan(rounds / 6);
    expect(plane.verdicts.filter(({ refusal }) => refusal !== '')).toEqual([]);
  });
});

test.each(['GRPC', 'DELTA_GRPC'])('clusters and their hosts over streams of their own, by %s', async (apiType) => {
  const [one, two] = [await named('one'), await named('two')];
  const plane = await ControlPlane.start();
  const grpc = { envoy_grpc: { cluster_name: 'xds' } };
  const source = {
    resource_api_version: 'V3',
    api_config_source: { api_type: apiType, transport_api_version: 'V3', grpc_services: [grpc] },
  };
  setClusters(plane, discovered('c', { eds_cluster_config: { service_name: 's', eds_config: source } }));
  setHosts(plane, 's', [one.port]);
  const clusters = [cluster('xds', [plane.port], http2)];
  const dynamic = { node, dynamic_resources: { cds_config: source } };
  const app = await App.start(bootstrap([ingress('c', 'd')], clusters, dynamic));
  const url = await app.url();
  expect(await getText(url)).toBe('one');
  setHosts(plane, 's', [two.port]);
  await until('the other host', async () => (await getText(url)) === 'two');
  expect(await app.stat('cluster.c.update_success')).toBe(2);
  // Its stream goes with the cluster, and so do its stats.
  plane.change(clusterKind.typeUrl, {}, ['c']);
  await until('its end', async () => !(await app.stats()).has('cluster.c.update_success'));
});

test('wait for the first round of their health checks', async () => {
  let answers: (() => void)[] = [];
  const slow = await Origin.start((incoming, response) => {
    incoming.resume();
    if (incoming.url !== '/healthz') response.end('slow');
    else answers.push(() => response.end());
  });
  const one = await named('one');
  const plane = await ControlPlane.start();
  setClusters(plane, cluster('c', [one.port]));
  const app = await App.start(underAds(plane.port, 'DELTA_GRPC'));
  const url = await app.url();
  const check = { timeout: '10s', interval: '0.1s', unhealthy_threshold: 1, healthy_threshold: 1 };
  setClusters(
    plane,
    cluster('c', [slow.port], { health_checks: [{ ...check, http_health_check: { path: '/healthz' } }] }),
  );
  await until('a check', () => answers.length > 0);
  expect(await getText(url)).toBe('one');
  expect(await app.stat('cluster_manager.warming_clusters')).toBe(1);
  for (const answer of answers) answer();
  answers = [];
  await until('the other host', async () => (await getText(url)) === 'slow');
});

test('a worker that dies knows them again', async () => {
  const [one, two] = [await named('one'), await named('two')];
  const plane = await ControlPlane.start();
  setClusters(plane, discovered('c'));
  setHosts(plane, 'c', [one.port]);
  const program = join(import.meta.dirname, 'mortal-main.ts');
  const app = await App.start(underAds(plane.port, 'DELTA_GRPC'), { program });
  const url = await app.url();
  setHosts(plane, 'c', [two.port]);
  await until('the other host', async () => (await getText(url)) === 'two');
  app.signal('SIGUSR2');
  await app.says(/worker_0 is started again/);
  await until('an answer', async () => (await getText(url).catch(() => '')) === 'two');
  setHosts(plane, 'c', [one.port]);
  await until('the other host', async () => (await getText(url)) === 'one');
});

test('a reload changes the clusters of the configuration, and leaves those that came', async () => {
  const [one, two] = [await named('one'), await named('two')];
  const plane = await ControlPlane.start();
  setClusters(plane, discovered('c'));
  setHosts(plane, 'c', [one.port]);
  const config = (port: number): Json => underAds(plane.port, 'DELTA_GRPC', { clusters: [cluster('d', [port])] });
  const app = await App.start(config(one.port));
  const traffic = new Traffic(await app.url(), 2);
  await traffic.sees('one');
  const url = `${await app.url()}/d`;
  expect(await getText(url)).toBe('one');
  await app.reload(config(two.port));
  await until('the other host', async () => (await getText(url)) === 'two');
  await app.reload(underAds(plane.port, 'DELTA_GRPC'));
  await until('the cluster to be gone', async () => (await fetch(url)).status === 503);
  await traffic.sees('one');
  expect(await traffic.stop()).toEqual([]);
  expect(await app.stat('cluster_manager.active_clusters')).toBe(2);
});

test('when the control plane goes, traffic goes on as it was, and what it says when it is back holds', async () => {
  const [one, two] = [await named('one'), await named('two')];
  const plane = await ControlPlane.start();
  setClusters(plane, discovered('c'));
  setHosts(plane, 'c', [one.port]);
  const app = await App.start(underAds(plane.port, 'GRPC'));
  const traffic = new Traffic(await app.url(), 2);
  await traffic.sees('one');
  plane.disconnect();
  await traffic.sees('one', 200);
  setHosts(plane, 'c', [two.port]);
  await traffic.sees('two');
  expect(await traffic.stop()).toEqual([]);
  expect(await app.stat('cluster_manager.cluster_modified')).toBe(0);
});

test('a control plane that is away is waited for no longer than asked', async () => {
  const one = await named('one');
  const silent = createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  onTestFinished(() => void silent.close());
  const { port } = silent.address() as { port: number };
  const app = await App.start(
    underAds(port, 'GRPC', { clusters: [cluster('c', [one.port])], cds: { initial_fetch_timeout: '0.2s' } }),
  );
  expect(await getText(await app.url())).toBe('one');
  expect(await app.stat('cluster_manager.cds.init_fetch_timeout')).toBe(1);
});

describe('clusters of files', () => {
  const folderOf = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'sekisho-cds-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    return folder;
  };

  const write = (path: string, type: string, resources: readonly Json[], version: string): void => {
    const packed = resources.map((json) => ({ '@type': `type.googleapis.com/${type}`, ...json }));
    writeFileSync(`${path}.next`, JSON.stringify({ version_info: version, resources: packed }));
    renameSync(`${path}.next`, path);
  };

  const fromFile = (path: string): Json => ({ resource_api_version: 'V3', path_config_source: { path } });

  test('and their hosts', async () => {
    const [one, two] = [await named('one'), await named('two')];
    const folder = folderOf();
    const [clusters, hosts] = [join(folder, 'cds.json'), join(folder, 'eds.json')];
    const eds = { name: 'c', type: 'EDS', eds_cluster_config: { service_name: 's', eds_config: fromFile(hosts) } };
    write(hosts, 'envoy.config.endpoint.v3.ClusterLoadAssignment', [assignment('s', [one.port])], 'e1');
    write(clusters, 'envoy.config.cluster.v3.Cluster', [eds], 'c1');
    const config = bootstrap([ingress('c', 'd')], [], { node, dynamic_resources: { cds_config: fromFile(clusters) } });
    const app = await App.start(config);
    const url = await app.url();
    expect(await getText(url)).toBe('one');
    write(hosts, 'envoy.config.endpoint.v3.ClusterLoadAssignment', [assignment('s', [two.port])], 'e2');
    await until('the other host', async () => (await getText(url)) === 'two');
    write(clusters, 'envoy.config.cluster.v3.Cluster', [eds, cluster('d', [one.port])], 'c2');
    await until('the other cluster', async () => (await getText(`${url}/d`)) === 'one');
    const { body } = await app.admin('/clusters');
    expect(body).toContain('c::added_via_api::true\nc::eds_service_name::s\n');
    const dump = JSON.parse((await app.admin('/config_dump?include_eds')).body) as { configs: Json[] };
    const of = (name: string): Json => dump.configs.find((config) => String(config['@type']).endsWith(name))!;
    expect(of('ClustersConfigDump')).toMatchObject({
      version_info: 'c2',
      dynamic_active_clusters: [{ version_info: 'c1' }, { version_info: 'c2', cluster: { name: 'd' } }],
    });
    expect(of('EndpointsConfigDump')).toMatchObject({
      dynamic_endpoint_configs: [
        { endpoint_config: { cluster_name: 's' } },
        { endpoint_config: { cluster_name: 'd' } },
      ],
    });
  });
});
