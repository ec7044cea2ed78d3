import type { App } from './app.ts';
import type { DiscoveredWorkloads } from './control/resources/discovered-workloads.ts';
import type { Loop } from './net/loop.ts';

/**
 * Begins to ask who is at which address, for the metadata of peers. Nobody waits for it. Null: the configuration does not
 * say where.
 */
export async function openWorkloads(app: App, loop: Loop): Promise<DiscoveredWorkloads | null> {
  const { workloads: source = null } = app.configuration.data;
  if (source === null) return null;
  const { DiscoveredWorkloads, workloadKind } = await import('./control/resources/discovered-workloads.ts');
  const { subscriptions } = await app.openOwn();
  const stats = app.ownStats.root;
  const workloads = new DiscoveredWorkloads(stats, (changes) => app.workers.postAll({ kind: 'workloads', changes }));
  const counted = {
    scope: stats.scope('workload_discovery'),
    prefix: 'workload_discovery',
    setText: (name: string, value: string) => app.stats.setText(name, value),
  };
  loop.enter();
  subscriptions.open(workloadKind, [], source, workloads, counted).start();
  loop.leave();
  return workloads;
}
