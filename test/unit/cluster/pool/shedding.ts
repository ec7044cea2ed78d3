import type { ClusterData } from '../../../../src/cluster/cluster-data.ts';
import { ClusterRuntime } from '../../../../src/cluster/cluster-runtime.ts';
import type { World } from '../cluster-fixture.ts';

/** A cluster whose pools are not to open connections as long as `isOn` says so. */
export function shedding(world: World, change: Partial<ClusterData> = {}, isOn = () => true): ClusterRuntime {
  const overload = {
    connectionsMax: 0,
    action: () => null,
    shedPoint: (name: string) => (name === 'connection_pool_new_connection' ? { shedsLoad: isOn } : null),
    timer: () => null,
  };
  return new ClusterRuntime(world.data(change), { ...world.environment, overload });
}
