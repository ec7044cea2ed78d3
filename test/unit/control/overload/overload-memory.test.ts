import { expect, it } from 'vitest';
import { OverloadMemory, WorkerOverload } from '../../../../src/control/overload/overload-memory.ts';
import { RecordingStats } from '../../cluster/recording-stats.ts';
import { overloadData } from './overload-fixture.ts';

const data = overloadData({
  actions: [
    { name: 'stop_accepting_requests', triggers: [] },
    { name: 'reduce_timeouts', triggers: [] },
  ],
  shedPoints: [{ name: 'tcp_listener_accept', triggers: [] }],
  timers: [{ timer: 'HTTP_DOWNSTREAM_STREAM_IDLE', minimum: { kind: 'ms', ms: 10 } }],
});

it('workers read what the main thread has written, without being told', () => {
  const memory = new OverloadMemory();
  const worker = new WorkerOverload({ shared: memory.shared, data }, new RecordingStats(), Math.random);
  const action = worker.action('stop_accepting_requests')!;
  expect(action.value).toBe(0);
  memory.set('stop_accepting_requests', 0.25);
  expect(action.value).toBe(0.25);
  memory.set('stop_accepting_requests', 1);
  expect(action.value).toBe(1);
});

it('what is not configured is null', () => {
  const { shared } = new OverloadMemory();
  const worker = new WorkerOverload({ shared, data }, new RecordingStats(), Math.random);
  expect(worker.action('shrink_heap')).toBeNull();
  expect(worker.shedPoint('http_downstream_filter_check')).toBeNull();
  expect(worker.timer('TRANSPORT_SOCKET_CONNECT')).toBeNull();
});

it('a load shed point turns away as often as its state says, and counts', () => {
  const memory = new OverloadMemory();
  const stats = new RecordingStats();
  let drawn = 0.5;
  const point = new WorkerOverload({ shared: memory.shared, data }, stats, () => drawn).shedPoint(
    'tcp_listener_accept',
  )!;
  expect(point.shedsLoad()).toBe(false);
  memory.set('tcp_listener_accept', 0.5);
  expect(point.shedsLoad()).toBe(false);
  drawn = 0.25;
  expect(point.shedsLoad()).toBe(true);
  memory.set('tcp_listener_accept', 1);
  drawn = 0.999;
  expect(point.shedsLoad()).toBe(true);
  expect(stats.read('overload.envoy.load_shed_points.')).toEqual({ 'tcp_listener_accept.shed_load_count': 2 });
});

it('timers follow reduce_timeouts', () => {
  const memory = new OverloadMemory();
  const worker = new WorkerOverload({ shared: memory.shared, data }, new RecordingStats(), Math.random);
  const timer = worker.timer('HTTP_DOWNSTREAM_STREAM_IDLE')!;
  expect(timer.scaled(110)).toBe(110);
  memory.set('reduce_timeouts', 0.5);
  expect(timer.scaled(110)).toBe(60);
});
