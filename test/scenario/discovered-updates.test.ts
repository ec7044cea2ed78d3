/** Everything that a control plane may tell changes, twenty times a second for half a minute, and no request fails. */
import { setInterval as every } from 'node:timers/promises';
import { request } from 'undici';
import { beforeAll, expect, test } from 'vitest';
import {
  clusterKind,
  endpointKind,
  listenerKind,
  routeKind,
  secretKind,
} from '../../src/control/xds/resource-kinds.ts';
import { ClusterSchema } from '../../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { ClusterLoadAssignmentSchema } from '../../src/proto/envoy/config/endpoint/v3/endpoint_pb.js';
import { ListenerSchema } from '../../src/proto/envoy/config/listener/v3/listener_pb.js';
import { RouteConfigurationSchema } from '../../src/proto/envoy/config/route/v3/route_pb.js';
import { SecretSchema } from '../../src/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { Authority, type Issued } from '../certificates.ts';
import { ControlPlane } from '../xds/control-plane.ts';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener, route } from './config.ts';
import { Origin } from './origin.ts';
import { api, http2, node, overAds, pack } from './over-ads.ts';
import { PacedTraffic } from './paced-traffic.ts';

type Json = Record<string, unknown>;

const updates = 600;
const paceMs = 50;
/** One for each kind of update. */
const countedBy = [
  'listener_manager.lds.update_success',
  'http.plain.rds.routes.update_success',
  'cluster_manager.cds.update_success',
  'cluster.one.update_success',
  'sds.server.update_success',
];
/** How many updates an answer lasts that is under way. */
const heldUpdates = 12;

let authority: Authority;
let certificates: readonly Issued[];

beforeAll(async () => {
  authority = await Authority.root();
  certificates = await Promise.all(
    ['one', 'two'].map((name) => authority.issue({ subject: `CN=${name}`, dns: ['test.example'] })),
  );
});

/** A control plane whose every resource comes in versions. */
class Versions {
  readonly plane: ControlPlane;
  private readonly ports: readonly number[];

  constructor(plane: ControlPlane, ports: readonly number[]) {
    this.plane = plane;
    this.ports = ports;
  }

  /** Chains that change in place, and all that makes a listener another; besides, one that comes and goes. */
  listeners(version: number): void {
    const buffer = 32_768 + Math.floor(version / 3);
    const manager = {
      route_config: undefined,
      rds: { route_config_name: 'routes', config_source: overAds },
      server_name: `sekisho-${version}`,
    };
    const listener = (name: string): Json =>
      httpListener({ name, manager, listener: { per_connection_buffer_limit_bytes: buffer } });
    const tls = {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
      common_tls_context: { tls_certificate_sds_secret_configs: [{ name: 'server', sds_config: overAds }] },
    };
    const [chain] = (listener('tls') as { filter_chains: Json[] }).filter_chains;
    const secured = {
      ...listener('tls'),
      filter_chains: [{ ...chain, transport_socket: { name: 't', typed_config: tls } }],
    };
    const isThere = version % 2 === 0;
    const all = { plain: listener('plain'), tls: secured, ...(isThere && { guest: listener('guest') }) };
    const packed = Object.fromEntries(Object.entries(all).map(([name, json]) => [name, pack(ListenerSchema, json)]));
    this.plane.change(listenerKind.typeUrl, packed, isThere ? [] : ['guest']);
  }

  routes(version: number): void {
    const added = { response_headers_to_add: [{ header: { key: 'x-version', value: String(version) } }] };
    const to = version % 2 === 0 ? 'one' : 'two';
    const virtualHosts = [{ name: `v${version}`, domains: ['*'], routes: [{ ...route('/', to), ...added }] }];
    const routes = pack(RouteConfigurationSchema, { name: 'routes', virtual_hosts: virtualHosts });
    this.plane.change(routeKind.typeUrl, { routes });
  }

