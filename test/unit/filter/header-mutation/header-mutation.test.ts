import { describe, expect, test } from 'vitest';
import { Headers } from '../../../../src/core/headers.ts';
import { headerMutationBuilder } from '../../../../src/filter/header-mutation/build.ts';
import type {
  AppendActionData,
  HeaderMutationData,
  MutationsData,
  QueryMutationData,
} from '../../../../src/filter/header-mutation/header-mutation-data.ts';
import { filterContext, lines, request, response, TestStream } from '../filter-fixture.ts';

const none: MutationsData = { request: [], query: [], response: [], requestTrailers: [], responseTrailers: [] };

function append(
  name: string,
  value: string,
  action: AppendActionData = 'APPEND_IF_EXISTS_OR_ADD',
  keepEmpty = false,
): HeaderMutationData {
  return { kind: 'append', name, value, action, keepEmpty };
}

function query(key: string, value: string, action: AppendActionData = 'APPEND_IF_EXISTS_OR_ADD'): QueryMutationData {
  return { kind: 'append', key, value, action };
}

type Pairs = readonly (readonly [string, string])[];

function run(own: Partial<MutationsData>, headers: Pairs = [], levels: Partial<MutationsData>[] = [], wins = false) {
  const context = filterContext();
  const data = { mutations: { ...none, ...own }, mostSpecificWins: wins };
  const filter = headerMutationBuilder.build(data, context).create();
  const stream = new TestStream(context, request(headers));
  stream.configs = levels.map((level) => headerMutationBuilder.buildPerRoute!({ ...none, ...level }, context));
  filter.onRequestHead!(stream, stream.requestHead, true);
  return { filter, stream };
}

// Observed on Envoy 1.39.3.
describe('as Envoy does', () => {
  const mutations = [
    append('x-a', '1', 'ADD_IF_ABSENT'),
    append('x-b', '2', 'OVERWRITE_IF_EXISTS'),
    append('x-c', '3', 'OVERWRITE_IF_EXISTS_OR_ADD'),
    { kind: 'remove', name: 'x-d' },
    append('x-e', '%REQ(nope)%'),
    append('x-g', ''),
    append('x-k', '', 'APPEND_IF_EXISTS_OR_ADD', true),
    { kind: 'remove-matching', names: { kind: 'prefix', value: 'x-q', ignoreCase: false } },
  ] as const;

  test('every action', () => {
    expect(lines(run({ request: mutations }).stream.requestHead.headers)).toEqual(['x-a: 1', 'x-c: 3', 'x-k: ']);
    const sent: Pairs = [
      ['x-a', 'o'],
      ['x-b', 'o'],
      ['x-c', 'o'],
      ['x-d', 'o'],
      ['x-q1', 'o'],
      ['x-b', 'p'],
    ];
    expect(lines(run({ request: mutations }, sent).stream.requestHead.headers)).toEqual([
      'x-a: o',
      'x-b: 2',
      'x-c: 3',
      'x-k: ',
    ]);
  });

  test('the filter first, then the route levels from the most specific', () => {
    const levels = [{ request: [append('x-m', 'vh')] }, { request: [append('x-m', 'route')] }];
    const own = { request: [append('x-m', 'f')] };
    const values = (wins: boolean) => run(own, [], levels, wins).stream.requestHead.headers.getAll('x-m');
    expect(values(false)).toEqual(['f', 'route', 'vh']);
    expect(values(true)).toEqual(['f', 'vh', 'route']);
  });

  test.each([
    ['/', '/?z=1'],
    ['/?', '/?z=1'],
    ['/?a', '/?a=&z=1'],
    ['/?b=2&a=1&b=3', '/?a=1&b=2&b=3&z=1'],
    ['/?=', '/?=&z=1'],
    ['/?&&a', '/?=&=&a=&z=1'],
    ['/?A=1&a=2', '/?A=1&a=2&z=1'],
    ["/?k=!'()*~-._;:@$,/?", "/?k=!'()*~-._;:@$,/?&z=1"],
    ['/?a=b=c', '/?a=b=c&z=1'],
  ])('a query is sorted by key: %s', (path, expected) => {
    const context = filterContext();
    const data = { mutations: { ...none, query: [query('z', '1')] }, mostSpecificWins: false };
    const filter = headerMutationBuilder.build(data, context).create();
    const stream = new TestStream(context, request([], { path }));
    filter.onRequestHead!(stream, stream.requestHead, true);
    expect(stream.requestHead.path).toBe(expected);
  });
});

function queried(path: string, mutations: readonly QueryMutationData[], headers: Pairs = []): string {
  const context = filterContext();
  const data = { mutations: { ...none, query: mutations }, mostSpecificWins: false };
  const stream = new TestStream(context, request(headers, { path }));
  headerMutationBuilder.build(data, context).create().onRequestHead!(stream, stream.requestHead, true);
  return stream.requestHead.path;
}

test('query actions; values are encoded', () => {
  const mutations: QueryMutationData[] = [
    { kind: 'remove', key: 'a' },
    query('b', '%REQ(x-v)%', 'OVERWRITE_IF_EXISTS'),
    query('c', '\xc3\xbc /&=+', 'ADD_IF_ABSENT'),
    query('d d', 'x', 'OVERWRITE_IF_EXISTS_OR_ADD'),
  ];
  const headers: Pairs = [['x-v', 'v/ &']];
  expect(queried('/', mutations, headers)).toMatch(/^\/\?c=.*%20%2F%26%3D%2B&d%20d=x$/);
  expect(queried('/?a=1&b=2&c=3&d%20d=4', mutations, headers)).toBe('/?b=v%2F%20%26&c=3&d%20d=x');
  expect(queried('/?b=1&b=2&c=', mutations, headers)).toBe('/?b=v%2F%20%26&c=&d%20d=x');
  expect(queried('/x?a=1', [{ kind: 'remove', key: 'a' }])).toBe('/x');
});

test('parameters that stay are written as the client wrote them', () => {
  // Envoy 1.39.3 writes them decoded, spaces and control characters into the request line.
  expect(queried('/?q=a%20b&p=%00', [query('z', '1')])).toBe('/?p=%00&q=a%20b&z=1');
});

test('responses and trailers', () => {
  const { filter, stream } = run({
    response: [append('x-r', '%REQ(x-in)%')],
    requestTrailers: [append('x-rt', '1')],
    responseTrailers: [{ kind: 'remove', name: 'x-gone' }],
  });
  stream.requestHead.headers.add('x-in', 'seen');
  const head = response([['a', 'b']]);
  filter.onResponseHead!(stream, head, false);
  expect(lines(head.headers)).toEqual(['a: b', 'x-r: seen']);
  const up = new Headers();
  filter.onRequestTrailers!(stream, up);
  expect(lines(up)).toEqual(['x-rt: 1']);
  const down = Headers.of(['x-gone', '1'], ['x-stays', '2']);
  filter.onResponseTrailers!(stream, down);
  expect(lines(down)).toEqual(['x-stays: 2']);
});
