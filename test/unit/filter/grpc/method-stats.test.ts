import { describe, expect, test } from 'vitest';
import { everyMethod, methodsMax, MethodStatsTable } from '../../../../src/filter/grpc/method-stats.ts';
import { TestStats } from '../filter-fixture.ts';

describe('a method', () => {
  test('counts below its own name', () => {
    const cluster = new TestStats();
    const stats = new MethodStatsTable('grpc', everyMethod).find(cluster, '/s.S/M')!;
    stats.requestMessages(3);
    stats.responseMessages(2);
    stats.status('0');
    stats.status('14');
    stats.status('odd');
    stats.status(undefined);
    stats.result(true);
    expect(cluster.used).toEqual({
      'grpc.s.S.M.request_message_count': 3,
      'grpc.s.S.M.response_message_count': 2,
      'grpc.s.S.M.0': 1,
      'grpc.s.S.M.14': 1,
      'grpc.s.S.M.odd': 1,
      'grpc.s.S.M.success': 2,
      'grpc.s.S.M.failure': 2,
      'grpc.s.S.M.total': 4,
    });
  });

  test('has no name for the statuses of an upstream that makes up new ones', () => {
    const cluster = new TestStats();
    const stats = new MethodStatsTable('grpc', everyMethod).find(cluster, '/s/M')!;
    for (let i = 0; i < 100; i++) stats.status(String(i));
    expect(cluster.values.has('grpc.s.M.63')).toBe(true);
    expect(cluster.values.has('grpc.s.M.64')).toBe(false);
    expect(cluster.used['grpc.s.M.total']).toBe(100);
  });
});

describe('the table', () => {
  test('one method however its path is written', () => {
    const cluster = new TestStats();
    const table = new MethodStatsTable('grpc', everyMethod);
    expect(table.find(cluster, '/s/M?q')).toBe(table.find(cluster, '//s/M'));
    expect(table.find(cluster, '/s/M')).toBe(table.find(cluster, '/s/M'));
    expect(table.find(cluster, '/s')).toBeNull();
    expect(table.find(cluster, '/s')).toBeNull();
  });

  test('each cluster for itself', () => {
    const clusters = [new TestStats(), new TestStats()];
    const table = new MethodStatsTable('grpc-web', everyMethod);
    table.find(clusters[0], '/s/M')!.result(true);
    table.find(clusters[1], '/s/M')!.result(false);
    expect(clusters[0].used).toEqual({ 'grpc-web.s.M.success': 1, 'grpc-web.s.M.total': 1 });
    expect(clusters[1].used).toEqual({ 'grpc-web.s.M.failure': 1, 'grpc-web.s.M.total': 1 });
  });

  test('methods without a name count together', () => {
    const cluster = new TestStats();
    const table = new MethodStatsTable('grpc', { nameOf: ({ method }) => (method === 'M' ? 'named' : null) });
    for (const path of ['/s/M', '/s/N', '/t/O']) table.find(cluster, path)!.requestMessages(1);
    expect(cluster.used).toEqual({ 'grpc.named.request_message_count': 1, 'grpc.request_message_count': 2 });
  });

  test('a client that makes up methods fills no memory', () => {
    const cluster = new TestStats();
    const table = new MethodStatsTable('grpc', everyMethod);
    for (let i = 0; i < methodsMax + 10; i++) table.find(cluster, `/s/M${i}`)!.requestMessages(1);
    expect(cluster.used['grpc.request_message_count']).toBe(10);
    expect(cluster.values.size).toBe(methodsMax + 1);
  });
});
