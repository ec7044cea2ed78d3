import { create, createRegistry, fromJson, type JsonValue, type MessageInitShape } from '@bufbuild/protobuf';
import { beforeAll, expect, test } from 'vitest';
import { Headers } from '../../../../src/core/headers.ts';
import { HttpVersion, RequestHead } from '../../../../src/core/head.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { loadExpressions } from '../../../../src/observe/expression/expressions.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';
import { RateLimitSchema } from '../../../../src/proto/envoy/config/route/v3/route_components_pb.js';
import { DescriptorSchema } from '../../../../src/proto/envoy/extensions/rate_limit_descriptors/expr/v3/expr_pb.js';
import { decodeFilterRateLimits, decodeRateLimits } from '../../../../src/route/rate-limit/decode.ts';
import { Descriptors, type Descriptor, type DescriptorWish } from '../../../../src/route/rate-limit/descriptors.ts';
import { RateLimits, type VirtualHostLimits } from '../../../../src/route/rate-limit/rate-limits.ts';

type Specifier = NonNullable<
  NonNullable<MessageInitShape<typeof RateLimitSchema>['actions']>[number]['actionSpecifier']
>;

const registry = createRegistry(DescriptorSchema);
const always: DescriptorWish = { stage: 0, isOnDone: null, localCluster: 'local', isDisabled: () => true };

beforeAll(() => loadExpressions(null));

function streamOf(path: string, headers: [string, string][], remote = '10.1.2.3') {
  const outcome = new Outcome();
  const head = new RequestHead('GET', 'h.test', path, HttpVersion.Http11, Headers.of(...headers));
  outcome.requestHead = head;
  outcome.remoteAddress = { kind: 'ip', host: remote, port: 0 };
  outcome.dynamicMetadata = new Map([['ns', { who: 'é', number: 5, limit: { requests_per_unit: 2.5, unit: 'HOUR' } }]]);
  const forward = { kind: 'forward', cluster: () => ({ name: 'up' }) };
  const action = path === '/direct' ? { kind: 'direct' } : forward;
  return { outcome, head, random: 0.5, route: { metadata: { ns: { who: 'route' } }, action } };
}

function told(descriptors: readonly Descriptor[]): string[] {
  return descriptors.map(({ entries }) => entries.map(({ key, value }) => `${key}=${value}`).join(' '));
}

function found(specifiers: Specifier[], path = '/', headers: [string, string][] = [], remote = '10.1.2.3'): string[] {
  const reasons = new Reasons();
  const message = create(RateLimitSchema, { actions: specifiers.map((actionSpecifier) => ({ actionSpecifier })) });
  const descriptors = new Descriptors(structuredClone(decodeRateLimits([message], reasons)));
  expect(reasons.list).toEqual([]);
  const stream = streamOf(path, headers, remote);
  const list: Descriptor[] = [];
  descriptors.add(stream, stream.head, always, list);
  return told(list);
}

