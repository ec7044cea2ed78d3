import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { HttpVersion, RequestHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';
import { decodeCustomTags } from '../../../../src/observe/trace/custom-tag-decode.ts';
import { buildCustomTag, joinTags } from '../../../../src/observe/trace/custom-tag.ts';
import { decodeRouteTracing } from '../../../../src/observe/trace/route-tracing-decode.ts';
import { TracingSchema } from '../../../../src/proto/envoy/config/route/v3/route_components_pb.js';
import { CustomTagSchema } from '../../../../src/proto/envoy/type/tracing/v3/custom_tag_pb.js';

const context = { environment: { SET: 'of the process' }, hostname: 'h', clock: null };

function outcome(): Outcome {
  const made = new Outcome();
  made.requestHead = new RequestHead('GET', 'a', '/p', HttpVersion.Http11, Headers.of(['x-a', '1'], ['x-a', '2']));
  made.dynamicMetadata = new Map([['n', { a: { b: 'dynamic' } }]]);
  made.routeMetadata = {
    n: { text: 'é', one: 1, half: 0.5, big: 1_000_000, tiny: 0.00001, yes: true, o: { b: 1, a: [] }, no: null },
  };
  made.clusterMetadata = { n: { a: 'of the cluster' } };
  made.upstreamHostMetadata = { n: { a: 'of the host' } };
  return made;
}

function valueOf(message: JsonObject): string {
  const reasons = new Reasons();
  const [data] = decodeCustomTags([fromJson(CustomTagSchema, { tag: 't', ...message })], reasons);
  expect(reasons.list).toEqual([]);
  return buildCustomTag(data, context).value(outcome());
}

const metadata = (kind: string, path: string[], defaultValue = ''): JsonObject => ({
  metadata: { kind: { [kind]: {} }, metadataKey: { key: 'n', path: path.map((key) => ({ key })) }, defaultValue },
});

test.each<[JsonObject, string]>([
  [{ literal: { value: 'x' } }, 'x'],
  [{ environment: { name: 'SET', defaultValue: 'd' } }, 'of the process'],
  [{ environment: { name: 'UNSET', defaultValue: 'd' } }, 'd'],
  [{ environment: { name: 'UNSET' } }, ''],
  [{ requestHeader: { name: 'X-A' } }, '1'],
  [{ requestHeader: { name: ':path' } }, '/p'],
  [{ requestHeader: { name: 'x-b', defaultValue: 'none' } }, 'none'],
  [{ value: '%REQ(:METHOD)% %REQ(x-b)%' }, 'GET '],
  [metadata('request', ['a', 'b']), 'dynamic'],
  [metadata('request', ['a', 'c'], 'd'), 'd'],
  [metadata('cluster', ['a']), 'of the cluster'],
  [metadata('host', ['a']), 'of the host'],
  [metadata('route', ['text']), '\xc3\xa9'],
  [metadata('route', ['one']), '1'],
  [metadata('route', ['half']), '0.5'],
  [metadata('route', ['big']), '1e+06'],
  [metadata('route', ['tiny']), '1e-05'],
  [metadata('route', ['yes']), 'true'],
  [metadata('route', ['o']), '{"a":[],"b":1}'],
  [metadata('route', ['no']), ''],
  [{ metadata: { defaultValue: 'd' } }, 'd'],
])('%j is %s', (message, expected) => {
  expect(valueOf(message)).toBe(expected);
});

test('what cannot be is refused', () => {
  const reasons = new Reasons();
  decodeCustomTags(
    [{ tag: 'a' }, { tag: 'b', value: '%NOPE%' }].map((json) => fromJson(CustomTagSchema, json)),
    reasons.at('custom_tags'),
  );
  expect(reasons.list.map(({ path }) => path)).toEqual(['custom_tags[0]', 'custom_tags[1].value']);
});

test('of two of one name the last counts, and a route before its connection manager', () => {
  const literal = (value: string) => fromJson(CustomTagSchema, { tag: 't', literal: { value } });
  const decoded = decodeCustomTags([literal('a'), literal('b')], new Reasons());
  expect(decoded).toEqual([{ tag: 't', kind: 'literal', value: 'b' }]);
  const [own, route] = ['own', 'route'].map((value) => buildCustomTag({ tag: 't', kind: 'literal', value }));
  const other = buildCustomTag({ tag: 'o', kind: 'literal', value: 'x' });
  expect(joinTags([own, other], [route])).toEqual([route, other]);
  expect(joinTags([own], [])).toEqual([own]);
});

test('tracing of a route', () => {
  const reasons = new Reasons();
  const message = fromJson(TracingSchema, {
    randomSampling: { numerator: 5, denominator: 'MILLION' },
    operation: '%REQ(a)%',
  });
  expect(decodeRouteTracing(message, reasons)).toEqual({
    clientSampling: { numerator: 100, denominator: 100 },
    randomSampling: { numerator: 5, denominator: 1_000_000 },
    overallSampling: { numerator: 100, denominator: 100 },
    customTags: [],
    operation: '%REQ(a)%',
    upstreamOperation: '',
  });
  decodeRouteTracing(fromJson(TracingSchema, { upstreamOperation: '%NOPE%' }), reasons);
  expect(reasons.list.map(({ path }) => path)).toEqual(['upstream_operation']);
});
