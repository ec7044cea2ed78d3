import { cluster, http } from '../config.ts';
import type { Group } from '../row.ts';

const timeouts: Group = {
  name: 'timeouts',
  config: http({
    hcm: 'use_remote_address: true\ninternal_address_config: { cidr_ranges: [{ address_prefix: 127.0.0.0, prefix_len: 8 }] }',
    routes: `
- { match: { prefix: /route }, route: { cluster: one, timeout: 0.2s } }
- { match: { prefix: /none }, route: { cluster: one, timeout: 0s } }
- { match: { prefix: /idle }, route: { cluster: one, idle_timeout: 0.2s } }
- { match: { prefix: /max }, route: { cluster: one, timeout: 0s, max_stream_duration: { max_stream_duration: 0.2s } } }
- { match: { prefix: /grpc }, route: { cluster: one, max_stream_duration: { grpc_timeout_header_max: 1s } } }
- { match: { prefix: / }, route: { cluster: one } }`,
  }),
  rows: [
    { name: 'route timeout', request: { path: '/route' }, upstream: [{ delayMs: 600 }] },
    { name: 'route timeout, HEAD', request: { method: 'HEAD', path: '/route' }, upstream: [{ delayMs: 600 }] },
    {
      name: 'route timeout within the body',
      request: { path: '/route' },
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf' }],
      until: 'closed',
    },
    { name: 'in time', request: { path: '/route' }, upstream: [{ delayMs: 50 }] },
    { name: 'no timeout', request: { path: '/none' }, upstream: [{ delayMs: 300 }] },
    {
      name: 'timeout from the header',
      request: { headers: [['x-envoy-upstream-rq-timeout-ms', '150']] },
      upstream: [{ delayMs: 500 }],
    },
    { name: 'timeout header is no number', request: { headers: [['x-envoy-upstream-rq-timeout-ms', 'soon']] } },
    {
      name: 'alternative answer to a timeout',
      request: { path: '/route', headers: [['x-envoy-upstream-rq-timeout-alt-response', '1']] },
      upstream: [{ delayMs: 600 }],
    },
    { name: 'stream idle before the head', request: { path: '/idle' }, upstream: [{ delayMs: 600 }] },
    {
      name: 'stream idle within the request',
      raw: ['POST /idle HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf'],
      waitMs: 2000,
    },
    { name: 'longest stream duration', request: { path: '/max' }, upstream: [{ delayMs: 600 }] },
    {
      name: 'grpc-timeout',
      request: {
        method: 'POST',
        path: '/grpc',
        headers: [
          ['content-type', 'application/grpc'],
          ['grpc-timeout', '150m'],
        ],
      },
      upstream: [{ delayMs: 500 }],
    },
  ],
};

const managerTimeouts: Group = {
  name: 'connection manager timeouts',
  config: http({
    hcm: `
request_timeout: 0.3s
request_headers_timeout: 0.2s
stream_idle_timeout: 5s
drain_timeout: 0.1s
delayed_close_timeout: 0.1s
common_http_protocol_options: { idle_timeout: 0.3s }`,
  }),
  rows: [
    { name: 'headers take too long', raw: ['GET / HTTP/1.1\r\nhost: a\r\n'], waitMs: 1500, until: 'closed' },
    {
      name: 'request takes too long',
      raw: ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf'],
      waitMs: 1500,
      until: 'closed',
    },
    { name: 'idle connection with nothing', raw: [''], answers: 0, logLines: 0, waitMs: 1500, until: 'closed' },
    { name: 'idle after a request', request: {}, waitMs: 2000, until: 'closed' },
  ],
};

