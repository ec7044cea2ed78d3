import { http, type Yaml } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { proxyProtocol } from './chains.ts';

/** A listener that answers with its name, and binds nothing. */
function behind(name: string, host: string, port: number): Yaml {
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: name,
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            {
              match: { prefix: '/' },
              direct_response: { status: 200, body: { inline_string: name } },
              response_headers_to_add: ['DOWNSTREAM_LOCAL_ADDRESS', 'DOWNSTREAM_REMOTE_ADDRESS'].map((operator) => ({
                header: { key: operator.toLowerCase(), value: `%${operator}%` },
              })),
            },
          ],
        },
      ],
    },
    http_filters: [
      {
        name: 'r',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  return {
    name,
    address: { socket_address: { address: host, port_value: port } },
    bind_to_port: false,
    filter_chains: [{ filters: [{ name: 'h', typed_config: manager }] }],
  };
}

const config = (handsOver: boolean): string => {
  const text = http({
    listener: JSON.stringify({ listener_filters: [proxyProtocol()], use_original_dst: handsOver }),
  });
  const others = [
    behind('exact', '10.4.5.6', 443),
    behind('any', '0.0.0.0', 443),
    behind('six', '2001:db8::2', 443),
    behind('any-six', '::', 8443),
  ];
  // YAML takes JSON wherever a value stands.
  return text.replace(
    /^ {2}clusters:/m,
    `${others.map((one) => `    - ${JSON.stringify(one)}\n`).join('')}  clusters:`,
  );
};

const to = (name: string, family: string, ends: string): Row => ({
  name,
  raw: `PROXY ${family} ${ends}\r\nGET /x HTTP/1.1\r\nhost: a\r\n\r\n`,
  logLines: name.startsWith('to nobody') || name === 'not redirected' ? 1 : 0,
});

const stats = /^listener\..*(downstream_cx_(total|active|overflow)|no_filter_chain)|^http\..*downstream_rq_2xx/;

const rows: readonly Row[] = [
  to('to a listener', 'TCP4', '10.1.2.3 10.4.5.6 1000 443'),
  to('to any address of a port', 'TCP4', '10.1.2.3 10.4.5.7 1000 443'),
  to('to nobody: kept', 'TCP4', '10.1.2.3 10.4.5.6 1000 80'),
  to('to an IPv6 listener', 'TCP6', '2001:db8::1 2001:db8::2 1000 443'),
  to('to nobody of IPv6: kept', 'TCP6', '2001:db8::1 2001:db8::3 1000 443'),
  to('to any address of IPv6', 'TCP6', '2001:db8::1 2001:db8::3 1000 8443'),
  { name: 'not redirected', raw: 'PROXY UNKNOWN\r\nGET /x HTTP/1.1\r\nhost: a\r\n\r\n', logLines: 1 },
];

const originalSrc = {
  name: 'o',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.listener.original_src.v3.OriginalSrc',
    mark: 7,
  },
};

/** Where options of sockets are not permitted, nobody is served by either. */
const from: readonly Row[] = [
  to('not redirected', 'TCP4', '127.0.0.8 127.0.0.1 1000 80'),
  to('not redirected', 'TCP4', '127.0.0.9 127.0.0.1 1000 80'),
  to('not redirected', 'TCP6', '2001:db8::1 2001:db8::2 1000 80'),
];

export const redirected: readonly Group[] = [
  {
    name: 'listener: upstreams see the client',
    config: http({ listener: JSON.stringify({ listener_filters: [proxyProtocol(), originalSrc] }) }),
    stats: /^cluster\.one\.(bind|upstream_cx_(total|connect_fail|destroy))/,
    rows: from.map((row, i) => ({ ...row, name: ['from an address', 'from another', 'of the other family'][i] })),
  },
  {
    name: 'listener: transparent and freebind',
    config: http({ listener: JSON.stringify({ transparent: false, freebind: true }) }),
    rows: [{ name: 'a request', request: {} }],
  },
  { name: 'listener: use_original_dst', config: config(true), stats, rows },
  {
    name: 'listener: bind_to_port false without use_original_dst',
    config: config(false),
    stats,
    rows: [{ ...to('to nobody else', 'TCP4', '10.1.2.3 10.4.5.6 1000 443'), logLines: 1 }],
  },
];
