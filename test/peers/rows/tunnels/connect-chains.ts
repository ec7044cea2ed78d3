import { accessLog, cluster, http, tcp, type Yaml } from '../../config.ts';
import type { Group, Request, Row } from '../../row.ts';
import { address, extension, internal, originalDst, raw, tcpTo, types } from './internal.ts';

/** A cluster in front of an internal listener, told where by metadata of its endpoint. */
function behind(name: string, listener: string, local = ''): Yaml {
  const metadata = { filter_metadata: { 'envoy.filters.listener.original_dst': { local } } };
  const endpoint = { address: { envoy_internal_address: { server_listener_name: listener, endpoint_id: local } } };
  return {
    name,
    type: 'STATIC',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint, ...(local === '' ? {} : { metadata }) }] }],
    },
    transport_socket: {
      name: 'internal',
      typed_config: {
        '@type': `${types}extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport`,
        ...(local === ''
          ? {}
          : { passthrough_metadata: [{ kind: { host: {} }, name: 'envoy.filters.listener.original_dst' }] }),
        transport_socket: raw,
      },
    },
  };
}

const overH2: Yaml = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': `${types}extensions.upstreams.http.v3.HttpProtocolOptions`,
      explicit_http_config: { http2_protocol_options: { allow_connect: true } },
    },
  },
};

const stats = /^(listener\.envoy_internal|cluster|http|tcp)\./;

const over: Pick<Row, 'over' | 'waitMs' | 'logLines' | 'ignores'> = {
  over: 'h2',
  waitMs: 700,
  logLines: 1,
  ignores: /^upstream.*complete$/,
};
const chat = (to: string): Request => ({
  method: 'CONNECT',
  host: `127.0.0.1:{{${to}}}`,
  chunks: ['hello', ' world'],
  chunkPauseMs: 150,
});

/** As a waypoint begins: CONNECT ends, an internal listener is told the authority, and goes there. */
const terminated: Group = {
  name: 'CONNECT to an internal listener',
  config: http({
    routes: `
- match: { connect_matcher: {} }
  route: { cluster: main_internal, upgrade_configs: [{ upgrade_type: CONNECT, connect_config: {} }] }`,
    hcm: '{ upgrade_configs: [{ upgrade_type: CONNECT }], http2_protocol_options: { allow_connect: true } }',
    filters: `
- name: connect_authority
  typed_config:
    "@type": ${types}extensions.filters.http.set_filter_state.v3.Config
    on_request_headers: [${address('local_ip', ':authority')}]
`,
    clusters: JSON.stringify([
      behind('main_internal', 'main_internal'),
      { name: 'original', type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED', connect_timeout: '1s' },
    ]),
    listeners: [internal('main_internal', tcpTo('original'), { listener_filters: [originalDst] })],
    bootstrap: extension(),
  }),
  stats,
  rows: [
    { name: 'bytes both ways, and the end of both', ...over, request: chat('echo') },
    { name: 'an answer behind the client’s end', ...over, request: chat('count') },
    { name: 'the origin ends', ...over, request: { ...chat('bye'), isOpen: true } },
    { name: 'two at a time', ...over, mode: 'together', request: [chat('echo'), chat('echo')], logLines: 2 },
  ],
};

/** As it ends: an internal listener is told a destination, and asks for it by CONNECT. */
const originated: Group = {
  name: 'CONNECT from an internal listener',
  config: tcp(
    '{ cluster: encap }',
    [behind('encap', 'connect_originate', '192.0.2.7:8080'), { ...cluster('hbone', ['one']), ...overH2 }],
    {
      listeners: [
        internal(
          'connect_originate',
          tcpTo('hbone', {
            tunneling_config: {
              hostname: '%DOWNSTREAM_LOCAL_ADDRESS%',
              headers_to_add: [{ header: { key: 'x-from', value: '%DOWNSTREAM_REMOTE_ADDRESS%' } }],
            },
            access_log: [accessLog({ json_format: { local: '%DOWNSTREAM_LOCAL_ADDRESS%', host: '%UPSTREAM_HOST%' } })],
          }),
          { listener_filters: [originalDst] },
        ),
      ],
      bootstrap: extension(),
    },
  ),
  stats,
  rows: [
    {
      name: 'bytes both ways',
      raw: ['hello', 150, ' world', 100, 'end'],
      upstream: [{ tunnel: 'echo' }],
      until: 'closed',
      answers: 0,
      waitMs: 1000,
      logLines: 2,
      ignores: /complete$|\.end$/,
    },
    {
      name: 'refused',
      raw: ['hello', 150, 'end'],
      upstream: [{ status: 503 }],
      until: 'closed',
      answers: 0,
      waitMs: 1000,
      logLines: 2,
      ignores: /complete$|\.end$/,
    },
  ],
};

/** The two halves of HBONE around internal listeners. */
export const connectChains: readonly Group[] = [terminated, originated];