const retries: Group = {
  name: 'retries',
  config: http(
    {
      hcm: 'use_remote_address: true\ninternal_address_config: { cidr_ranges: [{ address_prefix: 127.0.0.0, prefix_len: 8 }] }',
      routes: `
- { match: { prefix: /5xx }, route: { cluster: one, retry_policy: { retry_on: 5xx, num_retries: 2 } } }
- { match: { prefix: /gateway }, route: { cluster: one, retry_policy: { retry_on: gateway-error } } }
- { match: { prefix: /reset }, route: { cluster: one, retry_policy: { retry_on: reset, num_retries: 3 } } }
- { match: { prefix: /connect }, route: { cluster: half, retry_policy: { retry_on: connect-failure, num_retries: 3 } } }
- { match: { prefix: /dead }, route: { cluster: dead, retry_policy: { retry_on: connect-failure, num_retries: 2 } } }
- { match: { prefix: /codes }, route: { cluster: one, retry_policy: { retry_on: retriable-status-codes, retriable_status_codes: [418, 429], num_retries: 2 } } }
- { match: { prefix: /4xx }, route: { cluster: one, retry_policy: { retry_on: retriable-4xx } } }
- { match: { prefix: /headers }, route: { cluster: one, retry_policy: { retry_on: retriable-headers, retriable_headers: [{ name: x-again, present_match: true }] } } }
- { match: { prefix: /request-headers }, route: { cluster: one, retry_policy: { retry_on: 5xx, retriable_request_headers: [{ name: x-safe, present_match: true }] } } }
- { match: { prefix: /try }, route: { cluster: one, retry_policy: { retry_on: 5xx, num_retries: 2, per_try_timeout: 0.15s } } }
- { match: { prefix: /idle-try }, route: { cluster: one, retry_policy: { retry_on: 5xx, num_retries: 1, per_try_idle_timeout: 0.15s } } }
- { match: { prefix: /whole }, route: { cluster: one, timeout: 0.4s, retry_policy: { retry_on: 5xx, num_retries: 10, retry_back_off: { base_interval: 0.001s, max_interval: 0.001s } } } }
- { match: { prefix: /plain }, route: { cluster: one } }
- { match: { prefix: /count }, route: { cluster: one, retry_policy: { retry_on: 5xx } } }
- { match: { prefix: / }, route: { cluster: one, retry_policy: { retry_on: '5xx,reset,connect-failure,refused-stream' } } }`,
      virtualHost: 'include_request_attempt_count: true\ninclude_attempt_count_in_response: true',
    },
    [cluster('half', ['dead', 'one'])],
  ),
  rows: [
    { name: '503 then 200', request: { path: '/5xx' }, upstream: [{ status: 503 }, {}] },
    { name: 'three times 503', request: { path: '/5xx' }, upstream: [{ status: 503, body: 'no' }] },
    { name: '500 with a request body', request: { path: '/5xx', body: 'again' }, upstream: [{ status: 500 }, {}] },
    {
      name: '500 with a chunked request body',
      request: { path: '/5xx', chunks: ['a', 'gain'] },
      upstream: [{ status: 500 }, {}],
    },
    { name: '404 is none', request: { path: '/5xx' }, upstream: [{ status: 404 }] },
    { name: '5xx covers a reset', request: { path: '/5xx' }, upstream: [{ raw: '', ending: 'reset' }, {}] },
    { name: 'gateway-error 502', request: { path: '/gateway' }, upstream: [{ status: 502 }, {}] },
    { name: 'gateway-error is not 500', request: { path: '/gateway' }, upstream: [{ status: 500 }, {}] },
    {
      name: 'reset twice',
      request: { path: '/reset' },
      upstream: [{ raw: '', ending: 'reset' }, { raw: '', ending: 'reset' }, {}],
    },
    { name: 'reset is not 503', request: { path: '/reset' }, upstream: [{ status: 503 }] },
    {
      name: 'reset after the head is none',
      request: { path: '/reset' },
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf', ending: 'reset' }],
      until: 'closed',
    },
    {
      name: 'connect failure, the other host answers',
      ignores: /attempt|^stats|timeout-ms/,
      request: [{ path: '/connect' }, { path: '/connect' }],
    },
    { name: 'connect failure everywhere', request: { path: '/dead' } },
    { name: 'retriable codes', request: { path: '/codes' }, upstream: [{ status: 418 }, { status: 429 }, {}] },
    { name: 'another code', request: { path: '/codes' }, upstream: [{ status: 500 }] },
    { name: '409', request: { path: '/4xx' }, upstream: [{ status: 409 }, {}] },
    {
      name: 'retriable header',
      request: { path: '/headers' },
      upstream: [{ status: 200, headers: [['x-again', '1']], body: 'no' }, {}],
    },
    {
      name: 'request header allows it',
      request: { path: '/request-headers', headers: [['x-safe', '1']] },
      upstream: [{ status: 503 }, {}],
    },
    { name: 'request header is missing', request: { path: '/request-headers' }, upstream: [{ status: 503 }, {}] },
    { name: 'per-try timeout', request: { path: '/try' }, upstream: [{ delayMs: 500 }, {}] },
    { name: 'per-try timeout of every try', request: { path: '/try' }, upstream: [{ delayMs: 500 }] },
    { name: 'per-try idle timeout', request: { path: '/idle-try' }, upstream: [{ delayMs: 500 }, {}] },
    { name: 'the whole timeout ends retries', request: { path: '/whole' }, upstream: [{ status: 503, delayMs: 300 }] },
    {
      name: 'asked for by headers',
      request: {
        path: '/plain',
        headers: [
          ['x-envoy-retry-on', '5xx'],
          ['x-envoy-max-retries', '2'],
        ],
      },
      upstream: [{ status: 503 }, { status: 503 }, {}],
    },
    {
      name: 'codes asked for by header',
      request: {
        path: '/plain',
        headers: [
          ['x-envoy-retry-on', 'retriable-status-codes'],
          ['x-envoy-retriable-status-codes', '418, 419'],
        ],
      },
      upstream: [{ status: 419 }, {}],
    },
    {
      name: 'per-try timeout asked for by header',
      request: { path: '/count', headers: [['x-envoy-upstream-rq-per-try-timeout-ms', '100']] },
      upstream: [{ delayMs: 400 }, {}],
    },
    {
      name: 'attempt count of the client is replaced',
      request: { path: '/count', headers: [['x-envoy-attempt-count', '9']] },
      upstream: [{ status: 503 }, {}],
    },
    {
      name: 'early 503 while the request is not over',
      raw: ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nab', 150, 'cd'],
      upstream: [{ isEarly: true, status: 503 }, {}],
      logLines: 1,
    },
  ],
};

