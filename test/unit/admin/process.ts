import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import type {
  AdminSource,
  ClusterReport,
  ConfigDumpReport,
  DrainRequest,
  DumpedResource,
  HostReport,
  HostStatName,
  ListenerReport,
  RuntimeModification,
  ServerState,
  UnreadyTargetsReport,
} from '../../../src/admin/admin-source.ts';
import { messageTypes } from '../../../src/admin/dump/message-types.ts';
import { endpoints } from '../../../src/admin/endpoints.ts';
import { AdminPages } from '../../../src/admin/respond.ts';
import { buildOptions } from '../../../src/cli/options.ts';
import type { RuntimeReport } from '../../../src/control/runtime.ts';
import { LogLevel } from '../../../src/observe/log/level.ts';
import { LogLevels } from '../../../src/observe/log/log-levels.ts';
import type { StatsSnapshot } from '../../../src/observe/stats/stats-snapshot.ts';
import { DEFAULT_STATS_CONFIG } from '../../../src/observe/stats/stats-data.ts';
import { TagExtraction } from '../../../src/observe/stats/tag-extraction.ts';

const noStats: Readonly<Record<HostStatName, number>> = {
  cx_active: 0,
  cx_connect_fail: 0,
  cx_total: 0,
  rq_active: 0,
  rq_error: 0,
  rq_pending_active: 0,
  rq_success: 0,
  rq_timeout: 0,
  rq_total: 0,
};

export function host(port: number, more: Partial<HostReport> = {}): HostReport {
  return {
    address: { kind: 'ip', host: '127.0.0.1', port },
    hostname: '',
    healthFlags: [],
    weight: 1,
    region: '',
    zone: '',
    subZone: '',
    canary: false,
    priority: 0,
    successRate: -1,
    localOriginSuccessRate: -1,
    stats: noStats,
    ...more,
  };
}

const breaker = { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3 };

export function cluster(name: string, more: Partial<ClusterReport> = {}): ClusterReport {
  return {
    name,
    observabilityName: name,
    addedViaApi: false,
    edsServiceName: '',
    outlier: null,
    defaultPriority: breaker,
    highPriority: breaker,
    hosts: [],
    ...more,
  };
}

/** A resource of a dump, written as configuration is. */
export function resource(type: string, json: JsonObject, more: Partial<DumpedResource> = {}): DumpedResource {
  const schema = messageTypes.getMessage(type)!;
  const message = fromJson(schema, json, { registry: messageTypes });
  const name = typeof json['name'] === 'string' ? json['name'] : '';
  return {
    message,
    name,
    lastUpdatedMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    versionInfo: null,
    isWarming: false,
    ...more,
  };
}

/** A process that is only its reports; what the pages do to it is written down in `done`. */
export class ReportedProcess implements AdminSource {
  readonly options = buildOptions({ configPath: 'small.yaml', serviceZone: 'zz', adminAddressPath: 'adm.txt' });
  readonly concurrency = 1;
  readonly version = 'sekisho/0.1.0/Clean/RELEASE/OpenSSL-3';
  readonly node: JsonObject = { id: 'n1', cluster: 'c1' };
  readonly logLevels = new LogLevels();
  readonly tags = new TagExtraction(DEFAULT_STATS_CONFIG);
  readonly done: unknown[] = [];
  state: ServerState = 'LIVE';
  uptimeMs = 2999;
  snapshot: StatsSnapshot = { texts: [], counters: [], gauges: [], histograms: [] };
  listenerReports: ListenerReport[] = [];
  clusterReports: ClusterReport[] = [];
  dump: ConfigDumpReport = {
    bootstrap: resource('envoy.config.bootstrap.v3.Bootstrap', { node: { id: 'n1' } }),
    clusters: [],
    listeners: [],
    routes: null,
    secrets: [],
  };
  unready: UnreadyTargetsReport[] = [];
  runtimeReport: RuntimeReport = { layers: [], entries: new Map() };
  modification: RuntimeModification = 'done';

  constructor() {
    this.logLevels.setAll(LogLevel.Info);
  }

  stats(): StatsSnapshot {
    return this.snapshot;
  }
  memory() {
    return { allocated: 6_062_392, heapSize: 10_485_760, physical: 13_560_638 };
  }
  listeners() {
    return this.listenerReports;
  }
  clusters() {
    return this.clusterReports;
  }
  configDump() {
    return this.dump;
  }
  certificates(): JsonObject[] {
    return [];
  }
  unreadyTargets() {
    return this.unready;
  }
  runtime() {
    return this.runtimeReport;
  }
  modifyRuntime(changes: ReadonlyMap<string, string>) {
    this.done.push(Object.fromEntries(changes));
    return this.modification;
  }
  resetCounters() {
    this.done.push('reset counters');
  }
  reopenLogs() {
    this.done.push('reopen logs');
  }
  failHealthchecks(isFailing: boolean) {
    this.done.push(isFailing ? 'fail' : 'ok');
  }
  drainListeners(drain: DrainRequest) {
    this.done.push(drain);
  }
  quit() {
    this.done.push('quit');
  }
}

/** One answer as text, the body put together. */
export async function ask(source: AdminSource, target: string, method = 'GET', form = '') {
  const answer = await new AdminPages(endpoints, source).respond(method, target, form);
  const { status, contentType, body } = answer;
  answer.after?.();
  return { status, contentType, body: typeof body === 'string' ? body : [...body].join('') };
}

export async function askJson(source: AdminSource, target: string) {
  return JSON.parse((await ask(source, target)).body);
}
