import { expect, test } from 'vitest';
import { Clock } from '../../../../../src/core/clock.ts';
import { ResponseFlag } from '../../../../../src/core/failure.ts';
import { ResponseHead } from '../../../../../src/core/head.ts';
import { Headers } from '../../../../../src/core/headers.ts';
import { Outcome } from '../../../../../src/observe/outcome.ts';
import { addUpstreamServiceTime, ResponsePreparation } from '../../../../../src/proxy/http/response/preparation.ts';
import { hcmData, lines, requestHead } from '../hcm-fixture.ts';

type Changes = Parameters<typeof hcmData>[0];
type Pairs = readonly (readonly [string, string])[];
const date = 'date: Thu, 01 Jan 1970 00:00:01 GMT';

function prepared(sent: Pairs, changes: Changes = {}, request: Pairs = []): string[] {
  const head = new ResponseHead(200, Headers.of(...sent));
  new ResponsePreparation(hcmData(changes), new Clock(0, 1500), 'node-1').prepare(
    head,
    requestHead(request),
    new Outcome(),
  );
  return lines(head.headers);
}

test('date and server are added', () => {
  expect(prepared([['content-length', '0']])).toEqual(['content-length: 0', date, 'server: envoy']);
  expect(
    prepared([
      ['server', 'up'],
      ['date', 'yesterday'],
    ]),
  ).toEqual(['server: envoy', 'date: yesterday']);
  expect(
    prepared([
      ['server', 'a'],
      ['server', 'b'],
    ]),
  ).toEqual(['server: envoy', date]);
});

test('the date moves with the clock', () => {
  const clock = new Clock(0, 1999);
  const preparation = new ResponsePreparation(hcmData(), clock, '');
  const at = (epochMs: number) => {
    clock.epochMs = epochMs;
    const head = new ResponseHead(200, new Headers());
    preparation.prepare(head, null, new Outcome());
    return head.headers.get('date');
  };
  expect(at(1999)).toBe('Thu, 01 Jan 1970 00:00:01 GMT');
  expect(at(2000)).toBe('Thu, 01 Jan 1970 00:00:02 GMT');
});

test('server_header_transformation', () => {
  const append = { response: { serverName: 'me', serverHeader: 'APPEND_IF_ABSENT' as const } };
  expect(prepared([], append)).toEqual([date, 'server: me']);
  expect(prepared([['server', 'up']], append)).toEqual(['server: up', date]);
  const pass = { response: { serverHeader: 'PASS_THROUGH' as const } };
  expect(prepared([], pass)).toEqual([date]);
  expect(prepared([['server', 'up']], pass)).toEqual(['server: up', date]);
});

// Observed on Envoy 1.39.3: what Connection names stays, as do trailer, te and proxy-authenticate.
test('hop-by-hop headers go', () => {
  const head = new ResponseHead(
    200,
    Headers.of(
      ['connection', 'x-a, keep-alive'],
      ['keep-alive', '1'],
      ['proxy-connection', 'y'],
      ['x-a', '1'],
      ['upgrade', 'h2c'],
      ['trailer', 'x'],
      ['te', 'y'],
      ['proxy-authenticate', 'z'],
      ['x-envoy-upstream-service-time', '99'],
      ['x-envoy-internal', '1'],
    ),
  );
  addUpstreamServiceTime(head, 3.9);
  new ResponsePreparation(hcmData(), new Clock(0, 1500), '').prepare(head, requestHead(), new Outcome());
  expect(lines(head.headers)).toEqual([
    'x-a: 1',
    'trailer: x',
    'te: y',
    'proxy-authenticate: z',
    'x-envoy-upstream-service-time: 3',
    'x-envoy-internal: 1',
    date,
    'server: envoy',
  ]);
});

test('the request id is echoed when asked for', () => {
  const id = ['x-request-id', 'abc'] as const;
  const always = { requestId: { alwaysSetInResponse: true } };
  expect(prepared([], {}, [id])).not.toContain('x-request-id: abc');
  expect(prepared([], always, [id])).toEqual([date, 'server: envoy', 'x-request-id: abc']);
  expect(prepared([['x-request-id', 'up']], always, [id])).toEqual(['x-request-id: abc', date, 'server: envoy']);
  expect(prepared([], {}, [id, ['x-envoy-force-trace', '1']])).toContain('x-request-id: abc');
  expect(prepared([], always)).toEqual([date, 'server: envoy']);
});

test('via', () => {
  const on = { response: { via: 'px' } };
  expect(prepared([], on)).toEqual([date, 'server: envoy', 'via: px']);
  expect(prepared([['via', '1.0 up']], on)).toEqual(['via: 1.0 up, px', date, 'server: envoy']);
});

test('an informational head only loses its hop-by-hop headers', () => {
  const head = new ResponseHead(103, Headers.of(['link', '</a>'], ['connection', 'close']));
  new ResponsePreparation(hcmData(), new Clock(), '').prepareInformational(head, requestHead());
  expect(lines(head.headers)).toEqual(['link: </a>']);
});

test('Proxy-Status says what went wrong', () => {
  const status = {
    removeDetails: false,
    removeConnectionTerminationDetails: false,
    removeResponseFlags: false,
    setRecommendedResponseCode: true,
    name: null,
    useNodeId: true,
  };
  const apply = (changes: Partial<typeof status>, flags: number) => {
    const head = new ResponseHead(503, new Headers());
    const outcome = new Outcome();
    outcome.flags = flags;
    outcome.details = 'no_healthy_upstream';
    const data = hcmData({ response: { proxyStatus: { ...status, ...changes } } });
    new ResponsePreparation(data, new Clock(), 'node-1').prepare(head, null, outcome);
    return [head.status, head.headers.get('proxy-status')];
  };
  expect(apply({}, 0)).toEqual([503, undefined]);
  expect(apply({}, ResponseFlag.NoHealthyUpstream)).toEqual([
    503,
    'node-1; error=destination_unavailable; details="no_healthy_upstream; UH"',
  ]);
  expect(apply({ removeResponseFlags: true }, ResponseFlag.NoRouteFound)).toEqual([
    500,
    'node-1; error=destination_not_found; details="no_healthy_upstream"',
  ]);
  expect(apply({ removeDetails: true, useNodeId: false }, ResponseFlag.UpstreamRequestTimeout)).toEqual([
    504,
    'envoy; error=http_response_timeout',
  ]);
});
