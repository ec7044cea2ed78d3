import { describe, expect, test } from 'vitest';
import { corsBuilder } from '../../../../src/filter/cors/build.ts';
import type { CorsPolicyData } from '../../../../src/filter/cors/cors-data.ts';
import { Verdict } from '../../../../src/filter/filter.ts';
import { directRoute, filterContext, lines, request, response, TestStream } from '../filter-fixture.ts';

const exact = (value: string) => ({ kind: 'exact', value, ignoreCase: false }) as const;
const none: CorsPolicyData = {
  allowOrigins: [],
  allowMethods: '',
  allowHeaders: '',
  exposeHeaders: '',
  maxAge: '',
  allowCredentials: null,
  allowPrivateNetworkAccess: null,
  forwardNotMatchingPreflights: null,
  filterEnabled: null,
  shadowEnabled: null,
};
const full: CorsPolicyData = {
  ...none,
  allowOrigins: [exact('http://a')],
  allowMethods: 'GET,PUT',
  allowHeaders: 'x-h',
  exposeHeaders: 'x-e',
  maxAge: '9',
  allowCredentials: true,
  allowPrivateNetworkAccess: true,
};
const vhost: CorsPolicyData = {
  ...none,
  allowOrigins: [{ kind: 'prefix', value: 'http://v', ignoreCase: false }],
  allowMethods: 'V',
  exposeHeaders: 'x-v',
};
const star = { allowOrigins: [exact('*')], allowMethods: '*', allowHeaders: '*', forwardNotMatchingPreflights: false };
/** The routes of the observation on Envoy 1.39.3; each has the virtual host's policy below it. */
const routes: Record<string, CorsPolicyData | null> = {
  full,
  star: { ...none, ...star },
  nofwd: { ...full, forwardNotMatchingPreflights: false },
  off: { ...full, filterEnabled: { numerator: 0, denominator: 100, runtimeKey: 'k' } },
  vhost: null,
  part: { ...none, allowMethods: 'PATCH' },
};

function subject() {
  const context = filterContext('cors');
  const filter = corsBuilder.build(null, context).create();
  const configs = (policies: readonly (CorsPolicyData | null)[]) =>
    policies.flatMap((policy) => (policy === null ? [] : [corsBuilder.buildPerRoute!(policy, context)]));
  return { context, filter, configs };
}

/** Headers of the answer to an actual request; and to a preflight, null where it goes to the upstream. */
function answers(route: string, origin: string): [string[], string[] | null] {
  const { context, filter, configs } = subject();
  const actual = new TestStream(context, request([['origin', origin]]));
  actual.configs = configs([vhost, routes[route]!]);
  expect(filter.onRequestHead!(actual, actual.requestHead, true)).toBe(Verdict.Continue);
  const head = response();
  filter.onResponseHead!(actual, head, true);

  const asked = [
    ['origin', origin],
    ['access-control-request-method', 'PUT'],
    ['access-control-request-headers', 'x-q'],
    ['access-control-request-private-network', 'true'],
  ] as const;
  const preflight = new TestStream(context, request(asked, { method: 'OPTIONS' }));
  preflight.configs = configs([vhost, routes[route]!]);
  const verdict = filter.onRequestHead!(preflight, preflight.requestHead, true);
  if (verdict === Verdict.Continue) return [lines(head.headers), null];
  const [reply] = preflight.replies;
  expect(reply).toMatchObject({ status: 200, body: '', details: 'cors_response', asIs: true });
  const answer = response(reply.headers);
  filter.onResponseHead!(preflight, answer, true);
  return [lines(head.headers), lines(answer.headers)];
}

const allow = (name: string, value: string) => `access-control-allow-${name}: ${value}`;
const expose = (value: string) => `access-control-expose-headers: ${value}`;
const fullPreflight = [
  allow('credentials', 'true'),
  allow('methods', 'GET,PUT'),
  allow('headers', 'x-h'),
  'access-control-max-age: 9',
  allow('private-network', 'true'),
];

test.each<[string, string, string[], string[] | null]>([
  [
    'full',
    'http://a',
    [allow('origin', 'http://a'), allow('credentials', 'true'), expose('x-e')],
    [allow('origin', 'http://a'), ...fullPreflight, expose('x-e')],
  ],
  ['full', 'http://v', [], null],
  [
    'star',
    'http://z',
    [allow('origin', 'http://z'), expose('x-v')],
    [allow('origin', 'http://z'), allow('methods', 'PUT'), allow('headers', 'x-q'), expose('x-v')],
  ],
  ['nofwd', 'http://z', [], fullPreflight],
  ['off', 'http://a', [], null],
  ['vhost', 'http://a', [], null],
  [
    'vhost',
    'http://v',
    [allow('origin', 'http://v'), expose('x-v')],
    [allow('origin', 'http://v'), allow('methods', 'V'), expose('x-v')],
  ],
  [
    'part',
    'http://v',
    [allow('origin', 'http://v'), expose('x-v')],
    [allow('origin', 'http://v'), allow('methods', 'PATCH'), expose('x-v')],
  ],
])('as Envoy does: %s, %s', (route, origin, actual, preflight) => {
  expect(answers(route, origin)).toEqual([actual, preflight]);
});

describe('not concerned', () => {
  const untouched = (changes: (stream: TestStream) => void, headers = [['origin', 'http://a']] as const) => {
    const { context, filter, configs } = subject();
    const stream = new TestStream(context, request(headers));
    stream.configs = configs([full]);
    changes(stream);
    const head = response();
    expect(filter.onRequestHead!(stream, stream.requestHead, true)).toBe(Verdict.Continue);
    filter.onResponseHead!(stream, head, true);
    expect(lines(head.headers)).toEqual([]);
    expect(context.stats.used).toEqual({});
  };

  test('a direct response', () => untouched((stream) => (stream.route = directRoute())));
  test('no route', () => untouched((stream) => (stream.route = null)));
  test('no policy', () => untouched((stream) => (stream.configs = [])));
  test('no origin', () => untouched(() => {}, [] as never));
});

test('stats count valid and invalid origins, in shadow too', () => {
  const { context, filter, configs } = subject();
  const shadow = {
    ...full,
    filterEnabled: { numerator: 0, denominator: 100, runtimeKey: 'on' },
    shadowEnabled: { numerator: 100, denominator: 100, runtimeKey: 'shadow' },
  };
  for (const origin of ['http://a', 'http://b', 'http://c']) {
    const stream = new TestStream(context, request([['origin', origin]]));
    stream.configs = configs([shadow]);
    filter.onRequestHead!(stream, stream.requestHead, true);
    const head = response();
    filter.onResponseHead!(stream, head, true);
    expect(head.headers.length).toBe(0);
    filter.onComplete!(stream);
  }
  expect(context.stats.used).toEqual({ 'cors.origin_valid': 1, 'cors.origin_invalid': 2 });
  context.runtimeNumbers.set('shadow', 0);
  const stream = new TestStream(context, request([['origin', 'http://a']]));
  stream.configs = configs([shadow]);
  filter.onRequestHead!(stream, stream.requestHead, true);
  expect(context.stats.used).toEqual({ 'cors.origin_valid': 1, 'cors.origin_invalid': 2 });
});
