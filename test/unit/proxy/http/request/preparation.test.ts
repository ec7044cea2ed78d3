import { describe, expect, test } from 'vitest';
import { Outcome } from '../../../../../src/observe/outcome.ts';
import { RequestPreparation } from '../../../../../src/proxy/http/request/preparation.ts';
import { certificateFacts, tlsFacts } from '../../../core/tls-fixture.ts';
import { clientCert, hcmData, lines, peer, ReadableStats, requestHead } from '../hcm-fixture.ts';

type Changes = Parameters<typeof hcmData>[0];
type Pairs = readonly (readonly [string, string])[];

function preparation(changes: Changes = {}): RequestPreparation {
  const localNode = { cluster: 'cl-1', id: 'node-1' };
  return new RequestPreparation(hcmData(changes), { stats: new ReadableStats(), localNode, localAddress: '192.0.2.2' });
}

/** What the upstream gets of these headers. */
function forwarded(sent: Pairs, changes: Changes = {}): string[] {
  const head = requestHead(sent);
  expect(preparation({ requestId: { generate: false }, ...changes }).prepare(head, peer(), new Outcome())).toBeNull();
  return lines(head.headers).filter((line) => line !== 'x-forwarded-proto: http');
}

describe('hop-by-hop headers', () => {
  test.each<[string, Pairs, string[]]>([
    ['close', [['connection', 'close']], []],
    [
      'keep-alive',
      [
        ['connection', 'keep-alive'],
        ['keep-alive', '1'],
      ],
      [],
    ],
    [
      'a name',
      [
        ['connection', 'x-a'],
        ['x-a', '1'],
        ['x-b', '2'],
      ],
      ['x-b: 2'],
    ],
    [
      'names in any case',
      [
        ['connection', 'X-A , x-b'],
        ['x-a', '1'],
        ['x-b', '2'],
      ],
      [],
    ],
    [
      'two fields',
      [
        ['connection', 'x-a'],
        ['connection', 'x-b'],
        ['x-a', '1'],
        ['x-b', '2'],
      ],
      [],
    ],
    ['itself', [['connection', 'connection']], []],
    [
      'empty tokens',
      [
        ['connection', 'a,,b, ,c'],
        ['a', '1'],
      ],
      [],
    ],
    [
      'te named',
      [
        ['connection', 'te'],
        ['te', 'trailers'],
      ],
      ['te: trailers'],
    ],
    [
      'te named, more codings',
      [
        ['connection', 'te'],
        ['te', 'gzip, Trailers'],
      ],
      ['te: trailers'],
    ],
    [
      'te named, no trailers',
      [
        ['connection', 'te'],
        ['te', 'gzip'],
      ],
      [],
    ],
    ['te', [['te', 'trailers']], ['te: trailers']],
    ['te with another coding', [['te', 'trailers, deflate']], ['te: trailers']],
    ['te without', [['te', 'gzip']], []],
    ['te is case-sensitive when not named', [['te', 'gzip;q=1, Trailers']], []],
    ['upgrade alone', [['upgrade', 'websocket']], []],
    [
      'an upgrade stays',
      [
        ['connection', 'Upgrade'],
        ['upgrade', 'foo'],
      ],
      ['connection: Upgrade', 'upgrade: foo'],
    ],
    [
      'others',
      [
        ['proxy-connection', 'x'],
        ['transfer-encoding', 'chunked'],
        ['trailer', 'x'],
      ],
      ['trailer: x'],
    ],
  ])('%s', (_, sent, expected) => {
    expect(forwarded(sent)).toEqual(expected);
  });

  test('naming Host takes it away', () => {
    const reject = preparation().prepare(requestHead([['connection', 'host']]), peer(), new Outcome());
    expect(reject).toMatchObject({ status: 400, details: 'missing_host_header', close: true });
  });
});

