import { accessLog, cluster, http, router } from '../config.ts';
import type { Group, Row } from '../row.ts';

const fields = 'connection: Upgrade\r\nupgrade: websocket\r\n';
const ask = (path = '/', more = fields): string => `GET ${path} HTTP/1.1\r\nhost: test.local\r\n${more}\r\n`;
const connect = 'CONNECT a.test:443 HTTP/1.1\r\nhost: a.test:443\r\n\r\n';
/** Whether a close becomes a reset is a race of unread bytes. */
const closed: Pick<Row, 'until' | 'waitMs' | 'logLines' | 'ignores'> = {
  until: 'closed',
  waitMs: 1000,
  logLines: 1,
  ignores: /complete$|\.end$|delayed_close_timeout/,
};
const echo = { upstream: [{ tunnel: 'echo' }], ...closed } as const;

const addHeader = (name: string): object => ({
  name: `add-${name}`,
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation',
    mutations: {
      request_mutations: [{ append: { header: { key: `x-${name}`, value: '1' } } }],
      response_mutations: [{ append: { header: { key: `x-${name}`, value: '2' } } }],
    },
  },
});

const fault = (abort: string): object => ({
  name: 'envoy.filters.http.fault',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
    ...(JSON.parse(abort) as object),
  },
});

const off = (name: string): string => `
  typed_per_filter_config:
    ${name}: { "@type": type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true, config: {} }`;

const chains: Group = {
  name: 'upgrades through filters of their own',
  config: http({
    hcm: `upgrade_configs: ${JSON.stringify([
      { upgrade_type: 'websocket', filters: [addHeader('own'), router('suppress_envoy_headers: true')] },
      { upgrade_type: 'other' },
      { upgrade_type: 'WAITING', enabled: false, filters: [addHeader('waiting'), router()] },
    ])}`,
    filters: JSON.stringify([addHeader('usual')]),
    routes: `
- match: { prefix: /off }
  route: { cluster: one }
${off('add-own')}
- { match: { prefix: /on }, route: { cluster: one, upgrade_configs: [{ upgrade_type: waiting }, { upgrade_type: third }] } }
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: / }, route: { cluster: one } }`,
  }),
  rows: [
    { name: 'their filters and router', raw: [ask(), 150, 'hello', 100, 'end'], ...echo },
    {
      name: 'the usual filters',
      raw: [ask('/', fields.replace('websocket', 'other')), 150, 'hello', 100, 'end'],
      ...echo,
    },
    { name: 'the usual filters for a plain request', raw: ask('/', ''), until: 'answered' },
    { name: 'their filter is off on the route', raw: [ask('/off'), 150, 'end'], ...echo },
    { name: 'off until a route allows it', raw: [ask('/', fields.replace('websocket', 'waiting'))], ...closed },
    { name: 'a route allows it', raw: [ask('/on', fields.replace('websocket', 'Waiting')), 150, 'end'], ...echo },
    {
      name: 'a route allows what the manager does not know',
      raw: [ask('/on', fields.replace('websocket', 'third')), 150, 'end'],
      ...echo,
    },
    { name: 'refused upstream through them', raw: [ask('/dead')], ...closed },
  ],
};

const faults: Group = {
  name: 'upgrades and faults',
  config: http({
    hcm: 'upgrade_configs: [{ upgrade_type: websocket }, { upgrade_type: CONNECT }]',
    filters: JSON.stringify([
      fault(
        '{"headers":[{"name":"x-abort","present_match":true}],"abort":{"http_status":418,"percentage":{"numerator":100}}}',
      ),
      {
        ...fault(
          '{"headers":[{"name":"x-delay","present_match":true}],"delay":{"fixed_delay":"0.2s","percentage":{"numerator":100}}}',
        ),
        name: 'delay',
      },
    ]),
    routes:
      '[{ match: { connect_matcher: {} }, route: { cluster: one } }, { match: { prefix: / }, route: { cluster: one } }]',
  }),
  rows: [
    { name: 'aborted', raw: [ask('/', `${fields}x-abort: 1\r\n`), 'early'], ...closed },
    { name: 'delayed', raw: [ask('/', `${fields}x-delay: 1\r\n`), 'early', 500, 'end'], ...echo },
    { name: 'CONNECT aborted', raw: [connect.replace('\r\n\r\n', '\r\nx-abort: 1\r\n\r\n')], ...closed },
    {
      name: 'CONNECT delayed',
      raw: [connect.replace('\r\n\r\n', '\r\nx-delay: 1\r\n\r\n'), 'early', 500, 'end'],
      ...echo,
    },
  ],
};

