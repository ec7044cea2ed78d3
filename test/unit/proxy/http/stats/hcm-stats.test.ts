import { expect, test } from 'vitest';
import { HcmStats } from '../../../../../src/proxy/http/stats/hcm-stats.ts';
import { RecordingStats } from '../../../cluster/recording-stats.ts';
import { HttpWorld, request, response } from '../world.ts';

test('answers count by class, below the manager and below its listener', () => {
  const stats = new RecordingStats();
  const hcm = new HcmStats(stats.scope('http.p'), stats.scope('listener.l.http.p'));
  for (const status of [100, 200, 299, 301, 404, 503, 599]) hcm.recordStatus(status);
  const expected = {
    downstream_rq_1xx: 1,
    downstream_rq_2xx: 2,
    downstream_rq_3xx: 1,
    downstream_rq_4xx: 1,
    downstream_rq_5xx: 2,
    downstream_rq_completed: 7,
  };
  expect(stats.read('http.p.')).toEqual(expected);
  expect(stats.read('listener.l.http.p.')).toEqual(expected);
});

test('a status without a class is an answer all the same', () => {
  const stats = new RecordingStats();
  new HcmStats(stats.scope('http.p'), stats.scope('l')).recordStatus(700);
  expect(stats.read('http.p.')).toEqual({ downstream_rq_completed: 1 });
});

test('rare ones are there before they have happened', () => {
  const stats = new RecordingStats();
  const hcm = new HcmStats(stats.scope('http.p'), stats.scope('l'));
  expect(stats.names).toContain('http.p.no_route');
  hcm.count('no_route');
  expect(stats.read('http.p.')).toEqual({ no_route: 1 });
});

test('an exchange, by all its names', () => {
  const world = new HttpWorld();
  const client = world.send(request());
  world.upstream.receive(response());
  client.leave();
  const { downstream_cx_rx_bytes_total, downstream_cx_tx_bytes_total, ...counts } = world.hcmStats;
  expect([downstream_cx_rx_bytes_total, downstream_cx_tx_bytes_total]).toEqual([client.bytesRead, client.bytesWritten]);
  expect(counts).toEqual({
    downstream_cx_total: 1,
    downstream_cx_http1_total: 1,
    downstream_cx_destroy: 1,
    downstream_cx_destroy_remote: 1,
    downstream_rq_total: 1,
    downstream_rq_http1_total: 1,
    downstream_rq_2xx: 1,
    downstream_rq_completed: 1,
    rq_total: 1,
  });
});
