import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { decodeRateLimits } from '../../../../src/filter/rate-limit/decode.ts';
import { Descriptors } from '../../../../src/filter/rate-limit/descriptors.ts';
import { RateLimitSchema } from '../../../../src/proto/envoy/config/route/v3/route_components_pb.js';
import { directRoute, filterContext, request, TestStream } from '../filter-fixture.ts';

type Specifier = NonNullable<
  NonNullable<MessageInitShape<typeof RateLimitSchema>['actions']>[number]['actionSpecifier']
>;

function found(specifiers: Specifier[], path = '/', headers: [string, string][] = [], remote = '10.1.2.3'): string[] {
  const reasons = new Reasons();
  const message = create(RateLimitSchema, { actions: specifiers.map((actionSpecifier) => ({ actionSpecifier })) });
  const descriptors = new Descriptors(decodeRateLimits([message], reasons), 'local');
  expect(reasons.list).toEqual([]);
  const stream = new TestStream(filterContext(), request(headers, { path }));
  stream.outcome.remoteAddress = { kind: 'ip', host: remote, port: 0 };
  if (path === '/direct') stream.route = directRoute();
  return descriptors
    .of(stream, stream.requestHead)
    .map(({ entries }) => entries.map(({ key, value }) => `${key}=${value}`).join(' '));
}

test('of the clusters and of words', () => {
  const actions: Specifier[] = [
    { case: 'sourceCluster', value: {} },
    { case: 'destinationCluster', value: {} },
    { case: 'genericKey', value: { descriptorValue: 'v' } },
  ];
  expect(found(actions)).toEqual(['source_cluster=local destination_cluster=up generic_key=v']);
  expect(found(actions, '/direct')).toEqual([]);
});

test('of addresses', () => {
  const masked = (v4PrefixMaskLen: number): Specifier => ({
    case: 'maskedRemoteAddress',
    value: { v4PrefixMaskLen, v6PrefixMaskLen: 24 },
  });
  expect(found([{ case: 'remoteAddress', value: {} }])).toEqual(['remote_address=10.1.2.3']);
  expect(found([masked(12)], '/', [], '10.255.2.3')).toEqual(['masked_remote_address=10.240.0.0/12']);
  expect(found([masked(32)])).toEqual(['masked_remote_address=10.1.2.3/32']);
  expect(found([masked(0)], '/', [], '2001:dbf::1')).toEqual(['masked_remote_address=2001:d00::/24']);
});

test('of headers and parameters, which may be missing', () => {
  const header = (skipIfAbsent: boolean): Specifier => ({
    case: 'requestHeaders',
    value: { headerName: 'X-A', descriptorKey: 'a', skipIfAbsent },
  });
  const query = (skipIfAbsent: boolean): Specifier => ({
    case: 'queryParameters',
    value: { queryParameterName: 'q', descriptorKey: 'q', skipIfAbsent },
  });
  expect(found([header(false), query(false)], '/?q=a%20b', [['x-a', '1']])).toEqual(['a=1 q=a b']);
  expect(found([header(true), query(true)], '/?q=2')).toEqual(['q=2']);
  expect(found([header(false), query(true)], '/?q=2')).toEqual([]);
  expect(found([query(false)])).toEqual([]);
});

test('of what matches, or does not', () => {
  const header = (expectMatch?: boolean): Specifier => ({
    case: 'headerValueMatch',
    value: {
      descriptorValue: 'v',
      ...(expectMatch === undefined ? {} : { expectMatch }),
      headers: [{ name: 'x-a', headerMatchSpecifier: { case: 'presentMatch', value: true } }],
    },
  });
  const query: Specifier = {
    case: 'queryParameterValueMatch',
    value: {
      descriptorValue: 'v',
      queryParameters: [{ name: 'q', queryParameterMatchSpecifier: { case: 'presentMatch', value: true } }],
    },
  };
  expect(found([header()], '/', [['x-a', '']])).toEqual(['header_match=v']);
  expect(found([header(false)], '/', [['x-a', '']])).toEqual([]);
  expect(found([header(false)])).toEqual(['header_match=v']);
  expect(found([query], '/?q')).toEqual(['query_match=v']);
  expect(found([query])).toEqual([]);
});
