import { describe, expect, test } from 'vitest';
import { ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { FixedCluster, WeightedClusters, type WeightedEntry } from '../../../../src/route/action/cluster-specifier.ts';
import { anyHost, fieldsOf, fixedRuntime, forwarded, forwardOf, outcomeOf, request, tableFrom } from '../fixture.ts';

const weighted = anyHost(
  '{match: {prefix: /}, route: {weighted_clusters: {header_name: X-Rand, clusters: [{name: c1, weight: 30}, {name: c2, weight: 30}, {name: c3, weight: 40}]}}}',
);

function chosen(yaml: string, random: number, ...fields: string[]): string {
  const head = request('/', ...fields);
  return forwardOf(tableFrom(yaml).match(head, { random })).cluster(head, random).name;
}

describe('weighted_clusters with header_name', () => {
  // Verdicts of Envoy 1.39.3; without a usable header the stream's random decides, here 0.99.
  test.each([
    ['0', 'c1'],
    ['29', 'c1'],
    ['30', 'c2'],
    ['160', 'c3'],
    ['18446744073709551615', 'c1'],
    ['18446744073709551616', 'c3'],
    ['+12', 'c1'],
    ['1,2', 'c3'],
    ['0x10', 'c3'],
    ['-1', 'c3'],
  ])('%s → %s', (value, cluster) => {
    expect(chosen(weighted, 0.99, `x-rand: ${value}`)).toBe(cluster);
  });

  test('a repeated header does not count', () => {
    expect(chosen(weighted, 0.99, 'x-rand: 0', 'x-rand: 0')).toBe('c3');
  });
});

test('the runtime overrides weights', () => {
  const yaml = anyHost(
    '{match: {prefix: /}, route: {weighted_clusters: {runtime_key_prefix: w, clusters: [{name: a, weight: 1}, {name: b, weight: 99}]}}}',
  );
  const weights = new Map([
    ['w.a', 100],
    ['w.b', 0],
  ]);
  const runtime = { number: (key: string, otherwise: number) => weights.get(key) ?? otherwise, fraction: () => false };
  const head = request('/');
  const action = forwardOf(tableFrom(yaml, runtime).match(head, { random: 0.9 }));
  expect(action.cluster(head, 0.9).name).toBe('a');
  weights.set('w.a', 0);
  expect(action.cluster(head, 0.9).name).toBe('');
});

test('cluster_header names the cluster by its first value, or none', () => {
  const yaml = anyHost(
    '{match: {prefix: /}, route: {cluster_header: X-C}}\n{match: {prefix: /}, route: {cluster: never}}',
  );
  expect(chosen(yaml, 0, 'x-c: a', 'x-c: b')).toBe('a');
  expect(chosen(yaml, 0)).toBe('');
  expect(chosen(anyHost("{match: {prefix: /}, route: {cluster_header: ':authority'}}"), 0)).toBe('h.test');
});

describe('a weighted entry', () => {
  const yaml = anyHost(
    `{match: {prefix: /}, request_headers_to_add: [{header: {key: x, value: route}}], response_headers_to_add: [{header: {key: x, value: route}}], route: {append_x_forwarded_host: true, weighted_clusters: {clusters: [{name: a, weight: 1, host_rewrite_literal: a.test, request_headers_to_remove: [gone], request_headers_to_add: [{header: {key: x, value: entry}}], response_headers_to_add: [{header: {key: x, value: entry}}]}, {cluster_header: x-c, weight: 1}]}}}`,
  );

  test('changes the request before the route does, and the host without a trace', () => {
    expect(forwarded(tableFrom(yaml), request('/', 'gone: 1'))).toBe('/ | host: a.test | x: entry | x: route');
  });

  test('changes the response before the route does', () => {
    const head = request('/');
    const route = tableFrom(yaml).match(head, { random: 0 })!;
    const response = new ResponseHead(200, new Headers());
    const choice = forwardOf(route).cluster(head, 0);
    choice.mutateResponse(response, outcomeOf(head));
    route.mutateResponse(response, outcomeOf(head));
    expect(fieldsOf(response.headers)).toEqual(['x: entry', 'x: route']);
  });

  test('may name its cluster by a header', () => {
    expect(chosen(yaml, 0.9, 'x-c: b')).toBe('b');
  });
});

describe('weighted_clusters, chosen again for a repeat', () => {
  const entries = (...weights: readonly number[]): WeightedEntry[] =>
    weights.map((weight, i) => ({ name: `c${i}`, weight, specifier: new FixedCluster(`c${i}`) }));
  const names = (weights: readonly number[], random: number, times: number): string => {
    const clusters = new WeightedClusters(entries(...weights), '', '', fixedRuntime);
    const head = request('/');
    const tried = new Set<unknown>();
    const found = [clusters.choose(head, random).name];
    for (let i = 0; i < times; i++) found.push(clusters.chooseAgain(head, random, outcomeOf(head), tried).name);
    return found.join(' ');
  };

  test.each([
    ['each once, then anew', [1, 1], 0, 4, 'c0 c1 c0 c1 c0'],
    ['by the same value among those that are left', [2, 1, 1], 0.99, 3, 'c2 c1 c0 c2'],
    ['never one without weight', [1, 0], 0, 2, 'c0 c0 c0'],
    ['nothing where nothing weighs', [0, 0], 0, 1, ' '],
  ])('%s', (_, weights, random, times, expected) => {
    expect(names(weights, random, times)).toBe(expected);
  });
});
