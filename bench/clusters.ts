/**
 * 2 000 clusters of 10 hosts each and 5 000 routes to them by delta ADS, on sekisho and on Envoy: time to ready, memory
 * per cluster, and what another weight of one host and another set of routes cost.
 *
 * node bench/clusters.ts [clusters] [hosts] [routes]
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { clusterKind, endpointKind, listenerKind, routeKind } from '../src/control/xds/resource-kinds.ts';
import { ClusterSchema } from '../src/proto/envoy/config/cluster/v3/cluster_pb.js';
import { ListenerSchema } from '../src/proto/envoy/config/listener/v3/listener_pb.js';
import { RouteConfigurationSchema } from '../src/proto/envoy/config/route/v3/route_pb.js';
import { ClusterLoadAssignmentSchema } from '../src/proto/envoy/config/endpoint/v3/endpoint_pb.js';
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
} from '../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { messageTypes } from '../src/admin/dump/message-types.ts';
import { create, fromBinary, fromJson, toBinary } from '../src/proto/protobuf.js';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { findProgram } from '../test/peers/binaries.ts';

const clusters = Number(process.argv[2] ?? 2000);
const hosts = Number(process.argv[3] ?? 10);
const routes = Number(process.argv[4] ?? 5000);
const routesPerHost = 10;
/** Told one by one: those that warm up, and those that are measured. */
const warmUp = 500;
const changes = 1500;
/** Whole sets of routes, each with another prefix. */
const routeChanges = 10;
const adminPort = 19_477;

const overAds = { resource_api_version: 'V3', ads: {} };

function cluster(i: number): Uint8Array {
  const json = { name: `c${i}`, type: 'EDS', connect_timeout: '5s', eds_cluster_config: { eds_config: overAds } };
  return toBinary(ClusterSchema, fromJson(ClusterSchema, json as never));
}

function assignment(i: number, weight: number): Uint8Array {
  const endpoint = (host: number): object => ({
    endpoint: { address: { socket_address: { address: `10.${i >> 8}.${i & 255}.${host + 1}`, port_value: 80 } } },
    load_balancing_weight: host === 0 ? weight : 1,
  });
  const lbEndpoints = Array.from({ length: hosts }, (_, host) => endpoint(host));
  const json = { cluster_name: `c${i}`, endpoints: [{ lb_endpoints: lbEndpoints }] };
  return toBinary(ClusterLoadAssignmentSchema, fromJson(ClusterLoadAssignmentSchema, json as never));
}

/** Ten routes a virtual host, to the clusters in turn. */
function routeConfiguration(version: number): Uint8Array {
  const route = (i: number): object => ({
    match: { prefix: `/v${version}/${i % routesPerHost}` },
    route: { cluster: `c${i % Math.max(1, clusters)}` },
  });
  const virtualHosts = Array.from({ length: Math.ceil(routes / routesPerHost) }, (_, host) => ({
    name: `h${host}`,
    domains: [`h${host}.example`],
    routes: Array.from({ length: routesPerHost }, (_route, i) => route(host * routesPerHost + i)),
  }));
  const json = { name: 'routes', virtual_hosts: virtualHosts };
  return toBinary(RouteConfigurationSchema, fromJson(RouteConfigurationSchema, json as never));
}

function listener(): Uint8Array {
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'bench',
    rds: { route_config_name: 'routes', config_source: overAds },
    http_filters: [
      {
        name: 'router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  const json = {
    name: 'bench',
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
    filter_chains: [{ filters: [{ name: 'manager', typed_config: manager }] }],
  };
  return toBinary(ListenerSchema, fromJson(ListenerSchema, json as never, { registry: messageTypes }));
}

/** Answers what is asked for by name, and all clusters to who asks for them. */
class Plane {
  readonly server = new Server({ 'grpc.max_receive_message_length': -1 });
  private call: ServerDuplexStream<Buffer, Buffer> | null = null;
  private nonce = 0;
  acknowledged = 0;
  private hasTold = false;

  async start(): Promise<number> {
    const pass = (bytes: Buffer): Buffer => bytes;
    const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';
    const method = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: pass,
      requestDeserialize: pass,
    };
    this.server.addService(
      { delta: { ...method, responseSerialize: pass, responseDeserialize: pass } },
      { delta: (call: ServerDuplexStream<Buffer, Buffer>) => this.opened(call) },
    );
    return new Promise((resolve, reject) =>
      this.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      ),
    );
  }

  tell(typeUrl: string, list: readonly { name: string; packed: Uint8Array }[]): void {
    const resources = list.map(({ name, packed }) => ({
      name,
      version: String(++this.nonce),
      resource: { typeUrl, value: packed },
    }));
    const fields = { typeUrl, nonce: String(this.nonce), systemVersionInfo: '1', resources };
    const response = create(DeltaDiscoveryResponseSchema, fields as never);
    this.call?.write(Buffer.from(toBinary(DeltaDiscoveryResponseSchema, response)));
  }

  private opened(call: ServerDuplexStream<Buffer, Buffer>): void {
    this.call = call;
    this.hasTold = false;
    call.on('error', () => {});
    call.on('data', (bytes: Buffer) => {
      const request = fromBinary(DeltaDiscoveryRequestSchema, bytes);
      if (request.responseNonce !== '') this.acknowledged++;
      if (request.typeUrl === clusterKind.typeUrl && !this.hasTold) {
        this.hasTold = true;
        this.tell(
          clusterKind.typeUrl,
          Array.from({ length: clusters }, (_, i) => ({ name: `c${i}`, packed: cluster(i) })),
        );
      }
      if (request.typeUrl === listenerKind.typeUrl && request.responseNonce === '')
        this.tell(listenerKind.typeUrl, [{ name: 'bench', packed: listener() }]);
      if (request.typeUrl === routeKind.typeUrl && request.resourceNamesSubscribe.length > 0)
        this.tell(routeKind.typeUrl, [{ name: 'routes', packed: routeConfiguration(0) }]);
      const names = request.typeUrl === endpointKind.typeUrl ? request.resourceNamesSubscribe : [];
      if (names.length > 0)
        this.tell(
          endpointKind.typeUrl,
          names.map((name) => ({ name, packed: assignment(Number(name.slice(1)), 1) })),
        );
    });
  }
}

