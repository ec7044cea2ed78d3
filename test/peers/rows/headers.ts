import { http } from '../config.ts';
import type { Group } from '../row.ts';

const levels: Group = {
  name: 'header mutations',
  config: http({
    virtualHosts: `
- name: all
  domains: ['*']
  request_headers_to_add:
  - { header: { key: x-level, value: vhost } }
  - { header: { key: x-over, value: vhost }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }
  response_headers_to_add:
  - { header: { key: x-level, value: vhost } }
  - { header: { key: x-over, value: vhost }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }
  response_headers_to_remove: [x-secret]
  request_headers_to_remove: [x-drop]
  routes:
  - match: { path: /levels }
    route: { cluster: one }
    request_headers_to_add:
    - { header: { key: x-level, value: route } }
    - { header: { key: x-over, value: route }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }
    response_headers_to_add:
    - { header: { key: x-level, value: route } }
    - { header: { key: x-over, value: route }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }
  - match: { path: /actions }
    route: { cluster: one }
    request_headers_to_add:
    - { header: { key: x-append, value: added }, append_action: APPEND_IF_EXISTS_OR_ADD }
    - { header: { key: x-absent, value: added }, append_action: ADD_IF_ABSENT }
    - { header: { key: x-overwrite, value: added }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }
    - { header: { key: x-exists, value: added }, append_action: OVERWRITE_IF_EXISTS }
    - { header: { key: x-empty, value: '%REQ(x-none)%' } }
    - { header: { key: x-kept, value: '%REQ(x-none)%' }, keep_empty_value: true }
  - match: { path: /operators }
    route: { cluster: one }
    request_headers_to_add:
    - { header: { key: x-o-remote, value: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' } }
    - { header: { key: x-o-local, value: '%DOWNSTREAM_LOCAL_ADDRESS%' } }
    - { header: { key: x-o-local-port, value: ':%DOWNSTREAM_LOCAL_PORT%' } }
    - { header: { key: x-o-protocol, value: '%PROTOCOL%' } }
    - { header: { key: x-o-req, value: 'a=%REQ(x-a)% b=%REQ(x-b?x-a)% len=%REQ(x-long):3%' } }
    - { header: { key: x-o-path, value: '%REQ(:path)% %REQ(:METHOD)% %REQ(:authority)%' } }
    - { header: { key: x-o-route, value: '%ROUTE_NAME% %VIRTUAL_CLUSTER_NAME%' } }
    - { header: { key: x-o-percent, value: '100%%' } }
    - { header: { key: x-o-cluster, value: '%UPSTREAM_CLUSTER%' } }
    - { header: { key: x-o-host, value: '%HOSTNAME%' } }
    - { header: { key: x-o-start, value: '%START_TIME(%Y)%' } }
    - { header: { key: x-o-xrid, value: '%REQ(x-request-id)%' } }
    - { header: { key: x-o-meta, value: '%METADATA(ROUTE:a:b)%' } }
    response_headers_to_add:
    - { header: { key: x-o-code, value: '%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %RESPONSE_FLAGS%' } }
    - { header: { key: x-o-upstream, value: '%UPSTREAM_HOST% %UPSTREAM_CLUSTER%' } }
    - { header: { key: x-o-resp, value: '%RESP(x-up)% %RESP(:status)%' } }
    - { header: { key: x-o-remote, value: '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%' } }
    metadata: { filter_metadata: { a: { b: meta } } }
    name: operators
  - match: { path: /remove }
    route: { cluster: one }
    request_headers_to_remove: [x-a, X-B, user-agent, x-forwarded-proto]
    response_headers_to_remove: [x-a, server, x-envoy-upstream-service-time]
  - match: { path: /local }
    direct_response: { status: 403, body: { inline_string: no } }
  - match: { prefix: / }
    route: { cluster: one }
`,
    routeConfig: `
request_headers_to_add:
- { header: { key: x-level, value: config } }
- { header: { key: x-over, value: config }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }
response_headers_to_add:
- { header: { key: x-level, value: config } }
- { header: { key: x-over, value: config }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }
`,
  }),
  rows: [
    { name: 'three levels, in order', request: { path: '/levels', headers: [['x-level', 'client']] } },
    {
      name: 'removed in both directions',
      request: { path: '/levels', headers: [['x-drop', '1']] },
      upstream: [
        {
          headers: [
            ['x-secret', 's'],
            ['x-level', 'upstream'],
          ],
        },
      ],
    },
    {
      name: 'append actions on what is there',
      request: {
        path: '/actions',
        headers: [
          ['x-append', 'c'],
          ['x-absent', 'c'],
          ['x-overwrite', 'c'],
          ['x-overwrite', 'd'],
          ['x-exists', 'c'],
        ],
      },
    },
    { name: 'append actions on what is not', request: { path: '/actions' } },
    {
      name: 'operators',
      request: {
        path: '/operators',
        headers: [
          ['x-a', '1'],
          ['x-long', 'abcdef'],
        ],
      },
      upstream: [{ headers: [['x-up', 'u']], body: 'b' }],
    },
    {
      name: 'headers removed by name in any case',
      request: {
        path: '/remove',
        headers: [
          ['X-A', '1'],
          ['x-b', '2'],
          ['User-Agent', 'ua'],
        ],
      },
      upstream: [
        {
          headers: [
            ['X-A', '1'],
            ['server', 'origin'],
          ],
        },
      ],
    },
    { name: 'local answers get response headers too', request: { path: '/local' } },
    { name: 'no route gets none', request: { path: '/levels', host: '' } },
    {
      name: 'order and case of what passes through',
      request: {
        path: '/plain',
        headers: [
          ['X-Zeta', '1'],
          ['Accept', '*/*'],
          ['x-alpha', '2'],
          ['X-Zeta', '3'],
          ['Cookie', 'a=1'],
          ['Cookie', 'b=2'],
        ],
      },
      upstream: [
        {
          headers: [
            ['X-Second', '2'],
            ['Set-Cookie', 'a=1'],
            ['x-first', '1'],
            ['Set-Cookie', 'b=2'],
          ],
          body: 'x',
        },
      ],
      isOrdered: true,
    },
  ],
};

