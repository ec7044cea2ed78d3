import { expect, it } from 'vitest';
import { runtimeNumber } from '../../../src/control/runtime-data.ts';
import { RuntimeValues } from '../../../src/control/runtime-view.ts';
import { ProcessConnections } from '../../../src/listener/process-connections.ts';
import { OwnCount, SharedNumberDirectory, SharedNumbers } from '../../../src/observe/limit/shared-limit.ts';
import { RecordingStats } from '../cluster/recording-stats.ts';

const key = 'overload.global_downstream_max_connections';

it('without a limit everybody may come', () => {
  const connections = new ProcessConnections(new OwnCount(), null, new RuntimeValues());
  for (let i = 0; i < 1000; i++) expect(connections.enter(false)).toBe(true);
});

it('the runtime says how many, and may say otherwise at any time', () => {
  const runtime = new RuntimeValues(new Map([[key, runtimeNumber(1)]]));
  const connections = new ProcessConnections(new OwnCount(), null, runtime);
  expect([connections.enter(false), connections.enter(false)]).toEqual([true, false]);
  connections.left();
  expect(connections.enter(false)).toBe(true);
  runtime.update(new Map());
  expect(connections.enter(false)).toBe(true);
});

it('the monitor says how many, whatever the runtime does, and counts whom it refuses', () => {
  const stats = new RecordingStats();
  const runtime = new RuntimeValues(new Map([[key, runtimeNumber(9)]]));
  const monitored = { max: 2, refused: stats.counter('failed_updates') };
  const connections = new ProcessConnections(new OwnCount(), monitored, runtime);
  expect([1, 2, 3].map(() => connections.enter(false))).toEqual([true, true, false]);
  expect(stats.read('')).toEqual({ failed_updates: 1 });
});

it('a listener that ignores the limit is counted', () => {
  const monitored = { max: 1, refused: new RecordingStats().counter('failed_updates') };
  const connections = new ProcessConnections(new OwnCount(), monitored, new RuntimeValues());
  expect([connections.enter(true), connections.enter(true), connections.enter(false)]).toEqual([true, true, false]);
});

it('the limit holds for all workers together', () => {
  const directory = new SharedNumberDirectory();
  const index = directory.allot('connections');
  const monitored = { max: 3, refused: new RecordingStats().counter('failed_updates') };
  const workers = ['worker_0', 'worker_1'].map((name) => {
    const slot = new SharedNumbers(directory.join(name)).slot(index);
    return new ProcessConnections(slot, monitored, new RuntimeValues());
  });
  expect([0, 1, 0, 1].map((worker) => workers[worker].enter(false))).toEqual([true, true, true, false]);
  // A worker that has died holds no places.
  directory.leave('worker_0');
  expect([1, 1, 1].map((worker) => workers[worker].enter(false))).toEqual([true, true, false]);
});
