import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allotBreakerSlots } from '../src/cluster/limit/circuit-breaker.ts';
import { WorkerClusters } from '../src/cluster/clusters.ts';
import { HostCounters } from '../src/cluster/host/host-counters.ts';
import { RuntimeValues } from '../src/control/runtime-view.ts';
import { HttpFilterBuilders } from '../src/filter/builders.ts';
import { SecretStore } from '../src/identity/secret-store.ts';
import { loadFile } from '../src/serve.ts';
import { AccessLogFiles } from '../src/observe/access-log/access-log-files.ts';
import { SharedNumberDirectory, SharedNumbers } from '../src/observe/limit/shared-limit.ts';
import { WorkerStats } from '../src/observe/stats/worker-stats.ts';
import { TlsTransports } from '../src/tls-transports.ts';
import { ListenerBuilder } from '../src/traffic-builder.ts';
import { makeCertificates } from './certificates.ts';
import type { MemoryNetwork } from './memory-network.ts';
import type { Shape } from './target.ts';
import { envoyConfiguration } from './targets/envoy-config.ts';

/** All that a worker is, but the sockets. */
export async function openProxy(shape: Shape, directory: string, network: MemoryNetwork): Promise<AccessLogFiles> {
  const file = join(directory, 'envoy.json');
  const ports = { listenPort: 8080, adminPort: 8081, upstreamPort: 8082, authorizationPort: 8083 };
  const place = {
    ...ports,
    directory,
    side: 'in',
    authorityRoot: '',
    certificates: await makeCertificates(directory),
  } as const;
  writeFileSync(file, JSON.stringify(envoyConfiguration(shape, place)));
  const configuration = await loadFile(file, false);
  if (configuration.isRefused) throw new Error(configuration.problems[0].message);
  const { data } = configuration;
  const stats = new WorkerStats(() => {});
  const files = new AccessLogFiles(10_000, stats.root);
  const filters = new HttpFilterBuilders();
  await filters.load(configuration.extensions);
  const builder = new ListenerBuilder({
    network,
    stats: stats.root,
    workerName: 'worker_0',
    runtime: new RuntimeValues(new Map()),
    filters,
    tls: new TlsTransports(network.loop, new SecretStore(), [], { debug() {}, warn() {} }),
    node: data.node,
    localAddress: '10.0.0.1',
    files,
    drain: { strategy: 'gradual', timeMs: 600_000 },
    isDraining: () => false,
    isHealthFailed: () => false,
  });
  const limits = new SharedNumberDirectory();
  const shared = new SharedNumbers(limits.join('worker_0'));
  const clusters = new WorkerClusters(builder.clusterEnvironment(shared, new HostCounters(() => {})));
  builder.clusters = clusters;
  const set = data.clusters.map((one) => ({ ...one, breakerSlots: allotBreakerSlots(limits, one.name) }));
  clusters.apply({ set, hosts: [], removed: [] });
  await builder.load(configuration.extensions);
  for (const listener of data.listeners) await builder.build(listener).open(null, null);
  return files;
}
