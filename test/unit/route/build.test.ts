import { describe, expect, test } from 'vitest';
import { ResponseHead } from '../../../src/core/head.ts';
import { Headers } from '../../../src/core/headers.ts';
import { RetryOn } from '../../../src/route/retry-on.ts';
import { anyHost, forwardOf, outcomeOf, request, tableFrom } from './fixture.ts';

const string = (value: string) => `{'@type': type.googleapis.com/google.protobuf.StringValue, value: ${value}}`;
const filterConfig = (fields: string) => `{'@type': type.googleapis.com/envoy.config.route.v3.FilterConfig, ${fields}}`;
const one = { random: 0 };

describe('typed_per_filter_config', () => {
  const yaml = `
name: r
typed_per_filter_config: {a: ${string('rc')}, b: ${string('rc')}}
virtual_hosts:
- name: v
  domains: ['*']
  typed_per_filter_config: {a: ${string('vh')}, off: ${filterConfig('disabled: true')}}
  routes:
  - match: {path: /own}
    typed_per_filter_config: {a: ${string('rt')}, off: ${filterConfig('config: {}')}, optional: ${filterConfig(`is_optional: true, config: ${filterConfig('')}`)}}
    route: {cluster: c}
  - match: {path: /weighted}
    route: {weighted_clusters: {clusters: [{name: c, weight: 1, typed_per_filter_config: {a: ${string('wc')}, b: ${filterConfig('disabled: true')}}}]}}
  - match: {prefix: /}
    route: {cluster: c}
`;
  const table = tableFrom(yaml);

  test('levels come least specific first', () => {
    const route = table.match(request('/own'), one)!;
    expect(route.perFilter.get('a')).toEqual(['a=rc', 'a=vh', 'a=rt']);
    expect(route.perFilter.get('b')).toEqual(['b=rc']);
  });

  test('the most specific level switches a filter on or off', () => {
    expect(table.match(request('/'), one)!.filterDisabled.get('off')).toBe(true);
    expect(table.match(request('/own'), one)!.filterDisabled.get('off')).toBe(false);
    expect(table.match(request('/'), one)!.filterDisabled.get('a')).toBe(false);
    expect(table.match(request('/'), one)!.filterDisabled.get('other')).toBeUndefined();
  });

  test('an optional configuration of unknown type is left out', () => {
    expect(table.match(request('/own'), one)!.perFilter.has('optional')).toBe(false);
  });

  test('a weighted entry adds its level', () => {
    const head = request('/weighted');
    const route = table.match(head, one)!;
    const choice = forwardOf(route).cluster(head, 0);
    expect(choice.perFilter!.get('a')).toEqual(['a=rc', 'a=vh', 'a=wc']);
    expect(choice.filterDisabled!.get('b')).toBe(true);
    expect(choice.filterDisabled!.get('off')).toBe(true);
    expect(forwardOf(table.match(request('/'), one)).cluster(head, 0).perFilter).toBeNull();
  });

  test('routes without a level of their own share the maps', () => {
    const plain = tableFrom(
      anyHost('{match: {path: /a}, route: {cluster: c}}\n{match: {prefix: /}, route: {cluster: c}}'),
    );
    expect(plain.match(request('/a'), one)!.perFilter).toBe(plain.match(request('/b'), one)!.perFilter);
  });
});

describe('retry policies', () => {
  const table = tableFrom(
    anyHost(
      `{match: {path: /own}, route: {cluster: c, retry_policy: {retry_on: reset}}}
       {match: {path: /full}, route: {cluster: c, retry_policy: {retry_on: '5xx,cancelled', num_retries: 3, per_try_timeout: 0.25s, per_try_idle_timeout: 1s, retry_back_off: {base_interval: 0.0001s}, retriable_status_codes: [409], host_selection_retry_max_attempts: 5, retry_host_predicate: [{name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate}}, {name: o, typed_config: {'@type': type.googleapis.com/envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate}}], retriable_headers: [{name: x-again}], retriable_request_headers: [{name: x-safe}]}}}
       {match: {prefix: /}, route: {cluster: c}}`,
      '',
      '  retry_policy: {retry_on: 5xx, num_retries: 7}',
    ),
  );
  const policy = (path: string) => forwardOf(table.match(request(path), one)).retry!;

  test("a route's own replaces the virtual host's wholly", () => {
    expect([policy('/own').retryOn, policy('/own').maxRetries]).toEqual([RetryOn.Reset, 1]);
    expect([policy('/').retryOn, policy('/').maxRetries]).toEqual([RetryOn.FiveXx, 7]);
  });

  test('every field arrives', () => {
    expect(policy('/full')).toMatchObject({
      retryOn: RetryOn.FiveXx | RetryOn.Cancelled,
      maxRetries: 3,
      perTryTimeoutMs: 250,
      perTryIdleTimeoutMs: 1000,
      backOffBaseMs: 1,
      backOffMaxMs: 10,
      retriableStatusCodes: [409],
      hostSelectionAttempts: 5,
      hostPredicates: ['previous_hosts', 'omit_canary_hosts'],
    });
  });

  test('headers of request and response gate it', () => {
    expect(policy('/full').permits(request('/'))).toBe(false);
    expect(policy('/full').permits(request('/', 'x-safe: 1'))).toBe(true);
    expect(policy('/own').permits(request('/'))).toBe(true);
    expect(policy('/full').matchesRetriableHeaders(new ResponseHead(200, Headers.of(['x-again', ''])))).toBe(true);
    expect(policy('/own').matchesRetriableHeaders(new ResponseHead(200, Headers.of(['x-again', ''])))).toBe(false);
  });
});