function bootstrap(port: number): object {
  const http2 = {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  };
  const endpoint = { address: { socket_address: { address: '127.0.0.1', port_value: port } } };
  const xds = {
    name: 'xds',
    connect_timeout: '5s',
    typed_extension_protocol_options: http2,
    load_assignment: { cluster_name: 'xds', endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
  const api = {
    api_type: 'DELTA_GRPC',
    transport_api_version: 'V3',
    grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
  };
  return {
    node: { id: 'bench', cluster: 'bench' },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: adminPort } } },
    dynamic_resources: { ads_config: api, cds_config: overAds, lds_config: overAds },
    static_resources: { clusters: [xds] },
  };
}

/** Seconds of user and system time, and resident KiB. */
function used(pid: number): { cpu: number; rss: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, rss: Number(/VmRSS:\s+(\d+)/.exec(status)![1]) };
}

async function isReady(): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${adminPort}/ready`)).status === 200;
  } catch {
    return false;
  }
}

/** Another weight of one host, of one cluster after the other. */
async function change(plane: Plane, first: number, count: number): Promise<void> {
  const acknowledged = plane.acknowledged;
  for (let i = first; i < first + count; i++) {
    const which = (i * 37) % clusters;
    plane.tell(endpointKind.typeUrl, [{ name: `c${which}`, packed: assignment(which, 2 + i) }]);
    if (i % 10 === 9) await pause(10);
  }
  while (plane.acknowledged < acknowledged + count) await pause(10);
  await pause(1000);
}

/** Another set of routes, one after the other. */
async function changeRoutes(plane: Plane, first: number, count: number): Promise<void> {
  for (let i = first; i < first + count; i++) {
    const acknowledged = plane.acknowledged;
    plane.tell(routeKind.typeUrl, [{ name: 'routes', packed: routeConfiguration(1 + i) }]);
    while (plane.acknowledged === acknowledged) await pause(5);
  }
  await pause(1000);
}

async function measure(name: string, command: readonly string[], plane: Plane): Promise<void> {
  const child: ChildProcess = spawn(command[0], command.slice(1), { stdio: 'ignore' });
  try {
    const began = performance.now();
    while (!(await isReady())) await pause(10);
    const readyMs = performance.now() - began;
    await pause(1500);
    const ready = used(child.pid!);
    await change(plane, 0, warmUp);
    const before = used(child.pid!);
    await change(plane, warmUp, changes);
    const after = used(child.pid!);
    const microseconds = ((after.cpu - before.cpu) * 1e6) / changes;
    await changeRoutes(plane, 0, routeChanges);
    const beforeRoutes = used(child.pid!);
    await changeRoutes(plane, routeChanges, routeChanges);
    const routesMs = ((used(child.pid!).cpu - beforeRoutes.cpu) * 1e3) / routeChanges;
    console.log(
      `${name.padEnd(10)} ready ${readyMs.toFixed(0).padStart(6)} ms   CPU to ready ${ready.cpu.toFixed(2)} s   ` +
        `RSS ${(ready.rss / 1024).toFixed(0)} MiB   one host ${microseconds.toFixed(0)} µs   all routes ${routesMs.toFixed(0)} ms`,
    );
  } finally {
    child.kill();
    await new Promise((resolve) => child.once('exit', resolve));
  }
}

const plane = new Plane();
const port = await plane.start();
const folder = mkdtempSync(join(tmpdir(), 'bench-clusters-'));
try {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(bootstrap(port)));
  const common = ['-c', file, '--concurrency', '1'];
  console.log(`${clusters} clusters of ${hosts} hosts, ${routes} routes`);
  await measure('sekisho', [process.execPath, join(import.meta.dirname, '../src/main.ts'), ...common], plane);
  const envoy = findProgram('envoy');
  if (envoy !== null) await measure('envoy', [envoy, ...common, '--use-dynamic-base-id', '-l', 'error'], plane);
} finally {
  rmSync(folder, { recursive: true });
  plane.server.forceShutdown();
}