// Observed on Envoy 1.39.3.
test.each([
  ['http://a.test/x', true],
  ['https://a.test', true],
  ['ftp://a', true],
  ['/rel', true],
  ['about:blank', false],
  ['http://', false],
  ['HTTP://a.test/', true],
  ['http://a b/', false],
  ['http://a.test/,http://b.test/', true],
  ['', true],
  ['http://a.test:99999/', false],
  ['http://u@a.test/', false],
  ['http:/a', false],
  ['http://[::1]/', true],
  ['http://a_b.test/', false],
  ['http://?x', false],
  ['http://:80/', false],
  ['http://a.test:0/', true],
  ['http://a.test#f', false],
  ['android-app://x', true],
  ['a', true],
  ['a/b', true],
  ['http', true],
  ['http:', false],
  ['http:///', false],
  ['http://a:', false],
  ['http://a:8', true],
  ['http://a:8x', false],
  ['http://a?x', true],
  ['http://a/#x', false],
  ['/ x', false],
  ['*x', true],
  ['data:x', false],
  ['x1://y', true],
  ['1x://y', false],
  ['x+://y', true],
  ['://y', false],
  ['http://a..b', true],
  ['http://%41/', false],
  ['http://a~b/', false],
  ['http://[::1', false],
  ['http://[::1]:8/', true],
  ['http://[::g]/', false],
  ['http://[1.2.3.4]/', true],
  ['http://@a/', true],
  ['http://u:p@a/', false],
  ['\xe9', false],
  ['?x', true],
  ['//a/b', true],
  ['http://a:65535/', true],
  ['http://a:65536/', false],
  ['http://a:00080/', true],
  ['file:///x', false],
  ['http://a/%zz', true],
  ['http://a:8?x', true],
])('referer %j is kept: %s', (referer, isKept) => {
  expect(forwarded([['referer', referer]])).toEqual(isKept ? [`referer: ${referer}`] : []);
});

describe('headers that only an internal caller may send', () => {
  const names = (
    'internal retriable-status-codes retriable-header-names retry-on retry-grpc-on max-retries upstream-alt-stat-name ' +
    'upstream-rq-timeout-ms upstream-rq-per-try-timeout-ms upstream-rq-timeout-alt-response expected-rq-timeout-ms ' +
    'force-trace ip-tags original-url hedge-on-per-try-timeout decorator-operation downstream-service-cluster ' +
    'downstream-service-node original-path original-host external-address attempt-count is-timeout-retry ' +
    'original-dst-host peer-metadata overloaded upstream-service-time fault-delay-request'
  ).split(' ');
  const sent = names.map((name) => [`x-envoy-${name}`, '1'] as const);
  const left = (changes: Changes) =>
    forwarded(sent, changes).map((line) => line.replace('x-envoy-', '').replace(/: 1$/, ''));

  test('external, not at the edge', () => {
    expect(left({})).toEqual(names.slice(names.indexOf('decorator-operation')));
  });

  test('at the edge', () => {
    const others = names.slice(names.indexOf('attempt-count'));
    expect(left({ client: { useRemoteAddress: true } })).toEqual([
      'external-address: 127.0.0.1',
      ...others,
      'x-forwarded-for: 192.0.2.2',
    ]);
  });

  test('internal', () => {
    const client = { useRemoteAddress: true, internalCidrRanges: [{ address: '127.0.0.0', length: 8 }] };
    expect(left({ client })).toEqual([...names.slice(1), 'x-forwarded-for: 192.0.2.2', 'internal: true']);
  });

  test("the route configuration's internal_only_headers", () => {
    const changes = { routeConfig: { internalOnlyHeaders: ['x-secret'] } } as unknown as Changes;
    expect(
      forwarded(
        [
          ['x-secret', '1'],
          ['x-open', '2'],
        ],
        changes,
      ),
    ).toEqual(['x-open: 2']);
  });
});

describe('x-request-id', () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  const edge = { useRemoteAddress: true };
  const id = (sent: Pairs, changes: Changes = {}): string | undefined => {
    const head = requestHead(sent);
    preparation(changes).prepare(head, peer(), new Outcome());
    return head.headers.get('x-request-id');
  };
  const traced = '12345678-1234-9234-8234-123456789012';

  test('made where there is none', () => {
    const ids = new Set(Array.from({ length: 300 }, () => id([])));
    expect(ids.size).toBe(300);
    for (const one of ids) expect(one).toMatch(uuid);
    expect(id([['x-request-id', '']])).toMatch(uuid);
  });

  test('kept from inside, made anew at the edge', () => {
    expect(id([['x-request-id', 'abc']])).toBe('abc');
    expect(id([['x-request-id', traced]])).toBe(traced);
    expect(id([['x-request-id', 'abc']], { client: edge })).toMatch(uuid);
    expect(
      id([
        ['x-request-id', 'a'],
        ['x-request-id', 'b'],
      ]),
    ).toBe('a,b');
  });

  test('preserved at the edge, without a say in tracing', () => {
    const changes = { client: edge, requestId: { preserveExternal: true } };
    expect(id([['x-request-id', 'abc']], changes)).toBe('abc');
    expect(id([['x-request-id', traced]], changes)).toBe('12345678-1234-4234-8234-123456789012');
    const unpacked = { client: edge, requestId: { preserveExternal: true, packTraceReason: false } };
    expect(id([['x-request-id', traced]], unpacked)).toBe(traced);
  });

  test('left alone when not generated', () => {
    const off = { requestId: { generate: false } };
    expect(id([], off)).toBeUndefined();
    expect(id([['x-request-id', '']], off)).toBe('');
  });
});

