import { cluster, http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const socket = (host: string): string => `{ address: '${host}', port_value: 0 }`;
const bound = (own: string, extra = ''): string =>
  `{ upstream_bind_config: { source_address: ${socket(own)}${extra} } }`;

const at = 'level: 6, name: 9';
/** TCP_USER_TIMEOUT. */
const userTimeout = '{ level: 6, name: 18, int_value: 30000 }';
/** Still open: no socket of TCP has it. */
const wrong = '{ level: 6, name: 9999, int_value: 1';

const cases: readonly (readonly [name: string, settings: string])[] = [
  ['plain', '{}'],
  ['own', bound('127.0.0.9')],
  ['any', bound('0.0.0.0')],
  ['extra', bound('127.0.0.9', `, extra_source_addresses: [{ address: ${socket('::1')} }]`)],
  ['extra-of-the-family', bound('::1', `, extra_source_addresses: [{ address: ${socket('127.0.0.8')} }]`)],
  ['additional', bound('::1', `, additional_source_addresses: [${socket('127.0.0.7')}]`)],
  ['not-ours', bound('192.0.2.99')],
  [
    'keep-alive',
    '{ upstream_connection_options: { tcp_keepalive: { keepalive_probes: 3, keepalive_time: 30, keepalive_interval: 5 } } }',
  ],
  ['options', `{ upstream_bind_config: { source_address: ${socket('127.0.0.5')}, socket_options: [${userTimeout}] } }`],
  [
    'options-alone',
    `{ upstream_bind_config: { freebind: true, socket_options: [{ ${at}, buf_value: AQAAAA==, state: STATE_BOUND }] } }`,
  ],
  ['options-of-nobody', `{ upstream_bind_config: { socket_options: [${wrong}, type: { datagram: {} } }] } }`],
  ['options-for-listeners', `{ upstream_bind_config: { socket_options: [${wrong}, state: STATE_LISTENING }] } }`],
  ['options-of-ipv6', `{ upstream_bind_config: { socket_options: [${wrong}, ip_version: SOCKET_IP_VERSION_IPV6 }] } }`],
  ['unknown-option', `{ upstream_bind_config: { socket_options: [${wrong} }] } }`],
  ['unknown-option-of-an-address', bound('127.0.0.9', `, socket_options: [${wrong}, state: STATE_BOUND }]`)],
  ['unknown-option-bound', `{ upstream_bind_config: { socket_options: [${wrong}, state: STATE_BOUND }] } }`],
  [
    'options-of-the-other-family',
    bound(
      '127.0.0.9',
      `, extra_source_addresses: [{ address: ${socket('::1')}, socket_options: { socket_options: [${wrong} }] } }]`,
    ),
  ],
  [
    'options-of-this-family',
    bound(
      '::1',
      `, extra_source_addresses: [{ address: ${socket('127.0.0.8')}, socket_options: { socket_options: [${wrong} }] } }]`,
    ),
  ],
  ['keep-alive-of-the-kernel', '{ upstream_connection_options: { tcp_keepalive: {} } }'],
];

function group(name: string, bootstrap: string): Group {
  return {
    name: `source addresses: ${name}`,
    config: http(
      {
        routes: cases.map(([one]) => `- { match: { prefix: /${one}/ }, route: { cluster: ${one} } }`).join('\n'),
        log: ['UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT'],
        bootstrap,
      },
      cases.map(([one, settings]) => cluster(one, ['one'], settings)),
    ),
    rows: cases.map(([one]): Row => ({ name: one, request: { path: `/${one}/` } })),
  };
}

/** What a listener's socket is told. */
const ofListener: Group = {
  name: 'source addresses: options of a listener',
  config: http({
    routes: '[{ match: { prefix: / }, route: { cluster: one } }]',
    listener: `socket_options: [${userTimeout}, { ${at}, int_value: 1, state: STATE_LISTENING }]
tcp_keepalive: { keepalive_probes: 3, keepalive_time: 30, keepalive_interval: 5 }
tcp_fast_open_queue_length: 5`,
  }),
  rows: [{ name: 'serves', request: { path: '/' } }],
};

/** Groups about where connections to upstreams come from. */
export const sourceAddresses: readonly Group[] = [
  ofListener,
  group('of a cluster', '{}'),
  group('of all clusters', `{ cluster_manager: ${bound('127.0.0.6')} }`),
];
