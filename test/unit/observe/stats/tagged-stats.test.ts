import { expect, it } from 'vitest';
import { renderPrometheus } from '../../../../src/observe/render/prometheus.ts';
import { DEFAULT_STATS_CONFIG } from '../../../../src/observe/stats/stats-data.ts';
import { StatsStore } from '../../../../src/observe/stats/stats-store.ts';
import { TagExtraction } from '../../../../src/observe/stats/tag-extraction.ts';
import { WorkerStats } from '../../../../src/observe/stats/worker-stats.ts';

const tags = ['reporter', 'source', 'destination_service', 'a.b:80', 'grpc_response_status', ''];

function worker(store: StatsStore, name: string): WorkerStats {
  return new WorkerStats((batch) => store.receive(name, batch));
}

async function printed(store: StatsStore): Promise<string[]> {
  const text = (await renderPrometheus(store.snapshot(), new TagExtraction(DEFAULT_STATS_CONFIG))).join('');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

it('tags stand apart from the name for Prometheus, and are in it for everybody else', async () => {
  const store = new StatsStore();
  const stats = worker(store, 'worker_0');
  const scope = stats.root.scope('istiocustom');
  scope.counter('istio_requests_total', tags).add(2);
  expect(scope.counter('istio_requests_total', [...tags])).toBe(scope.counter('istio_requests_total', tags));
  scope.gauge('istio_build', 'max', ['component', 'proxy', 'tag', '1.29.6']).set(1);
  stats.flush();
  expect(store.snapshot().counters.map(({ name, value }) => [name, value])).toEqual([
    ['istiocustom.istio_requests_total.reporter.source.destination_service.a.b:80.grpc_response_status.', 2],
  ]);
  expect(await printed(store)).toEqual([
    'istio_requests_total{reporter="source",destination_service="a.b:80",grpc_response_status=""} 2',
    'istio_build{component="proxy",tag="1.29.6"} 1',
  ]);
});

it('a histogram has its tags in front of the bucket', async () => {
  const store = new StatsStore();
  const stats = worker(store, 'worker_0');
  stats.root.scope('istiocustom').histogram('istio_request_bytes', ['reporter', 'source']).record(700);
  stats.flush();
  store.flush();
  const lines = await printed(store);
  expect(lines[0]).toBe('istio_request_bytes_bucket{reporter="source",le="0.5"} 0');
  expect(lines).toContain('istio_request_bytes_bucket{reporter="source",le="1000"} 1');
  expect(lines.at(-1)).toBe('istio_request_bytes_count{reporter="source"} 1');
});

it('what one thread forgets stays while another counts it, and goes with the last one', () => {
  const store = new StatsStore();
  const [one, other] = [worker(store, 'worker_0'), worker(store, 'worker_1')];
  one.root.counter('a', tags).add(3);
  other.root.counter('a', tags).add(4);
  one.root.histogram('h', tags).record(5);
  one.flush();
  other.flush();
  one.root.remove!('a', tags);
  one.root.remove!('h', tags);
  one.flush();
  expect(store.snapshot().counters.map(({ value }) => value)).toEqual([7]);
  expect(store.snapshot().histograms).toEqual([]);
  other.root.remove!('a', tags);
  other.flush();
  expect(store.snapshot().counters).toEqual([]);
});

it('memory of what was forgotten is used again, empty, and not before the main thread was told', () => {
  const store = new StatsStore();
  const stats = worker(store, 'worker_0');
  const name = (i: number): string[] => ['n', String(i)];
  for (let i = 0; i < 3; i++) {
    stats.root.counter('a', name(i)).add(10);
    stats.root.histogram('h', name(i)).record(1);
    stats.flush();
    stats.root.remove!('a', name(i));
    stats.root.remove!('h', name(i));
    stats.flush();
  }
  stats.root.counter('b', name(0)).inc();
  stats.root.histogram('h', name(9)).record(2);
  stats.flush();
  store.flush();
  expect(store.snapshot().counters.map(({ value, isUsed }) => [value, isUsed])).toEqual([[1, true]]);
  expect(store.snapshot().histograms.map(({ cumulative }) => cumulative.count)).toEqual([1]);
});
