import type { DescMessage, JsonObject } from '@bufbuild/protobuf';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { toJson } from '../../proto/protobuf.js';
import { addressJson } from '../address-json.ts';
import type {
  AdminSource,
  ClusterReport,
  ConfigDumpReport,
  DumpedFault,
  DumpedListener,
  DumpedResource,
  DumpedScopes,
  HostReport,
} from '../admin-source.ts';
import { edsHealth, localityJson } from '../pages/clusters.ts';
import type { NameFilter } from '../name-filter.ts';
import { messageTypes } from './message-types.ts';
import { redact } from './redaction.ts';

/** One message of `envoy.admin.v3.ConfigDump.configs`, in proto names. */
export interface DumpSection {
  readonly type: DescMessage;
  readonly json: JsonObject;
}

/** Resources turned to JSON before other work of the main thread has its turn: some milliseconds. */
const resourcesPerTurn = 50;

/** A section that is made only when it is asked for: each turns much of the configuration into JSON. */
export interface SectionPlan {
  readonly type: DescMessage;
  write(): Promise<DumpSection>;
}

/** The sections in Envoy's order. */
export function planSections(source: AdminSource, accepts: NameFilter, withEndpoints: boolean): SectionPlan[] {
  const report = source.configDump();
  const writer = new SectionWriter(accepts);
  const plans = [
    plan('BootstrapConfigDump', () => writer.bootstrap(report.bootstrap)),
    plan('ClustersConfigDump', () => writer.clusters(report)),
  ];
  if (withEndpoints) plans.push(plan('EndpointsConfigDump', () => writer.endpoints(source.clusters())));
  for (const configs of report.extensionConfigs ?? [])
    plans.push(plan('EcdsConfigDump', () => writer.extensions(configs)));
  plans.push(plan('ListenersConfigDump', () => writer.listeners(report)));
  const { routes } = report;
  if (routes !== null) {
    plans.push(plan('ScopedRoutesConfigDump', () => writer.scopes(report.scopes ?? [])));
    plans.push(plan('RoutesConfigDump', () => writer.routes(routes)));
  }
  plans.push(plan('SecretsConfigDump', () => writer.secrets(report)));
  return plans;
}

function plan(name: string, write: () => JsonObject | Promise<JsonObject>): SectionPlan {
  const type = messageTypes.getMessage(`envoy.admin.v3.${name}`);
  if (type === undefined) throw new Error(`no message type envoy.admin.v3.${name}`);
  return { type, write: async () => ({ type, json: await write() }) };
}

class SectionWriter {
  private readonly accepts: NameFilter;

  constructor(accepts: NameFilter) {
    this.accepts = accepts;
  }

  bootstrap(resource: DumpedResource): JsonObject {
    return { bootstrap: this.message(resource), last_updated: updated(resource) };
  }

  async clusters({ clusters, clustersVersion = '' }: ConfigDumpReport): Promise<JsonObject> {
    return {
      ...(clustersVersion !== '' && { version_info: clustersVersion }),
      ...(await this.list('static_clusters', clusters.filter(isStatic), (one) => this.entry('cluster', one))),
      ...(await this.list('dynamic_active_clusters', clusters.filter(isActive), (one) => this.entry('cluster', one))),
      ...(await this.list('dynamic_warming_clusters', clusters.filter(isWarming), (one) => this.entry('cluster', one))),
    };
  }

  async scopes(sets: readonly DumpedScopes[]): Promise<JsonObject> {
    const write = ({ name, versionInfo, messages, lastUpdatedMs }: DumpedScopes): JsonObject => ({
      name,
      ...(versionInfo !== null && { version_info: versionInfo }),
      ...(messages.length > 0 && { scoped_route_configs: messages.map((message) => this.packed({ message })) }),
      last_updated: updated({ lastUpdatedMs }),
    });
    const inline = sets.filter(({ versionInfo }) => versionInfo === null);
    const dynamic = sets.filter(({ versionInfo }) => versionInfo !== null);
    return {
      ...(await this.list('inline_scoped_route_configs', inline, write)),
      ...(await this.list('dynamic_scoped_route_configs', dynamic, write)),
    };
  }

  async extensions(configs: readonly DumpedResource[]): Promise<JsonObject> {
    return this.list('ecds_filters', configs, (one) => this.entry('ecds_filter', one));
  }

  async listeners({ listeners, dynamicListeners: dynamic }: ConfigDumpReport): Promise<JsonObject> {
    return {
      ...(dynamic !== undefined && dynamic.version !== '' && { version_info: dynamic.version }),
      ...(await this.list('static_listeners', listeners, (one) => this.entry('listener', one))),
      ...(await this.list('dynamic_listeners', dynamic?.listeners ?? [], (one) => this.listener(one))),
    };
  }

  private listener({ name, active, warming, draining, fault }: DumpedListener): JsonObject {
    return {
      ...(name !== '' && { name }),
      ...(active !== null && { active_state: this.entry('listener', active) }),
      ...(warming !== null && { warming_state: this.entry('listener', warming) }),
      ...(draining !== null && { draining_state: this.entry('listener', draining) }),
      ...(fault !== null && { error_state: this.fault(fault) }),
    };
  }

