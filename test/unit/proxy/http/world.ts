import { createRegistry, fromJson, type JsonObject, type JsonValue } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { load } from 'js-yaml';
import type { ClusterData } from '../../../../src/cluster/cluster-data.ts';
import type { ClusterRuntime } from '../../../../src/cluster/cluster-runtime.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import { DownstreamRemoteClose } from '../../../../src/core/failures.ts';
import type { OverloadView } from '../../../../src/core/overload-view.ts';
import type { Address } from '../../../../src/core/peer.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import type { FilterBuilder, HttpFilter } from '../../../../src/filter/filter.ts';
import { decodeRouter } from '../../../../src/proxy/http/decode/router-decode.ts';
import { buildFormat } from '../../../../src/observe/access-log/build.ts';
import { compileFormat } from '../../../../src/observe/format/format.ts';
import { FilterConfigSchema } from '../../../../src/proto/envoy/config/route/v3/route_components_pb.js';
import { RouterSchema } from '../../../../src/proto/envoy/extensions/filters/http/router/v3/router_pb.js';
import {
  HttpConnectionManagerSchema,
  HttpFilterSchema,
} from '../../../../src/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { OmitCanaryHostsPredicateSchema } from '../../../../src/proto/envoy/extensions/retry/host/omit_canary_hosts/v3/omit_canary_hosts_pb.js';
import { PreviousHostsPredicateSchema } from '../../../../src/proto/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js';
import type { Tracer } from '../../../../src/observe/trace/tracer.ts';
import { buildHttpConnectionManager, routerKind, type HttpEnvironment } from '../../../../src/proxy/http/build.ts';
import type { HttpConnectionManager } from '../../../../src/proxy/http/connection-manager.ts';
import { decodeHttpConnectionManager } from '../../../../src/proxy/http/decode.ts';
import type { HcmData, HttpFilterData } from '../../../../src/proxy/http/hcm-data.ts';
import { HeaderMatcher } from '../../../../src/route/match/header-matcher.ts';
import type { HeaderMatcherData } from '../../../../src/route/match/matcher-data.ts';
import { buildRouteTable } from '../../../../src/route/build.ts';
import { World } from '../../cluster/cluster-fixture.ts';
import { MemoryConnection, type MemoryDial } from '../../cluster/memory-network.ts';
import { fixedRuntime } from '../../route/fixture.ts';

const registry = createRegistry(FilterConfigSchema, PreviousHostsPredicateSchema, OmitCanaryHostsPredicateSchema);

/** Requests of this machine are internal: their `x-envoy-*` control headers count. */
export const trusted = {
  useRemoteAddress: true,
  internalAddressConfig: { cidrRanges: [{ addressPrefix: '127.0.0.0', prefixLen: 8 }] },
};

export interface Setting {
  /** Fields of HttpConnectionManager in JSON. */
  readonly hcm?: JsonObject;
  /** Fields of Router in JSON. */
  readonly router?: JsonObject;
  /** YAML list of routes; unless told all requests go to cluster `c`. */
  readonly routes?: string;
  /** Fields of VirtualHost in JSON. */
  readonly virtualHost?: JsonObject;
  readonly clusters?: Readonly<Record<string, Partial<ClusterData>>>;
  /** Before the router, in this order; a function: a new one per stream. */
  readonly filters?: Readonly<Record<string, HttpFilter | (() => HttpFilter)>>;
  /** Names of filters that are off unless a route switches them on. */
  readonly disabled?: readonly string[];
  /** Format of the access log. */
  readonly log?: string;
  readonly overload?: OverloadView;
  /** Of every `tracing` that names a provider. */
  readonly tracer?: Tracer;
  readonly trafficDirection?: 'UNSPECIFIED' | 'INBOUND' | 'OUTBOUND';
}

/** A client's end of a connection to the proxy is the test. */
export class ClientConnection extends MemoryConnection {
  /** Milliseconds for which it was to linger; null: it was not ended so. */
  lingerMs: number | null = null;
  endedWith: Failure | null = null;

  override endAndLinger(lingerMs: number, failure: Failure): void {
    this.lingerMs ??= lingerMs;
    this.endedWith ??= failure;
  }

  /** The client vanishes. */
  leave(): void {
    this.close(DownstreamRemoteClose);
  }

  get isClosing(): boolean {
    return this.endedWith !== null || !this.isOpen;
  }
}

const client: Address = { kind: 'ip', host: '127.0.0.1', port: 40000 };

/** A whole connection manager: the real one with real codecs, routes, clusters and pools; sockets and time are the test's. */
export class HttpWorld {
  readonly around: World;
  readonly manager: HttpConnectionManager;
  readonly clusters: Map<string, ClusterRuntime>;
  /** One line per logged stream. */
  readonly logged: string[];
  /** The process is draining. */
  isDraining: boolean;
  private lastId: number;
  private readonly accepted: Map<MemoryDial, MemoryConnection>;

  constructor(setting: Setting = {}) {
    this.around = new World();
    this.around.network.clock.now = 1000;
    this.clusters = new Map();
    this.logged = [];
    this.isDraining = false;
    this.lastId = 0;
    this.accepted = new Map();
    for (const [name, change] of Object.entries(setting.clusters ?? { c: {} }))
      this.clusters.set(name, this.around.cluster({ name, statName: name, ...change }));
    this.manager = buildHttpConnectionManager(dataOf(setting), this.environment(setting));
  }