describe('timeouts', () => {
  const timeouts = (fields: string) =>
    forwardOf(tableFrom(anyHost(`{match: {prefix: /}, route: {cluster: c, ${fields}}}`)).match(request('/'), one));

  test.each<[string, Record<string, number>]>([
    [
      'priority: DEFAULT',
      {
        timeoutMs: 15000,
        idleTimeoutMs: -1,
        maxStreamDurationMs: -1,
        grpcTimeoutHeaderMaxMs: -1,
        maxGrpcTimeoutMs: -1,
      },
    ],
    ['timeout: 0s', { timeoutMs: 0 }],
    ['timeout: 0.0004s', { timeoutMs: 0 }],
    ['timeout: 1.5s, idle_timeout: 0s', { timeoutMs: 1500, idleTimeoutMs: 0 }],
    ['timeout: 1s, max_stream_duration: {max_stream_duration: 5s}', { timeoutMs: 0, maxStreamDurationMs: 5000 }],
    [
      'max_stream_duration: {grpc_timeout_header_max: 0s, grpc_timeout_header_offset: 0.1s}',
      { timeoutMs: 0, maxStreamDurationMs: -1, grpcTimeoutHeaderMaxMs: 0, grpcTimeoutHeaderOffsetMs: 100 },
    ],
    [
      'max_grpc_timeout: 2s, grpc_timeout_offset: 0.05s',
      { timeoutMs: 15000, maxGrpcTimeoutMs: 2000, grpcTimeoutOffsetMs: 50 },
    ],
  ])('%s', (fields, expected) => {
    expect(timeouts(fields)).toMatchObject(expected);
  });
});

test('the rest of a forwarding route', () => {
  const yaml = anyHost(
    '{name: n, match: {prefix: /}, request_body_buffer_limit: 5, stat_prefix: s, decorator: {operation: o, propagate: false}, metadata: {filter_metadata: {m: {k: [1]}}}, route: {cluster: c, priority: HIGH, cluster_not_found_response_code: NOT_FOUND, auto_host_rewrite: true, append_x_forwarded_host: true, upgrade_configs: [{upgrade_type: WebSocket}, {upgrade_type: CONNECT, enabled: false}]}}',
    '',
    '  include_request_attempt_count: true\n  include_attempt_count_in_response: true\n  per_request_buffer_limit_bytes: 9',
  );
  const route = tableFrom(yaml).match(request('/'), one)!;
  expect(route).toMatchObject({
    name: 'n',
    virtualHostName: 'v',
    statPrefix: 's',
    decorator: 'o',
    decoratorPropagate: false,
    metadata: { m: { k: [1] } },
  });
  expect(forwardOf(route)).toMatchObject({
    priority: 1,
    clusterNotFoundStatus: 404,
    autoHostRewrite: true,
    appendXForwardedHost: true,
    requestBufferLimit: 5,
    includeAttemptCount: true,
    includeAttemptCountInResponse: true,
  });
  expect([...forwardOf(route).upgrades]).toEqual([
    ['websocket', true],
    ['connect', false],
  ]);
});

test("a virtual host's buffer limit is its routes'", () => {
  const yaml = anyHost('{match: {prefix: /}, route: {cluster: c}}', '', '  per_request_buffer_limit_bytes: 9');
  expect(forwardOf(tableFrom(yaml).match(request('/'), one)).requestBufferLimit).toBe(9);
});

test('a non-forwarding route finds no cluster', () => {
  const head = request('/');
  const action = forwardOf(tableFrom(anyHost('{match: {prefix: /}, non_forwarding_action: {}}')).match(head, one));
  expect([action.cluster(head, 0).name, action.clusterNotFoundStatus]).toEqual(['', 503]);
});

describe('virtual clusters', () => {
  const host = `  virtual_clusters: [{name: users, headers: [{name: ':path', string_match: {prefix: /users}}, {name: ':method', string_match: {exact: GET}}]}]`;

  test('the first that matches, or other', () => {
    const route = tableFrom(anyHost('{match: {prefix: /}, route: {cluster: c}}', '', host)).match(request('/'), one)!;
    expect(
      [route.virtualCluster(request('/users/1')), route.virtualCluster(request('/x'))].map(
        ({ name, statName }) => `${name} ${statName}`,
      ),
    ).toEqual(['users users', ' other']);
  });

  test('none where none is configured', () => {
    const route = tableFrom(anyHost('{match: {prefix: /}, route: {cluster: c}}')).match(request('/'), one)!;
    expect(route.virtualCluster(request('/')).statName).toBe('');
  });
});

test('a route that changes nothing costs nothing', () => {
  const head = request('/', 'x: 1');
  const route = tableFrom(anyHost('{match: {prefix: /}, route: {cluster: c}}')).match(head, one)!;
  const before = [...head.headers.names];
  forwardOf(route).mutateRequest(head, outcomeOf(head), forwardOf(route).cluster(head, 0));
  expect(head.headers.names).toEqual(before);
});