const specific: Group = {
  name: 'most specific header mutation wins',
  config: http({
    virtualHost: `
request_headers_to_add: [{ header: { key: x-over, value: vhost }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }]
response_headers_to_add: [{ header: { key: x-level, value: vhost } }]`,
    routes: `
- match: { prefix: / }
  route: { cluster: one }
  request_headers_to_add: [{ header: { key: x-over, value: route }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }]
  response_headers_to_add: [{ header: { key: x-level, value: route } }]`,
    routeConfig: `
most_specific_header_mutations_wins: true
request_headers_to_add: [{ header: { key: x-over, value: config }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }]
response_headers_to_add: [{ header: { key: x-level, value: config } }]`,
  }),
  rows: [{ name: 'levels', request: {} }],
};

const hopByHop: Group = {
  name: 'hop-by-hop headers',
  config: http({}),
  rows: [
    {
      name: 'Connection names a header',
      request: {
        headers: [
          ['connection', 'x-a, keep-alive'],
          ['x-a', '1'],
          ['x-b', '2'],
        ],
      },
    },
    {
      name: 'keep-alive, proxy-connection, te',
      request: {
        headers: [
          ['keep-alive', 'timeout=5'],
          ['proxy-connection', 'keep-alive'],
          ['te', 'gzip'],
          ['proxy-authorization', 'x'],
          ['trailer', 'x-t'],
        ],
      },
    },
    { name: 'te: trailers stays', request: { headers: [['te', 'trailers']] } },
    {
      name: 'upgrade without a configured upgrade',
      request: {
        headers: [
          ['connection', 'upgrade'],
          ['upgrade', 'websocket'],
        ],
      },
    },
    {
      name: 'h2c upgrade is ignored',
      request: {
        headers: [
          ['connection', 'Upgrade, HTTP2-Settings'],
          ['upgrade', 'h2c'],
          ['http2-settings', 'AAMAAABkAAQAAP__'],
        ],
      },
    },
    {
      name: 'the upstream closes',
      request: [{}, {}],
      upstream: [{ headers: [['connection', 'close']], body: 'bye' }, { body: 'again' }],
    },
    {
      name: 'hop-by-hop of the response',
      request: {},
      upstream: [
        {
          headers: [
            ['connection', 'x-a'],
            ['x-a', '1'],
            ['keep-alive', 'timeout=5'],
            ['proxy-authenticate', 'Basic'],
            ['upgrade', 'h2c'],
          ],
          body: '',
        },
      ],
    },
    { name: 'the client closes', request: { headers: [['connection', 'close']] }, until: 'closed' },
    { name: 'Connection: Close in capitals', request: { headers: [['Connection', 'CLOSE']] }, until: 'closed' },
    {
      name: 'server and date of the upstream',
      request: {},
      upstream: [
        {
          headers: [
            ['server', 'origin/1'],
            ['date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
          ],
          body: 'x',
        },
      ],
    },
  ],
};

const upperCase: Group = {
  name: 'proper-case headers',
  config: http({
    hcm: 'http_protocol_options: { header_key_format: { proper_case_words: {} } }',
  }),
  rows: [{ name: 'response', request: {}, upstream: [{ headers: [['x-some-thing', '1']], body: 'x' }] }],
};

export const headers: readonly Group[] = [levels, specific, hopByHop, upperCase];