  /** A client connects. */
  connect(): ClientConnection {
    const connection = new ClientConnection(++this.lastId, client);
    this.manager.handle(connection, 'chain');
    return connection;
  }

  /** A client connects and sends. */
  send(text: string): ClientConnection {
    const connection = this.connect();
    connection.receive(text);
    return connection;
  }

  /** One of the proxy's dials, the latest unless told, succeeds. */
  accept(index = this.dials - 1): MemoryConnection {
    const dial = this.around.network.dials[index];
    const connection = dial.succeed();
    this.accepted.set(dial, connection);
    return connection;
  }

  /** The upstream's end of the latest connection, accepted if it was not yet. */
  get upstream(): MemoryConnection {
    return this.accepted.get(this.around.network.dials[this.dials - 1]) ?? this.accept();
  }

  refuse(failure: Failure): void {
    this.around.network.dials[this.dials - 1].fail(failure);
  }

  get dials(): number {
    return this.around.network.dials.length;
  }

  advance(milliseconds: number): void {
    this.around.network.clock.epochMs += milliseconds;
    this.around.network.advance(milliseconds);
  }

  /** Value of a stat by its full name. */
  stat(name: string): number {
    return this.around.stats.counter(name).value;
  }

  /** `http.p.` … that are not zero. */
  get hcmStats(): Record<string, number> {
    return this.around.stats.read('http.p.');
  }

  private environment({ filters = {}, log = '', overload, tracer, trafficDirection }: Setting): HttpEnvironment {
    const { network, stats } = this.around;
    const format = compileFormat(log);
    return {
      clock: network.clock,
      timers: network.timers,
      clusters: this.clusters,
      stats,
      listenerStats: stats.scope('listener').scope('l'),
      listenerMetadata: null,
      runtime: this.around.runtime,
      overload: overload ?? null,
      ...(tracer === undefined ? {} : { tracer: () => tracer }),
      trafficDirection: trafficDirection ?? 'UNSPECIFIED',
      localNode: { cluster: '', id: '' },
      localAddress: '10.9.9.9',
      random: () => 0,
      filterBuilder: (kind) => builderOf(kind, filters[kind]),
      buildRoutes: (data) =>
        buildRouteTable(data, {
          compileFormat: (text, omitEmptyValues) => compileFormat(text, { omitEmptyValues }),
          buildFormat: (one) => buildFormat(one),
          buildFilterConfig: (_filter, config) => config.data,
          runtime: fixedRuntime,
        }),
      buildAccessLog: () => ({ log: (outcome) => void this.logged.push(format.format(outcome)) }),
      filterTools: {
        headerMatcher: (data) => new HeaderMatcher(data as HeaderMatcherData),
        runtime: fixedRuntime,
        random: () => 0,
      },
      drain: { strategy: 'immediate', timeMs: 0 },
      shouldCloseOnResponse: () => this.isDraining,
    };
  }
}

function builderOf(kind: string, filter: HttpFilter | (() => HttpFilter)): FilterBuilder {
  return { kind, build: () => ({ create: () => (typeof filter === 'function' ? filter() : filter) }) };
}

/** Through the real decoder, so that defaults are Envoy's. */
function dataOf({
  hcm = {},
  router = {},
  routes,
  virtualHost = {},
  filters = {},
  disabled = [],
  log,
}: Setting): HcmData {
  const list = load(routes ?? '- { match: { prefix: / }, route: { cluster: c } }') as JsonValue;
  const message = fromJson(
    HttpConnectionManagerSchema,
    {
      statPrefix: 'p',
      generateRequestId: false,
      routeConfig: { virtualHosts: [{ name: 'v', domains: ['*'], routes: list, ...virtualHost }] },
      ...hcm,
    },
    { registry },
  );
  const routerMessage = fromJson(RouterSchema, router);
  message.httpFilters = [fromJson(HttpFilterSchema, { name: 'router' })];
  message.httpFilters[0].configType = { case: 'typedConfig', value: anyPack(RouterSchema, routerMessage) };
  const reasons = new Reasons();
  const data = decodeHttpConnectionManager(message, reasons, {
    open: (_category, name) => ({
      name,
      kind: routerKind,
      data: decodeRouter(routerMessage, reasons, { open: () => null }),
    }),
  });
  if (data === null || !reasons.isEmpty) throw new Error(JSON.stringify(reasons.list));
  const own = Object.keys(filters).map((name): HttpFilterData => ({
    name,
    kind: name,
    data: null,
    disabled: disabled.includes(name),
  }));
  const accessLogs = log === undefined ? [] : [{} as HcmData['accessLogs'][number]];
  return { ...data, accessLogs, httpFilters: [...own, ...data.httpFilters] };
}

/** A request in bytes. `headers`: `name: value`. */
export function request(line = 'GET /', headers: readonly string[] = [], body = ''): string {
  const [method, path] = line.split(' ');
  const length = body === '' ? [] : [`content-length: ${body.length}`];
  return [`${method} ${path} HTTP/1.1`, 'host: a', ...headers, ...length, '', body].join('\r\n');
}

/** A response in bytes, with a content-length. */
export function response(status = 200, body = 'ok', headers: readonly string[] = []): string {
  return [`HTTP/1.1 ${status} X`, ...headers, `content-length: ${body.length}`, '', body].join('\r\n');
}

/** Status of the response that `text` begins with. */
export function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
}

export function bodyOf(text: string): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

/** Value of a field of the first head in `text`; undefined: not there. */
export function fieldOf(text: string, name: string): string | undefined {
  const lines = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n');
  return lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
}