test('add_user_agent names the caller', () => {
  const on = { forwarding: { addUserAgent: true } };
  const service = 'x-envoy-downstream-service-cluster: cl-1';
  const node = 'x-envoy-downstream-service-node: node-1';
  expect(forwarded([], on)).toEqual([service, 'user-agent: cl-1', node]);
  expect(forwarded([['user-agent', 'x']], on)).toEqual(['user-agent: x', service, node]);
  expect(
    forwarded(
      [
        ['user-agent', ''],
        ['x-envoy-downstream-service-cluster', 'z'],
      ],
      on,
    ),
  ).toEqual(['user-agent: cl-1', service, node]);
});

test('via', () => {
  const on = { forwarding: { via: 'px' } };
  expect(forwarded([], on)).toEqual(['via: px']);
  expect(forwarded([['via', '1.1 a']], on)).toEqual(['via: 1.1 a, px']);
  expect(
    forwarded(
      [
        ['via', '1.1 a'],
        ['via', '1.1 b'],
      ],
      on,
    ),
  ).toEqual(['via: 1.1 a,1.1 b, px']);
});

test('x-forwarded-client-cert', () => {
  const sent: Pairs = [['x-forwarded-client-cert', 'By=x']];
  expect(forwarded(sent)).toEqual([]);
  expect(forwarded(sent, { forwarding: { clientCert: clientCert('FORWARD_ONLY') } })).toEqual([]);
  expect(forwarded(sent, { forwarding: { clientCert: clientCert('ALWAYS_FORWARD_ONLY') } })).toEqual([
    'x-forwarded-client-cert: By=x',
  ]);
});

test('x-forwarded-client-cert of a client with a certificate', () => {
  const tls = tlsFacts({ peerChain: [certificateFacts({ sha256: 'fe' })] });
  const repeated: Pairs = [
    ['x-forwarded-client-cert', 'By=x'],
    ['a', 'b'],
    ['x-forwarded-client-cert', 'By=y'],
  ];
  const written = (mode: Parameters<typeof clientCert>[0], facts = tls) => {
    const head = requestHead(repeated);
    const changes = { requestId: { generate: false }, forwarding: { clientCert: clientCert(mode) } };
    preparation(changes).prepare(head, peer('127.0.0.1', { tls: facts }), new Outcome());
    expect(head.get('x-forwarded-proto')).toBe('https');
    return head.headers.getAll('x-forwarded-client-cert');
  };
  expect(written('SANITIZE')).toEqual([]);
  expect(written('FORWARD_ONLY')).toEqual(['By=x,By=y']);
  expect(written('APPEND_FORWARD')).toEqual(['By=x,By=y,Hash=fe']);
  expect(written('SANITIZE_SET')).toEqual(['Hash=fe']);
  expect(written('ALWAYS_FORWARD_ONLY')).toEqual(['By=x,By=y']);
  expect(written('APPEND_FORWARD', tlsFacts())).toEqual([]);
  expect(written('ALWAYS_FORWARD_ONLY', tlsFacts())).toEqual(['By=x,By=y']);
});

test('repeated cookies stay apart, as a real Envoy leaves them on HTTP/1', () => {
  expect(
    forwarded([
      ['cookie', 'a=1'],
      ['x', 'y'],
      ['cookie', 'b=2'],
    ]),
  ).toEqual(['cookie: a=1', 'x: y', 'cookie: b=2']);
});

test('a request without a host is refused, or gets the default of HTTP/1.0', () => {
  const bare = (version: 10 | 11) => requestHead([], { authority: '', version });
  const changes = { http1: { acceptHttp10: true, defaultHostForHttp10: 'def.test' } };
  expect(preparation().prepare(bare(11), peer(), new Outcome())).toMatchObject({ details: 'missing_host_header' });
  expect(preparation(changes).prepare(bare(11), peer(), new Outcome())).toMatchObject({ status: 400 });
  const old = bare(10);
  expect(preparation(changes).prepare(old, peer(), new Outcome())).toBeNull();
  expect(old.authority).toBe('def.test');
});