const breakers: Group = {
  name: 'circuit breakers',
  config: http(
    {
      routes: `
- { match: { prefix: /requests }, route: { cluster: requests } }
- { match: { prefix: /pending }, route: { cluster: pending } }
- { match: { prefix: /retries }, route: { cluster: retries, retry_policy: { retry_on: 5xx, num_retries: 1, retry_back_off: { base_interval: 0.3s, max_interval: 0.3s } } } }
- { match: { prefix: /one-by-one }, route: { cluster: queue } }
- { match: { prefix: / }, route: { cluster: one } }`,
    },
    [
      cluster('requests', ['one'], 'circuit_breakers: { thresholds: [{ max_requests: 1 }] }'),
      cluster(
        'pending',
        ['one'],
        'circuit_breakers: { thresholds: [{ max_connections: 1, max_pending_requests: 1 }] }',
      ),
      cluster('retries', ['one'], 'circuit_breakers: { thresholds: [{ max_retries: 0 }] }'),
      cluster('queue', ['one'], 'circuit_breakers: { thresholds: [{ max_connections: 1 }] }'),
    ],
  ),
  stats: /^(http|cluster)\..*(overflow|rq_total|rq_retry|rq_[0-9]|pending_total|pending_overflow|remaining)/,
  rows: [
    {
      name: 'max_requests',
      request: [{ path: '/requests' }, { path: '/requests' }],
      mode: 'together',
      staggerMs: 80,
      upstream: [{ delayMs: 300 }],
    },
    { name: 'max_requests is free again', request: [{ path: '/requests' }, { path: '/requests' }] },
    {
      name: 'max_pending_requests',
      request: [{ path: '/pending' }, { path: '/pending' }, { path: '/pending' }],
      mode: 'together',
      staggerMs: 80,
      upstream: [{ delayMs: 400 }],
    },
    { name: 'max_retries', request: { path: '/retries' }, upstream: [{ status: 503 }, {}] },
    {
      name: 'max_connections makes a queue',
      request: [{ path: '/one-by-one?1' }, { path: '/one-by-one?2' }, { path: '/one-by-one?3' }],
      mode: 'together',
      staggerMs: 50,
      upstream: [{ delayMs: 200 }, {}],
    },
  ],
};

const pool: Group = {
  name: 'connection pool',
  config: http({}, [
    cluster(
      'one',
      ['one'],
      `
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    common_http_protocol_options: { max_requests_per_connection: 2, idle_timeout: 0.2s }
    explicit_http_config: { http_protocol_options: {} }`,
    ),
  ]),
  rows: [
    { name: 'two requests per connection', request: [{}, {}, {}, {}, {}] },
    { name: 'idle connections are closed', request: [{}, {}], pauseMs: 500 },
  ],
};

export const resilience: readonly Group[] = [timeouts, managerTimeouts, retries, breakers, pool];
