import { expect, test } from 'vitest';
import { FixedCluster } from '../../src/route/action/cluster-specifier.ts';
import { Forward } from '../../src/route/action/forward.ts';
import { forwardNowhere } from '../../src/route/decode/route-action-decode.ts';
import { noFilterSettings } from '../../src/route/per-filter.ts';
import { RouteEntry } from '../../src/route/route-entry.ts';
import { LiteralTree } from '../../src/route/literal-tree.ts';
import { literalsOf, RouteIndex } from '../../src/route/route-index.ts';
import type { PathMatchData, RouteConditionsData, RouteData, VirtualHostData } from '../../src/route/route-data.ts';
import { VirtualClusters } from '../../src/route/virtual-clusters.ts';
import { fixedRuntime, request } from '../unit/route/fixture.ts';
import * as fc from './chance.ts';

const segment = fc.constantFrom('a', 'ab', 'b', 'A', 'x1', '');
const literal = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
const path: fc.Arbitrary<PathMatchData> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('prefix', 'exact', 'separatedPrefix'),
      value: literal,
      caseSensitive: fc.constant(true),
    }),
  },
  fc.record({ kind: fc.constantFrom('prefix', 'exact'), value: literal, caseSensitive: fc.constant(false) }),
  fc.record({
    kind: fc.constant('regex'),
    value: fc.constantFrom('/a.*', '/.*b', '.*'),
    caseSensitive: fc.constant(true),
  }),
  fc.record({
    kind: fc.constant('template'),
    value: fc.constantFrom('/*/b', '/a/**'),
    caseSensitive: fc.constant(true),
  }),
  fc.constant({ kind: 'connect', value: '', caseSensitive: true } as const),
  fc.constant({ kind: 'prefix', value: '', caseSensitive: true } as const),
);
const needsHeader: RouteConditionsData = {
  headers: [{ name: 'x', test: { kind: 'present', present: true }, invert: false, treatMissingAsEmpty: false }],
  queryParameters: [],
  cookies: [],
  grpc: false,
  fraction: null,
};
const virtualHost = { includeAttemptCount: false, includeAttemptCountInResponse: false } as VirtualHostData;

function entry(match: PathMatchData, conditions: RouteConditionsData | null, order: number): RouteEntry {
  const data: RouteData = {
    name: String(order),
    path: match,
    conditions,
    action: forwardNowhere,
    requestHeaders: null,
    responseHeaders: null,
    perFilter: null,
    decorator: null,
    statPrefix: '',
    metadata: null,
  };
  const parts = {
    specifier: new FixedCluster('c'),
    retry: null,
    levels: [],
    hostRewrite: null,
    pathRewrite: null,
    hashPolicy: null,
    mirrors: [],
    rateLimits: null,
  };
  return new RouteEntry(data, {
    virtualHostName: 'v',
    virtualHostMetadata: null,
    action: new Forward(forwardNowhere, virtualHost, parts),
    filters: noFilterSettings,
    responseLevels: [],
    virtualClusters: new VirtualClusters([]),
    runtime: fixedRuntime,
  });
}

test('the index finds what a scan in order finds', () => {
  const route = fc.tuple(path, fc.constantFrom(null, null, needsHeader));
  const target = fc.tuple(literal, fc.boolean(), fc.constantFrom('GET', 'GET', 'CONNECT'));
  let found = 0;
  fc.assert(
    fc.property(
      fc.array(route, { maxLength: 40 }),
      fc.array(target, { minLength: 5, maxLength: 15 }),
      (routes, targets) => {
        const entries = routes.map(([match, conditions], order) => entry(match, conditions, order));
        const index = new RouteIndex(entries, new LiteralTree(literalsOf(entries)));
        for (const [asked, hasHeader, method] of targets) {
          const head = request(asked, ...(hasHeader ? ['x: 1'] : []));
          head.method = method;
          const scanned = entries.find((one) => one.matches(asked, asked, head, { random: 0 })) ?? null;
          if (scanned !== null) found++;
          expect(index.find(asked, asked, head, { random: 0 })?.name).toBe(scanned?.name);
        }
      },
    ),
    { numRuns: 1000 },
  );
  expect(found).toBeGreaterThan(1000);
});
