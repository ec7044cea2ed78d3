import { describe, expect, test } from 'vitest';
import { mergeSlashes, normalizePath, unescapeSlashes } from '../../../../../src/proxy/http/request/path.ts';
import { TargetPreparation } from '../../../../../src/proxy/http/request/target.ts';
import { hcmData, peer, ReadableStats, requestHead } from '../hcm-fixture.ts';
import { observedPaths, observedRandomPaths } from './observed-paths.ts';

type Path = ReturnType<typeof hcmData>['path'];

function prepared(path: string, options: Partial<Path>): string | number {
  const data = hcmData({ path: options });
  const head = requestHead([], { path });
  const reject = new TargetPreparation(data.path, data.host, new ReadableStats()).prepare(head, peer());
  if (reject === null) return head.path;
  return reject.status === 307 ? `→${reject.headers![0][1]}` : reject.status;
}

const both = { normalize: true, mergeSlashes: true };
const columns: readonly Partial<Path>[] = [
  { normalize: true },
  { mergeSlashes: true },
  both,
  { escapedSlashes: 'REJECT_REQUEST' },
  { escapedSlashes: 'UNESCAPE_AND_REDIRECT' },
  { escapedSlashes: 'UNESCAPE_AND_FORWARD' },
  { escapedSlashes: 'UNESCAPE_AND_FORWARD', ...both },
];

describe('as Envoy does', () => {
  test.each(observedPaths)('%s', (path, ...expected) => {
    expect(columns.map((options) => prepared(String(path), options))).toEqual(expected);
  });

  test.each(observedRandomPaths)('%s', (path, normalized, unescaped) => {
    expect(prepared(path, { normalize: true })).toBe(normalized);
    expect(prepared(path, columns[6])).toBe(unescaped);
  });
});

test('a path that needs nothing comes back as it is', () => {
  for (const path of ['/', '/reviews/0', '/a//b', '/a.b/c..d?x=/../y', '/%20'.slice(0, 1)]) {
    expect(normalizePath(path)).toBe(path);
    expect(unescapeSlashes(path)).toBe(path);
  }
  expect(mergeSlashes('/a?b=//')).toBe('/a?b=//');
});

test('what is decoded must not complete an escape that the client did not write', () => {
  expect(normalizePath('/%2%65')).toBe('/%252e');
  expect(normalizePath('/%%32e')).toBe('/%252e');
  expect(normalizePath('/%%65')).toBe('/%e');
  expect(normalizePath('/%%34%31')).toBe('/%2541');
});

test('missing and relative paths are refused and counted', () => {
  const stats = new ReadableStats();
  const data = hcmData();
  const target = new TargetPreparation(data.path, data.host, stats);
  const at = (method: string, path: string) => target.prepare(requestHead([], { method, path }), peer());
  expect(at('GET', '')).toMatchObject({ status: 404, details: 'missing_path_rejected', close: false });
  expect(at('CONNECT', '')).toBeNull();
  expect(at('OPTIONS', '*')).toMatchObject({ status: 404, details: 'absolute_path_rejected', close: false });
  expect(at('GET', '/a#b')).toMatchObject({ status: 400, details: 'path_normalization_failed', close: true });
  expect(Object.fromEntries(stats.values)).toEqual({
    downstream_rq_non_relative_path: 1,
    downstream_rq_failed_path_normalization: 1,
  });
});

test('a gRPC request is refused instead of redirected', () => {
  const data = hcmData({ path: { escapedSlashes: 'UNESCAPE_AND_REDIRECT' } });
  const target = new TargetPreparation(data.path, data.host, new ReadableStats());
  const head = requestHead([['content-type', 'application/grpc+proto']], { path: '/a%2Fb' });
  expect(target.prepare(head, peer())).toMatchObject({ status: 400 });
});