  private fault({ message, details, attemptedMs }: DumpedFault): JsonObject {
    return {
      failed_configuration: this.packed({ message }),
      ...(attemptedMs !== null && { last_update_attempt: new Date(attemptedMs).toISOString() }),
      details,
    };
  }

  async routes(routes: readonly DumpedResource[]): Promise<JsonObject> {
    return {
      ...(await this.list('static_route_configs', routes.filter(isStatic), (one) => this.entry('route_config', one))),
      ...(await this.list('dynamic_route_configs', routes.filter(isDynamic), (one) => this.entry('route_config', one))),
    };
  }

  async secrets({ secrets }: ConfigDumpReport): Promise<JsonObject> {
    const entry = (one: DumpedResource): JsonObject => ({ name: one.name, ...this.entry('secret', one) });
    const stored = (one: DumpedResource): JsonObject => ({ name: one.name, secret: this.packed(one) });
    return {
      ...(await this.list('static_secrets', secrets.filter(isStatic), stored)),
      ...(await this.list('dynamic_active_secrets', secrets.filter(isActive), entry)),
      ...(await this.list('dynamic_warming_secrets', secrets.filter(isWarming), entry)),
    };
  }

  endpoints(clusters: readonly ClusterReport[]): JsonObject {
    const accepted = clusters.filter(({ name, edsServiceName }) => this.accepts(edsServiceName || name));
    const entries = (isDynamic: boolean): JsonObject[] =>
      accepted
        .filter(({ addedViaApi }) => addedViaApi === isDynamic)
        .map((cluster) => ({ endpoint_config: loadAssignment(cluster) }));
    const [statics, dynamics] = [entries(false), entries(true)];
    return {
      ...(statics.length > 0 && { static_endpoint_configs: statics }),
      ...(dynamics.length > 0 && { dynamic_endpoint_configs: dynamics }),
    };
  }

  private async list<Resource extends { readonly name: string }>(
    field: string,
    resources: readonly Resource[],
    write: (resource: Resource) => JsonObject,
  ): Promise<JsonObject> {
    const written: JsonObject[] = [];
    for (const resource of resources) {
      if (!this.accepts(resource.name)) continue;
      written.push(write(resource));
      if (written.length % resourcesPerTurn === 0) await nextTurn();
    }
    return written.length === 0 ? {} : { [field]: written };
  }

  private entry(field: string, resource: DumpedResource): JsonObject {
    return {
      ...(resource.versionInfo !== null && { version_info: resource.versionInfo }),
      [field]: this.packed(resource),
      last_updated: updated(resource),
    };
  }

  private packed(resource: Pick<DumpedResource, 'message'>): JsonObject {
    return { '@type': `type.googleapis.com/${resource.message.$typeName}`, ...this.message(resource) };
  }

  private message({ message }: Pick<DumpedResource, 'message'>): JsonObject {
    const type = messageTypes.getMessage(message.$typeName);
    if (type === undefined) throw new Error(`no message type ${message.$typeName}`);
    const json = toJson(type, message, { registry: messageTypes, useProtoFieldName: true }) as JsonObject;
    redact(json, type, messageTypes);
    return json;
  }
}

function isStatic({ versionInfo }: DumpedResource): boolean {
  return versionInfo === null;
}

function isDynamic({ versionInfo }: DumpedResource): boolean {
  return versionInfo !== null;
}

function isActive(resource: DumpedResource): boolean {
  return isDynamic(resource) && !resource.isWarming;
}

function isWarming(resource: DumpedResource): boolean {
  return isDynamic(resource) && resource.isWarming;
}

function updated({ lastUpdatedMs }: Pick<DumpedResource, 'lastUpdatedMs'>): string {
  return new Date(lastUpdatedMs).toISOString();
}

/** The hosts as they are now, as `envoy.config.endpoint.v3.ClusterLoadAssignment`, a locality and priority at a time. */
function loadAssignment(cluster: ClusterReport): JsonObject {
  const groups = new Map<string, HostReport[]>();
  for (const host of cluster.hosts) {
    const key = JSON.stringify([host.priority, host.region, host.zone, host.subZone]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [host]);
    else group.push(host);
  }
  return {
    '@type': 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
    cluster_name: cluster.edsServiceName || cluster.name,
    ...(groups.size > 0 && { endpoints: [...groups.values()].sort(byPlace).map(localityEndpoints) }),
    policy: { overprovisioning_factor: cluster.overprovisioningFactor ?? 140 },
  };
}

/** As Envoy has them: priorities, and in each the localities by their names. */
function byPlace([a]: readonly HostReport[], [b]: readonly HostReport[]): number {
  const places = [a, b].map(({ region, zone, subZone }) => [region, zone, subZone].join('\0'));
  return a.priority - b.priority || Number(places[0] > places[1]) - Number(places[0] < places[1]);
}

function localityEndpoints(hosts: readonly HostReport[]): JsonObject {
  const [first] = hosts;
  return {
    locality: localityJson(first),
    lb_endpoints: hosts.map((host) => ({
      endpoint: {
        address: addressJson(host.address),
        health_check_config: {},
        ...(host.hostname !== '' && { hostname: host.hostname }),
      },
      health_status: edsHealth(host.healthFlags),
      load_balancing_weight: host.weight,
    })),
    ...(first.localityWeight !== undefined && { load_balancing_weight: first.localityWeight }),
    ...(first.priority !== 0 && { priority: first.priority }),
  };
}
