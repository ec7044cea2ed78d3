import { expect, it } from 'vitest';
import type { OverloadData } from '../../../../src/control/overload/overload-data.ts';
import { Overload } from '../../../../src/control/overload/overload.ts';
import type { Log } from '../../../../src/observe/log/log.ts';
import { RecordingStats } from '../../cluster/recording-stats.ts';
import { overloadData } from './overload-fixture.ts';

/** An overload manager whose resources are as a test says. */
class Bench {
  readonly stats = new RecordingStats();
  readonly pressures = new Map<string, number>();
  readonly logged: string[] = [];
  connections = 0;
  told = 0;
  shrunk = 0;
  readonly overload: Overload;

  constructor(change: Partial<OverloadData>) {
    this.overload = new Overload(overloadData(change), {
      stats: this.stats,
      log: {
        info: (text: string) => this.logged.push(text),
        debug: (text: string) => this.logged.push(text),
      } as unknown as Log,
      monitorOf: ({ name }) => ({ pressure: () => this.pressureOf(name) }),
      connections: () => this.connections,
      onTimers: () => this.told++,
      shrinkHeap: () => this.shrunk++,
    });
  }

  get read(): Record<string, number> {
    return this.stats.read('overload.');
  }

  private pressureOf(name: string): number {
    const pressure = this.pressures.get(name);
    if (pressure === undefined) throw new Error('gone');
    return pressure;
  }
}

const resource = { kind: 'injected_resource', file: '' } as const;
const at = (from: number, to = from) => [{ resource: 'm', from, to }];

it('actions and load shed points become what their resources say', () => {
  const bench = new Bench({
    monitors: [{ name: 'm', resource }],
    actions: [{ name: 'stop_accepting_requests', triggers: at(0.9) }],
    shedPoints: [{ name: 'tcp_listener_accept', triggers: at(0.5, 1) }],
  });
  const action = bench.overload.memory.cell('stop_accepting_requests');
  const point = bench.overload.memory.cell('tcp_listener_accept');
  bench.pressures.set('m', 0.75);
  bench.overload.refresh(1000);
  expect([action.value, point.value]).toEqual([0, 0.5]);
  bench.pressures.set('m', 0.95);
  bench.overload.refresh(2000);
  expect(action.value).toBe(1);
  expect(bench.read).toMatchObject({
    'm.pressure': 95,
    'envoy.overload_actions.stop_accepting_requests.active': 1,
    'envoy.overload_actions.stop_accepting_requests.scale_percent': 100,
    'envoy.load_shed_points.tcp_listener_accept.scale_percent': 90,
  });
});

it('a resource that cannot be told is counted, and what was known holds on', () => {
  const bench = new Bench({
    monitors: [{ name: 'm', resource }],
    actions: [{ name: 'stop_accepting_requests', triggers: at(0.9) }],
  });
  bench.pressures.set('m', 1);
  bench.overload.refresh(0);
  bench.pressures.clear();
  bench.overload.refresh(1000);
  expect(bench.overload.memory.cell('stop_accepting_requests').value).toBe(1);
  expect(bench.read).toMatchObject({ 'm.failed_updates': 1, 'm.pressure': 100 });
  expect(bench.logged).toEqual(['overload: stop_accepting_requests is saturated', 'Failed to update resource m: gone']);
});

it('workers are told of what concerns connections that are open or wait, and only when it changes', () => {
  const bench = new Bench({
    monitors: [{ name: 'm', resource }],
    actions: [
      { name: 'reduce_timeouts', triggers: at(0.5, 1) },
      { name: 'stop_accepting_requests', triggers: at(0.1) },
    ],
  });
  bench.pressures.set('m', 0.4);
  bench.overload.refresh(0);
  expect(bench.told).toBe(0);
  bench.pressures.set('m', 0.75);
  bench.overload.refresh(0);
  bench.overload.refresh(0);
  expect(bench.told).toBe(1);
});

it('connections are a resource too', () => {
  const name = 'envoy.resource_monitors.global_downstream_max_connections';
  const bench = new Bench({
    monitors: [{ name: 'm', resource }],
    connectionsMax: 10,
    actions: [{ name: 'stop_accepting_requests', triggers: [{ resource: name, from: 0.8, to: 0.8 }] }],
  });
  bench.pressures.set('m', 0);
  bench.connections = 8;
  bench.overload.refresh(0);
  expect(bench.overload.memory.cell('stop_accepting_requests').value).toBe(1);
  expect(bench.read).toMatchObject({ [`${name}.pressure`]: 80 });
});

it('shrink_heap gives memory back as long as it is saturated', () => {
  const bench = new Bench({
    monitors: [{ name: 'm', resource }],
    actions: [{ name: 'shrink_heap', triggers: at(0.5, 1) }],
  });
  bench.pressures.set('m', 0.9);
  bench.overload.refresh(0);
  bench.overload.shrinkIfAsked();
  expect(bench.shrunk).toBe(0);
  bench.pressures.set('m', 1);
  bench.overload.refresh(0);
  bench.overload.shrinkIfAsked();
  expect(bench.shrunk).toBe(1);
  expect(bench.read).toMatchObject({ 'envoy.overload_actions.shrink_heap.shrink_count': 1 });
});

it('half a state shows as 50 percent, whatever doubles make of it', () => {
  const bench = new Bench({
    monitors: [{ name: 'm', resource }],
    actions: [{ name: 'reduce_timeouts', triggers: at(0.5, 0.9) }],
  });
  bench.pressures.set('m', 0.7);
  bench.overload.refresh(0);
  expect(bench.read).toMatchObject({ 'envoy.overload_actions.reduce_timeouts.scale_percent': 50 });
});

it('asks nothing where only connections are monitored, and nothing after its end', () => {
  const bench = new Bench({ connectionsMax: 5 });
  bench.overload.start(0);
  bench.overload.stop();
  expect(bench.read).toEqual({});
});
