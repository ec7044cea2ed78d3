import { http } from '../config.ts';
import type { Group } from '../row.ts';

const fault: Group = {
  name: 'fault',
  config: http({
    filters: `
- name: envoy.filters.http.fault
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault
    delay: { header_delay: {}, percentage: { numerator: 100, denominator: HUNDRED } }
    abort: { header_abort: {}, percentage: { numerator: 100, denominator: HUNDRED } }`,
    routes: `
- match: { path: /abort }
  route: { cluster: one }
  typed_per_filter_config:
    envoy.filters.http.fault: { '@type': type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, abort: { http_status: 555, percentage: { numerator: 100, denominator: HUNDRED } } }
- match: { path: /grpc }
  route: { cluster: one }
  typed_per_filter_config:
    envoy.filters.http.fault: { '@type': type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, abort: { grpc_status: 5, percentage: { numerator: 100, denominator: HUNDRED } } }
- match: { path: /both }
  route: { cluster: one }
  typed_per_filter_config:
    envoy.filters.http.fault: { '@type': type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, delay: { fixed_delay: 0.1s, percentage: { numerator: 1000000, denominator: MILLION } }, abort: { http_status: 500, percentage: { numerator: 100, denominator: HUNDRED } } }
- match: { path: /only-some }
  route: { cluster: one }
  typed_per_filter_config:
    envoy.filters.http.fault: { '@type': type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, headers: [{ name: x-some, present_match: true }], upstream_cluster: one, abort: { http_status: 418, percentage: { numerator: 100, denominator: HUNDRED } } }
- match: { path: /other-cluster }
  route: { cluster: one }
  typed_per_filter_config:
    envoy.filters.http.fault: { '@type': type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, upstream_cluster: two, abort: { http_status: 418, percentage: { numerator: 100, denominator: HUNDRED } } }
- match: { path: /off }
  route: { cluster: one }
  typed_per_filter_config:
    envoy.filters.http.fault: { '@type': type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true, config: {} }
- { match: { prefix: / }, route: { cluster: one } }`,
  }),
  rows: [
    { name: 'nothing asked', request: { path: '/x' } },
    { name: 'abort by header', request: { path: '/x', headers: [['x-envoy-fault-abort-request', '418']] } },
    {
      name: 'abort by header, impossible status',
      request: { path: '/x', headers: [['x-envoy-fault-abort-request', '42']] },
    },
    {
      name: 'abort by header at 0 %',
      request: {
        path: '/x',
        headers: [
          ['x-envoy-fault-abort-request', '418'],
          ['x-envoy-fault-abort-request-percentage', '0'],
        ],
      },
    },
    {
      name: 'gRPC abort by header',
      request: {
        path: '/x',
        method: 'POST',
        headers: [
          ['content-type', 'application/grpc'],
          ['x-envoy-fault-abort-grpc-request', '7'],
        ],
      },
    },
    { name: 'delay by header', request: { path: '/x', headers: [['x-envoy-fault-delay-request', '100']] } },
    {
      name: 'delay and abort by header',
      request: {
        path: '/x',
        headers: [
          ['x-envoy-fault-delay-request', '50'],
          ['x-envoy-fault-abort-request', '503'],
        ],
      },
    },
    { name: 'abort of the route', request: { path: '/abort' } },
    { name: 'abort of the route with a body', request: { path: '/abort', body: 'x' } },
    {
      name: 'gRPC status of the route',
      request: { path: '/grpc', method: 'POST', headers: [['content-type', 'application/grpc']] },
    },
    { name: 'gRPC status for plain HTTP', request: { path: '/grpc' } },
    { name: 'delay, then abort', request: { path: '/both' } },
    { name: 'header is missing', request: { path: '/only-some' } },
    { name: 'header and cluster fit', request: { path: '/only-some', headers: [['x-some', '1']] } },
    { name: 'another cluster', request: { path: '/other-cluster' } },
    { name: 'switched off by the route', request: { path: '/off', headers: [['x-envoy-fault-abort-request', '418']] } },
    {
      name: 'client goes while it is delayed',
      raw: ['GET /x HTTP/1.1\r\nhost: a\r\nx-envoy-fault-delay-request: 500\r\n\r\n', 100, 'reset'],
      logLines: 1,
    },
  ],
};