function decoded(...limits: object[]): { descriptors: Descriptors; reasons: string[] } {
  const reasons = new Reasons();
  const messages = limits.map((limit) => fromJson(RateLimitSchema, limit as JsonValue, { registry }));
  const data = decodeRateLimits(messages, reasons);
  return {
    descriptors: new Descriptors(reasons.isEmpty ? data : []),
    reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`),
  };
}

function asked(limits: object[], wish: Partial<DescriptorWish> = {}, stream = streamOf('/', [])): Descriptor[] {
  const list: Descriptor[] = [];
  decoded(...limits).descriptors.add(stream, stream.head, { ...always, ...wish }, list);
  return list;
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

const generic = (descriptorValue: string) => ({ genericKey: { descriptorValue } });

test('of addresses in ranges, by a format', () => {
  const match = (value: object) => [{ actions: [{ remoteAddressMatch: value }] }];
  const ten = { ranges: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] };
  expect(told(asked(match({ descriptorValue: 'in', addressMatcher: ten })))).toEqual(['remote_address_match=in']);
  expect(asked(match({ descriptorValue: 'in', addressMatcher: { ...ten, invertMatch: true } }))).toEqual([]);
  const formatted = { descriptorKey: 'k', descriptorValue: '%REQ(x-a)%', addressMatcher: ten };
  expect(told(asked(match(formatted), {}, streamOf('/', [['x-a', 'v']])))).toEqual(['k=v']);
  expect(asked(match(formatted))).toEqual([]);
  expect(told(asked(match({ ...formatted, defaultValue: 'd' })))).toEqual(['k=d']);
  expect(decoded(...match({ descriptorValue: '%NOPE%', addressMatcher: ten })).reasons[0]).toContain('NOPE');
  expect(decoded(...match({ descriptorValue: 'a' })).reasons[0]).toContain('address_matcher: is required');
});

test('of metadata', () => {
  const metadata = (path: string, more: object = {}) => [
    {
      actions: [
        { metadata: { descriptorKey: 'm', metadataKey: { key: 'ns', path: [{ key: path }] }, ...more } },
        generic('g'),
      ],
    },
  ];
  expect(told(asked(metadata('who')))).toEqual(['m=Ã© generic_key=g']);
  expect(told(asked(metadata('who', { source: 'ROUTE_ENTRY' })))).toEqual(['m=route generic_key=g']);
  expect(told(asked(metadata('number', { defaultValue: 'd' })))).toEqual(['m=d generic_key=g']);
  expect(asked(metadata('nobody'))).toEqual([]);
  expect(told(asked(metadata('nobody', { skipIfAbsent: true })))).toEqual(['generic_key=g']);
  expect(decoded({ actions: [{ metadata: { descriptorKey: 'm' } }] }).reasons[0]).toContain(
    'metadata_key: is required',
  );
});

test('of expressions', () => {
  const expression = (more: object) => {
    const typedConfig = { '@type': `type.googleapis.com/${DescriptorSchema.typeName}`, descriptorKey: 'e', ...more };
    return [{ actions: [{ extension: { name: 'envoy.rate_limit_descriptors.expr', typedConfig } }, generic('g')] }];
  };
  expect(told(asked(expression({ text: 'request.method' })))).toEqual(['e=GET generic_key=g']);
  expect(told(asked(expression({ parsed: { constExpr: { boolValue: true } } })))).toEqual(['e=true generic_key=g']);
  expect(asked(expression({ text: 'request.nope' }))).toEqual([]);
  expect(told(asked(expression({ text: 'request.nope', skipIfError: true })))).toEqual(['generic_key=g']);
  expect(decoded(...expression({ text: '1 +' })).reasons[0]).toContain('Not able to parse');
  expect(decoded({ actions: [{ extension: { name: 'odd' } }] }).reasons[0]).toContain("rate limit descriptor 'odd'");
});

test('costs what it says, by a number or a format', () => {
  const hits = (hitsAddend: object, headers: [string, string][] = [], decode = decodeFilterRateLimits) => {
    const limit = fromJson(RateLimitSchema, { actions: [generic('g')], hitsAddend } as JsonValue);
    const stream = streamOf('/', headers);
    const list: Descriptor[] = [];
    new Descriptors(decode([limit], new Reasons())).add(stream, stream.head, always, list);
    return list[0].hits;
  };
  expect(hits({})).toBe(1);
  expect(hits({ number: 3 }, [], decodeRateLimits)).toBe(1);
  expect(hits({ number: 3 })).toBe(3);
  expect(hits({ format: '%REQ(x-h)%' }, [['x-h', '7']])).toBe(7);
  for (const wrong of ['x', '-1', '1.5', '2000000000', ''])
    expect(hits({ format: '%REQ(x-h)%' }, [['x-h', wrong]])).toBe(1);
  expect(decoded({ actions: [generic('g')], hitsAddend: { format: '%NOPE%' } }).reasons[0]).toContain('format');
});

test('brings a limit of its own for those who take one', () => {
  const limit = (value: object) => asked([{ actions: [generic('g')], limit: value }])[0].limit;
  expect(limit({ rateLimit: { requestsPerUnit: 5, unit: 'DAY' } })).toMatchObject({ requestsPerUnit: 5, unit: 'DAY' });
  const inMetadata = (path: string) =>
    limit({ dynamicMetadata: { metadataKey: { key: 'ns', path: [{ key: path }] } } });
  expect(inMetadata('limit')).toEqual({ requestsPerUnit: 2, unit: 'HOUR' });
  expect(inMetadata('who')).toBeNull();
  expect(limit({})).toBeNull();
});

test('is meant by stage, by its key, and now or at the end', () => {
  const limits = [
    { actions: [generic('a')] },
    { stage: 1, actions: [generic('b')] },
    { disableKey: 'k', actions: [generic('c')] },
    { applyOnStreamDone: true, actions: [generic('d')] },
  ];
  const names = (wish: Partial<DescriptorWish>) =>
    asked(limits, wish)
      .map(({ entries }) => entries[0].value)
      .join('');
  expect(names({})).toBe('ad');
  expect(names({ stage: 1 })).toBe('b');
  expect(names({ isDisabled: (key) => key !== 'k' })).toBe('acd');
  expect(names({ isOnDone: false })).toBe('a');
  expect(names({ isOnDone: true })).toBe('d');
});

test('of a filter has no stage, no key and no limit', () => {
  const refused = (limit: object) => {
    const reasons = new Reasons();
    decodeFilterRateLimits([fromJson(RateLimitSchema, limit as JsonValue)], reasons);
    return reasons.list.map(({ message }) => message).join();
  };
  expect(refused({ actions: [generic('g')] })).toBe('');
  expect(refused({ stage: 1 })).toBe("'stage' field and 'disable_key' field are not supported");
  expect(refused({ disableKey: 'k' })).toBe("'stage' field and 'disable_key' field are not supported");
  expect(refused({ limit: {} })).toBe("'limit' field is not supported");
});

test('of virtual hosts count where the route or the filter says so', () => {
  const data = (value: string) =>
    decodeRateLimits([fromJson(RateLimitSchema, { actions: [generic(value)] })], new Reasons());
  const names = (route: string, includes: boolean, how: VirtualHostLimits) => {
    const limits = new RateLimits(route === '' ? [] : data(route), data('host'), includes);
    const stream = streamOf('/', []);
    const list: Descriptor[] = [];
    limits.add(stream, stream.head, always, how, list);
    return list.map(({ entries }) => entries[0].value).join(' ');
  };
  expect(names('route', false, 'OVERRIDE')).toBe('route');
  expect(names('', false, 'OVERRIDE')).toBe('host');
  expect(names('route', true, 'IGNORE')).toBe('route host');
  expect(names('route', false, 'INCLUDE')).toBe('route host');
  expect(names('', false, 'IGNORE')).toBe('');
});
