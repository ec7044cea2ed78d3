import { expect, test } from 'vitest';
import { RouteStatsDirectory } from '../../../../../src/proxy/http/stats/route-stats.ts';
import { RecordingStats } from '../../../cluster/recording-stats.ts';
import { HttpWorld, request, response } from '../world.ts';

test('a stream counts below its virtual cluster and below its route, where they have names', () => {
  const stats = new RecordingStats();
  const directory = new RouteStatsDirectory(stats);
  expect(directory.of('v', '', '')).toEqual([]);
  expect(directory.of('v', 'vc', '')).toHaveLength(1);
  const both = directory.of('v', 'vc', 'r');
  expect(both).toHaveLength(2);
  expect(directory.of('v', 'vc', 'r')).toEqual(both);
  for (const one of both) one.recordCode(404);
  for (const prefix of ['vhost.v.vcluster.vc.', 'vhost.v.route.r.']) {
    expect(stats.read(prefix)).toEqual({ upstream_rq_404: 1, upstream_rq_4xx: 1, upstream_rq_completed: 1 });
  }
});

const routes = `
- { match: { prefix: /r }, stat_prefix: r, route: { cluster: c, timeout: 2s, retry_policy: { retry_on: 5xx } } }
- { match: { prefix: / }, route: { cluster: c } }`;
const virtualHost = {
  virtualClusters: [{ name: 'posts', headers: [{ name: ':method', stringMatch: { exact: 'POST' } }] }],
};

test('tries, repeats, timeouts and times are Envoy’s', () => {
  const world = new HttpWorld({ routes, virtualHost });
  const { stats } = world.around;
  const client = world.send(request('POST /r', [], 'x'));
  world.upstream.receive(response(503));
  world.advance(250);
  world.upstream.receive(response(200));
  client.take();
  expect(stats.read('vhost.v.vcluster.posts.')).toEqual(stats.read('vhost.v.route.r.'));
  expect(stats.read('vhost.v.route.r.')).toMatchObject({
    upstream_rq_total: 2,
    upstream_rq_retry: 1,
    upstream_rq_200: 1,
    upstream_rq_completed: 1,
  });
  expect(stats.records('vhost.v.route.r.upstream_rq_time')).toEqual([250]);
  client.receive(request('POST /r', [], 'x'));
  world.advance(2000);
  expect(stats.read('vhost.v.route.r.')).toMatchObject({ upstream_rq_timeout: 1, upstream_rq_504: 1 });
});

test('what matches no virtual cluster is `other`', () => {
  const world = new HttpWorld({ routes, virtualHost });
  world.send(request('GET /'));
  world.upstream.receive(response());
  expect(world.around.stats.read('vhost.v.vcluster.other.')).toMatchObject({ upstream_rq_200: 1 });
  expect(world.around.stats.read('vhost.v.route.')).toEqual({});
});

test('dynamic_stats off: no codes', () => {
  const world = new HttpWorld({ routes, router: { dynamicStats: false } });
  world.send(request('GET /r'));
  world.upstream.receive(response());
  expect(world.around.stats.read('vhost.v.route.r.')).not.toHaveProperty('upstream_rq_200');
  expect(world.stat('cluster.c.upstream_rq_200')).toBe(0);
});