const cors: Group = {
  name: 'cors',
  config: http({
    filters: `[{ name: envoy.filters.http.cors, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors } }]`,
    virtualHost: `
typed_per_filter_config:
  envoy.filters.http.cors:
    '@type': type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
    allow_origin_string_match: [{ exact: 'https://a.test' }, { suffix: .b.test }, { safe_regex: { regex: 'https://c\\d\\.test' } }]
    allow_methods: GET, POST
    allow_headers: x-a, x-b
    expose_headers: x-e
    max_age: '600'
    allow_credentials: true`,
    routes: `
- match: { prefix: /shadow }
  route: { cluster: one }
  typed_per_filter_config:
    envoy.filters.http.cors:
      '@type': type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
      allow_origin_string_match: [{ exact: 'https://a.test' }]
      filter_enabled: { default_value: { numerator: 0 } }
      shadow_enabled: { default_value: { numerator: 100 } }
- match: { prefix: /private }
  route: { cluster: one }
  typed_per_filter_config:
    envoy.filters.http.cors:
      '@type': type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
      allow_origin_string_match: [{ prefix: 'https://' }]
      allow_private_network_access: true
      forward_not_matching_preflights: false
- { match: { prefix: / }, route: { cluster: one } }`,
  }),
  rows: [
    { name: 'no origin', request: {} },
    { name: 'allowed origin', request: { headers: [['origin', 'https://a.test']] } },
    { name: 'allowed by suffix', request: { headers: [['origin', 'https://x.b.test']] } },
    { name: 'allowed by regex', request: { headers: [['origin', 'https://c7.test']] } },
    { name: 'other origin', request: { headers: [['origin', 'https://evil.test']] } },
    {
      name: 'preflight',
      request: {
        method: 'OPTIONS',
        headers: [
          ['origin', 'https://a.test'],
          ['access-control-request-method', 'POST'],
          ['access-control-request-headers', 'x-a'],
        ],
      },
    },
    {
      name: 'preflight of another origin',
      request: {
        method: 'OPTIONS',
        headers: [
          ['origin', 'https://evil.test'],
          ['access-control-request-method', 'POST'],
        ],
      },
    },
    { name: 'OPTIONS that is no preflight', request: { method: 'OPTIONS', headers: [['origin', 'https://a.test']] } },
    {
      name: 'upstream sends its own',
      request: { headers: [['origin', 'https://a.test']] },
      upstream: [
        {
          headers: [
            ['access-control-allow-origin', '*'],
            ['access-control-expose-headers', 'own'],
          ],
          body: 'x',
        },
      ],
    },
    { name: 'shadow', request: { path: '/shadow', headers: [['origin', 'https://a.test']] } },
    {
      name: 'private network',
      request: {
        method: 'OPTIONS',
        path: '/private',
        headers: [
          ['origin', 'https://z.test'],
          ['access-control-request-method', 'GET'],
          ['access-control-request-private-network', 'true'],
        ],
      },
    },
  ],
};

const mutation = (action: string, key: string, value: string) =>
  `{ append: { header: { key: ${key}, value: '${value}' }, append_action: ${action} } }`;

const headerMutation: Group = {
  name: 'header_mutation',
  config: http({
    filters: `
- name: envoy.filters.http.header_mutation
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
    mutations:
      request_mutations: [${mutation('APPEND_IF_EXISTS_OR_ADD', 'x-a', 'filter')}, { remove: x-gone }, ${mutation('ADD_IF_ABSENT', 'x-absent', 'f')}, ${mutation('OVERWRITE_IF_EXISTS', 'x-exists', '%REQ(x-a)%')}]
      response_mutations: [${mutation('OVERWRITE_IF_EXISTS_OR_ADD', 'x-r', 'filter %RESPONSE_CODE%')}, { remove: x-up }]`,
    routes: `
- match: { prefix: /route }
  route: { cluster: one }
  typed_per_filter_config:
    envoy.filters.http.header_mutation:
      '@type': type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute
      mutations:
        request_mutations: [${mutation('APPEND_IF_EXISTS_OR_ADD', 'x-a', 'route')}]
        response_mutations: [${mutation('APPEND_IF_EXISTS_OR_ADD', 'x-r', 'route')}]
- { match: { prefix: /direct }, direct_response: { status: 200, body: { inline_string: d } } }
- { match: { prefix: / }, route: { cluster: one } }`,
    virtualHost: `
typed_per_filter_config:
  envoy.filters.http.header_mutation:
    '@type': type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute
    mutations: { request_mutations: [${mutation('APPEND_IF_EXISTS_OR_ADD', 'x-a', 'vhost')}] }`,
  }),
  rows: [
    {
      name: 'filter and virtual host',
      request: {
        headers: [
          ['x-a', 'client'],
          ['x-gone', '1'],
          ['x-exists', '1'],
        ],
      },
      upstream: [
        {
          headers: [
            ['x-up', '1'],
            ['x-r', 'up'],
          ],
          body: 'x',
        },
      ],
    },
    { name: 'route', request: { path: '/route' } },
    { name: 'direct response', request: { path: '/direct' } },
    { name: 'no route', request: { path: '', host: 'none.test' } },
  ],
};

const disabled: Group = {
  name: 'disabled filter',
  config: http({
    filters: `
- name: envoy.filters.http.fault
  disabled: true
  typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, abort: { http_status: 418, percentage: { numerator: 100, denominator: HUNDRED } } }`,
    routes: `
- match: { prefix: /on }
  route: { cluster: one }
  typed_per_filter_config:
    envoy.filters.http.fault: { '@type': type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault, abort: { http_status: 419, percentage: { numerator: 100, denominator: HUNDRED } } }
- { match: { prefix: / }, route: { cluster: one } }`,
  }),
  rows: [
    { name: 'stays off', request: { path: '/off' } },
    { name: 'a route brings it back', request: { path: '/on' } },
  ],
};

export const filters: readonly Group[] = [fault, cors, headerMutation, disabled];
