import { describe, expect, it } from 'vitest';
import type { AssignmentData, HostData } from '../../../../src/cluster/cluster-data.ts';
import { DiscoveredEndpoints } from '../../../../src/control/resources/discovered-endpoints.ts';
import type { OpenedResource } from '../../../../src/control/xds/resource-kind.ts';
import { ClusterLoadAssignmentSchema } from '../../../../src/proto/envoy/config/endpoint/v3/endpoint_pb.js';
import { fromJson, toBinary } from '../../../../src/proto/protobuf.js';
import { clusterData } from '../../cluster/cluster-fixture.ts';
import { MemoryNetwork } from '../../cluster/memory-network.ts';
import { RecordingStats } from '../../cluster/recording-stats.ts';

interface Endpoint {
  readonly host: string;
  readonly weight?: number;
  readonly priority?: number;
}

function assignment(name: string, endpoints: readonly Endpoint[], policy: object = {}): OpenedResource {
  const localities = endpoints.map(({ host, weight = 1, priority = 0 }) => ({
    priority,
    lbEndpoints: [
      { endpoint: { address: { socketAddress: { address: host, portValue: 80 } } }, loadBalancingWeight: weight },
    ],
  }));
  const json = { clusterName: name, endpoints: localities, policy };
  const packed = toBinary(ClusterLoadAssignmentSchema, fromJson(ClusterLoadAssignmentSchema, json as never));
  return { name, packed, version: '1', aliases: [] };
}

class World {
  readonly network = new MemoryNetwork();
  readonly stats = new RecordingStats();
  readonly log: string[] = [];
  readonly told: { readonly hosts: readonly string[]; readonly assignment: AssignmentData | undefined }[] = [];
  warm = 0;

  endpoints(before: DiscoveredEndpoints | null = null, localCluster = ''): DiscoveredEndpoints {
    const { clock, timers } = this.network;
    const log = (message: string): void => void this.log.push(message);
    const surroundings = { clock, timers, localCluster, log: { debug: log, warn: log } };
    return new DiscoveredEndpoints(
      clusterData({ name: 'c' }),
      's',
      this.stats.scope('cluster').scope('c'),
      surroundings,
      this,
      before,
    );
  }

  onHosts(hosts: readonly HostData[], given?: AssignmentData): void {
    this.told.push({ hosts: hosts.map(({ address, weight }) => `${address.host} ${weight}`), assignment: given });
  }

  onWarm(): void {
    this.warm++;
  }

  get counted(): Record<string, number> {
    return this.stats.read();
  }
}

const usual = { overprovisioningFactor: 140, weightedPriorityHealth: false };

describe('an assignment', () => {
  it('is the hosts, told when they are others', () => {
    const world = new World();
    const endpoints = world.endpoints();
    expect(endpoints.onResources([assignment('s', [{ host: '10.0.0.1' }])])).toBe('');
    expect(endpoints.onResources([assignment('s', [{ host: '10.0.0.1' }])])).toBe('');
    expect(endpoints.onResources([assignment('s', [{ host: '10.0.0.1', weight: 2 }])])).toBe('');
    expect(world.told).toEqual([
      { hosts: ['10.0.0.1 1'], assignment: usual },
      { hosts: ['10.0.0.1 2'], assignment: usual },
    ]);
    expect(world.counted).toMatchObject({ update_no_rebuild: 1 });
    expect(world.warm).toBeGreaterThan(0);
  });

  it('says how the hosts are counted', () => {
    const world = new World();
    const policy = { overprovisioningFactor: 100, weightedPriorityHealth: true };
    world.endpoints().onResources([assignment('s', [], policy)]);
    expect(world.told).toEqual([{ hosts: [], assignment: policy }]);
  });

  it.each([
    ['another name', [assignment('other', [])], 'Unexpected EDS cluster (expecting s): other'],
    ['two', [assignment('s', []), assignment('s', [])], 'Unexpected EDS resource length: 2'],
    [
      'a name for an address',
      [assignment('s', [{ host: 'a.test' }])],
      "endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address: malformed IP address: a.test. Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'",
    ],
  ])('is refused: %s', (_what, resources, reason) => {
    const world = new World();
    expect(world.endpoints().onResources(resources)).toBe(reason);
    expect(world.told).toEqual([]);
  });

  it('of the local cluster has one priority', () => {
    const world = new World();
    const resources = [assignment('s', [{ host: '10.0.0.1', priority: 1 }])];
    expect(world.endpoints(null, 'c').onResources(resources)).toBe(
      "Unexpected non-zero priority for local cluster 'c'.",
    );
  });

  it('that is missing, or is removed, leaves the hosts', () => {
    const world = new World();
    const endpoints = world.endpoints();
    endpoints.onResources([assignment('s', [{ host: '10.0.0.1' }])]);
    expect(endpoints.onResources([])).toBe('');
    expect(endpoints.onDelta([], ['s'])).toBe('');
    expect(world.told).toHaveLength(1);
    expect(world.counted).toMatchObject({ update_empty: 1 });
  });

  it('that nobody tells again is stale, and its hosts are gone', () => {
    const world = new World();
    const endpoints = world.endpoints();
    const resource = assignment('s', [{ host: '10.0.0.1' }], { endpointStaleAfter: '2s' });
    endpoints.onResources([resource]);
    world.network.advance(1500);
    endpoints.onResources([resource]);
    world.network.advance(1500);
    expect(world.told).toHaveLength(1);
    world.network.advance(600);
    expect(world.told.at(-1)).toEqual({ hosts: [], assignment: usual });
    expect(world.counted).toMatchObject({ assignment_stale: 1, assignment_timeout_received: 2 });
    // Told again, it is new.
    endpoints.onResources([resource]);
    expect(world.told.at(-1)!.hosts).toEqual(['10.0.0.1 1']);
  });

  it('of the version before holds for the next until more comes', () => {
    const world = new World();
    const before = world.endpoints();
    before.onResources([assignment('s', [{ host: '10.0.0.1' }])]);
    const next = new World();
    next.endpoints(before).start();
    expect(next.told).toEqual([{ hosts: ['10.0.0.1 1'], assignment: usual }]);
    expect(next.warm).toBe(1);
  });

  it('that does not come in time is not waited for', () => {
    const world = new World();
    world.endpoints().onGivenUp();
    expect(world.warm).toBe(1);
  });
});
