import { cluster, http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const socket = (host: string): string => `{ address: '${host}', port_value: 0 }`;
const bound = (own: string, extra = ''): string =>
  `{ upstream_bind_config: { source_address: ${socket(own)}${extra} } }`;

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

/** Groups about where connections to upstreams come from. */
export const sourceAddresses: readonly Group[] = [
  group('of a cluster', '{}'),
  group('of all clusters', `{ cluster_manager: ${bound('127.0.0.6')} }`),
];