  /** Another version of both in turn, and one that comes and goes. */
  clusters(version: number): void {
    const eds = (name: string, turn: number): Uint8Array =>
      pack(ClusterSchema, {
        name,
        type: 'EDS',
        connect_timeout: `${5 + ((version + turn) % 2)}s`,
        eds_cluster_config: { eds_config: overAds },
      });
    const isThere = version % 2 === 0;
    const guest = { guest: pack(ClusterSchema, cluster('guest', [1])) };
    const changed = version % 4 < 2 ? { one: eds('one', 0) } : { two: eds('two', 1) };
    const all = version === 0 ? { one: eds('one', 0), two: eds('two', 1) } : changed;
    this.plane.change(clusterKind.typeUrl, { ...all, ...(isThere && guest) }, isThere ? [] : ['guest']);
  }

  /** One host, the other, or both by other weights. */
  endpoints(version: number): void {
    const [a, b] = this.ports;
    const ports = [[a], [b], [a, b], [b, a]][version % 4];
    const assignment = (name: string): Uint8Array => {
      const lbEndpoints = ports.map((port, i) => ({
        endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
        load_balancing_weight: 1 + ((version + i) % 5),
      }));
      return pack(ClusterLoadAssignmentSchema, { cluster_name: name, endpoints: [{ lb_endpoints: lbEndpoints }] });
    };
    this.plane.change(endpointKind.typeUrl, { one: assignment('one'), two: assignment('two') });
  }

  secrets(version: number): void {
    const { chainPem, keyPem } = certificates[version % 2];
    const pair = { certificate_chain: { inline_string: chainPem }, private_key: { inline_string: keyPem } };
    this.plane.change(secretKind.typeUrl, { server: pack(SecretSchema, { name: 'server', tls_certificate: pair }) });
  }

  get kinds(): readonly ((version: number) => void)[] {
    return [
      (version) => this.listeners(version),
      (version) => this.routes(version),
      (version) => this.clusters(version),
      (version) => this.endpoints(version),
      (version) => this.secrets(version),
    ];
  }
}

/** Answers begin at once; those to /held end when the test says. */
class Slow {
  readonly ends: (() => void)[] = [];

  async start(): Promise<Origin> {
    return Origin.start((asked, response) => {
      response.write('begun ');
      if (asked.url === '/held') this.ends.push(() => response.end('done'));
      else response.end('done');
    });
  }
}

/** @returns why requests have failed, if any has */
async function updatedUnderTraffic(apiType: string): Promise<readonly string[]> {
  const slow = new Slow();
  const origins = await Promise.all([slow.start(), slow.start()]);
  const plane = await ControlPlane.start();
  const versions = new Versions(
    plane,
    origins.map(({ port }) => port),
  );
  for (const tell of versions.kinds) tell(0);
  const config = bootstrap([], [cluster('xds', [plane.port], http2)], {
    node,
    dynamic_resources: { ads_config: api(apiType), lds_config: overAds, cds_config: overAds },
  });
  const app = await App.start(config, { concurrency: 2 });
  const [plainPort, tlsPort, url] = await Promise.all([app.port('plain'), app.port('tls'), app.url('plain')]);
  const traffic = new PacedTraffic({ plainPort, tlsPort, ca: authority.rootPem });
  const held: Promise<string>[] = [];
  let told = 0;
  for await (const _ of every(paceMs)) {
    const { kinds } = versions;
    kinds[told % kinds.length](1 + Math.floor(told / kinds.length));
    told++;
    if (told % heldUpdates === 0) {
      for (const end of slow.ends.splice(0)) end();
      held.push(request(`${url}/held`).then(({ body }) => body.text()));
    }
    if (told === updates) break;
  }
  for (const stat of countedBy) await app.statIs(stat, 1 + updates / versions.kinds.length);
  expect(plane.verdicts.filter(({ refusal }) => refusal !== '')).toEqual([]);
  for (const end of slow.ends) end();
  expect(await Promise.all(held)).toEqual(Array.from({ length: updates / heldUpdates }, () => 'begun done'));
  const failures = await traffic.stop();
  expect(Object.keys(traffic.counts)).toHaveLength(4);
  return failures;
}

test('listeners, routes, clusters, endpoints and secrets change under traffic, by both protocols', async () => {
  const failures = await Promise.all(['GRPC', 'DELTA_GRPC'].map((apiType) => updatedUnderTraffic(apiType)));
  expect(failures).toEqual([[], []]);
});