const options: Group = {
  name: 'upgrades and options of the connection manager',
  config: http({
    hcm: `
upgrade_configs: [{ upgrade_type: websocket }, { upgrade_type: TLS/1.0 }]
http_protocol_options: { ignore_http_11_upgrade: [{ prefix: TLS/ }], accept_http_10: true, header_key_format: { proper_case_words: {} } }
stream_idle_timeout: 0.5s
request_timeout: 0.3s
local_reply_config: { mappers: [{ filter: { status_code_filter: { comparison: { value: { default_value: 403, runtime_key: a } } } }, status_code: 426, body: { inline_string: never } }] }`,
  }),
  rows: [
    { name: 'ignored', raw: [ask('/', 'connection: upgrade\r\nupgrade: TLS/1.2\r\n')], until: 'answered' },
    { name: 'one of several', raw: [ask('/', 'connection: upgrade\r\nupgrade: websocket, TLS/1.2\r\n')], ...closed },
    {
      name: 'two fields',
      raw: [ask('/', 'connection: upgrade\r\nupgrade: websocket\r\nupgrade: other\r\n')],
      ...closed,
    },
    { name: 'proper case', raw: [ask(), 150, 'end'], ...echo, isOrdered: true },
    { name: 'HTTP/1.0', raw: [ask().replace('HTTP/1.1', 'HTTP/1.0'), 150, 'hello', 100, 'end'], ...echo },
    { name: 'request_timeout', raw: [ask()], upstream: [{ tunnel: 'echo', delayMs: 450 }], ...closed },
    { name: 'stream_idle_timeout', raw: [ask()], ...echo },
    { name: 'a local reply is mapped', raw: [ask('/', fields.replace('websocket', 'other'))], ...closed },
    {
      name: 'connection: close beside',
      raw: [ask('/', fields.replace('Upgrade', 'close, Upgrade')), 150, 'hello', 100, 'end'],
      ...echo,
    },
    { name: 'an expectation', raw: [ask('/', `${fields}expect: 100-continue\r\n`), 150, 'end'], ...echo },
    { name: 'OPTIONS', raw: [ask().replace('GET', 'OPTIONS'), 150, 'end'], ...echo },
    { name: 'HEAD', raw: [ask().replace('GET', 'HEAD'), 150, 'end'], ...echo },
  ],
};

const moments: Group = {
  name: 'upgrades are logged when they begin',
  config: http(
    {
      hcm: `
upgrade_configs: [{ upgrade_type: websocket }, { upgrade_type: CONNECT }]
access_log_options: { flush_log_on_tunnel_successfully_established: true }
access_log: ${JSON.stringify([accessLog({ json_format: { type: '%ACCESS_LOG_TYPE%', code: '%RESPONSE_CODE%', sent: '%BYTES_SENT%' } })])}`,
      routes: `
- { match: { connect_matcher: {}, headers: [{ name: x-end, present_match: true }] }, route: { cluster: echo, upgrade_configs: [{ upgrade_type: CONNECT, connect_config: {} }] } }
- { match: { connect_matcher: {} }, route: { cluster: one } }
- { match: { prefix: / }, route: { cluster: one } }`,
    },
    [cluster('echo', ['echo'])],
  ),
  rows: [
    { name: 'WebSocket', raw: [ask(), 150, 'hello', 100, 'end'], ...echo, logLines: 2 },
    { name: 'CONNECT', raw: [connect, 150, 'hello', 100, 'end'], ...echo, logLines: 2 },
    {
      name: 'CONNECT that ends',
      raw: [connect.replace('\r\n\r\n', '\r\nx-end: 1\r\n\r\n'), 150, 'hello', 100, 'end'],
      ...closed,
      logLines: 2,
    },
    { name: 'CONNECT that is refused', raw: [connect], upstream: [{ status: 403 }], ...closed },
  ],
};

export const upgrades: readonly Group[] = [chains, faults, options, moments];
