import { cluster, http } from '../../config.ts';
import type { Group } from '../../row.ts';

const kinds = 'type.googleapis.com/envoy.extensions.filters.http';
const codec = `{ name: codec, typed_config: { '@type': ${kinds}.upstream_codec.v3.UpstreamCodec } }`;

/** A filter called `own`. */
const own = (settings: string, more = ''): string =>
  `{ name: own, ${more} typed_config: { '@type': ${kinds}.${settings} } }`;

const chain = (...filters: string[]): string => `[${[...filters, codec].join(', ')}]`;

/** A cluster's options with filters. `protocol`: `http1` unless said. */
const behind = (filters: string, protocol = 'http_protocol_options: {}'): string => `
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    '@type': type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: { ${protocol} }
    http_filters: ${filters}`;

const append = (where: string, name: string, value: string): string =>
  `${where}: [{ append: { header: { key: ${name}, value: '${value}' }, append_action: APPEND_IF_EXISTS_OR_ADD } }]`;

const mutate = (where: string, name: string, value: string): string =>
  own(`header_mutation.v3.HeaderMutation, mutations: { ${append(where, name, value)} }`);

const h2 = 'http2_protocol_options: {}';

const to = (prefix: string, name: string, more = '', filterConfig = ''): string =>
  `- { match: { prefix: /${prefix} }, route: { cluster: ${name}, ${more} } ${filterConfig === '' ? '' : `, typed_per_filter_config: { own: { ${filterConfig} } }`} }`;

const log = ['REQ(X-UP)', 'RESP(X-UP)', 'UPSTREAM_REQUEST_ATTEMPT_COUNT', 'UPSTREAM_HEADER_BYTES_SENT'];
/** What HPACK makes of heads is not the same. */
const packed = { ignores: /UPSTREAM_HEADER_BYTES_SENT/ };

/** Both halves of every message say that the filter has seen them. */
const mutations = `{ ${['request_mutations', 'response_mutations', 'request_trailers_mutations', 'response_trailers_mutations'].map((where) => append(where, 'x-up', 'seen')).join(', ')} }`;
const everywhere = `header_mutation.v3.HeaderMutation, mutations: ${mutations}`;

const perRoute = `'@type': ${kinds}.header_mutation.v3.HeaderMutationPerRoute, mutations: { ${append('request_mutations', 'x-route', 'yes')} }`;
const disabled = `'@type': type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true`;
const enabled = `'@type': type.googleapis.com/envoy.config.route.v3.FilterConfig, config: {}`;

const retrying =
  'retry_policy: { retry_on: "5xx,reset,connect-failure", num_retries: 2, retry_back_off: { base_interval: 0.001s } }';

const denying = (header: string): string =>
  `{ name: guard, typed_config: { '@type': ${kinds}.rbac.v3.RBAC, rules: { action: DENY, policies: { evil: { permissions: [{ header: { name: ${header}, present_match: true } }], principals: [{ any: true }] } } } } }`;

export const upstreamFilters: readonly Group[] = [
  {
    name: 'upstream filters: header_mutation',
    config: http(
      {
        log,
        routes: [
          to('route', 'mutating', '', perRoute),
          to('off', 'mutating', '', disabled),
          to('on', 'sleeping', '', enabled),
          to('asleep', 'sleeping'),
          to('retry', 'mutating', retrying),
          to('gone', 'unreachable', retrying),
          to('h2', 'two', retrying),
          to('bare', 'bare'),
          to('shadowed', 'one', 'request_mirror_policies: [{ cluster: mutating }]'),
          to('', 'mutating'),
        ].join('\n'),
      },
      [
        cluster('mutating', ['one'], behind(chain(own(everywhere)))),
        cluster('sleeping', ['one'], behind(chain(own(everywhere, 'disabled: true,')))),
        cluster('two', ['two'], behind(chain(own(everywhere)), h2)),
        cluster('unreachable', ['dead'], behind(chain(own(everywhere)))),
        cluster('bare', ['one'], behind(chain())),
      ],
    ),
    rows: [
      { name: 'heads', request: { path: '/' } },
      { name: 'twice on one connection', request: [{ path: '/a' }, { path: '/b' }] },
      { name: 'bodies', request: { path: '/', body: 'hello' }, upstream: [{ chunks: ['a', 'b'] }] },
      {
        name: 'over HTTP/2, with trailers',
        over: 'h2',
        ...packed,
        request: { path: '/h2', chunks: ['he', 'llo'], trailers: [['x-t', '1']] },
        upstream: [{ chunks: ['a'], trailers: [['x-t', '2']] }],
      },
      { name: 'of a route', request: { path: '/route' } },
      { name: 'off on a route', request: { path: '/off' } },
      { name: 'off unless a route wants it', request: [{ path: '/asleep' }, { path: '/on' }] },
      { name: 'every try anew', request: { path: '/retry' }, upstream: [{ status: 503 }, {}] },
      {
        name: 'every try anew, with a body',
        request: { path: '/retry', body: 'hello' },
        upstream: [{ status: 503 }, { status: 503 }, {}],
      },
      {
        name: 'every try anew, over HTTP/2',
        over: 'h2',
        ...packed,
        request: { path: '/h2', body: 'hello' },
        upstream: [{ status: 503 }, {}],
      },
      { name: 'no connection', request: { path: '/gone' } },
      { name: 'interim answers', request: { path: '/' }, upstream: [{ interim: [100, 103] }] },
      { name: 'a chain of nothing', request: { path: '/bare' } },
      { name: 'a shadow', request: { path: '/shadowed' } },
      {
        name: 'the upstream resets',
        request: { path: '/' },
        upstream: [{ ending: 'reset', raw: 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab' }],
      },
    ],
  },
  {
    name: 'upstream filters: buffer',
    config: http(
      {
        log,
        routes: [to('h2', 'two', retrying), to('', 'buffering', retrying)].join('\n'),
      },
      [
        cluster('buffering', ['one'], behind(chain(own('buffer.v3.Buffer, max_request_bytes: 10')))),
        cluster('two', ['two'], behind(chain(own('buffer.v3.Buffer, max_request_bytes: 10')), h2)),
      ],
    ),
    rows: [
      { name: 'no body', request: { path: '/' } },
      { name: 'chunks become a length', request: { path: '/', chunks: ['he', 'llo'] } },
      {
        name: 'with trailers',
        over: 'h2',
        ...packed,
        request: { path: '/h2', chunks: ['he', 'llo'], trailers: [['x-t', '1']] },
      },
      { name: 'every try', request: { path: '/', chunks: ['he', 'llo'] }, upstream: [{ status: 503 }, {}] },
      { name: 'too large', request: { path: '/', chunks: ['hello', ' hello'] } },
      {
        name: 'too large, over a connection that is there',
        request: [{ path: '/' }, { path: '/', chunks: ['hello', ' hello'] }],
      },
      { name: 'too large, over HTTP/2', over: 'h2', ...packed, request: { path: '/h2', chunks: ['hello', ' hello'] } },
      {
        name: 'too large, and more is to come',
        raw: ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\nhello', 50, 'hello hello'],
        logLines: 1,
      },
    ],
  },
  {
    name: 'upstream filters: rbac',
    config: http(
      {
        log,
        routes: [to('h2', 'two', retrying), to('', 'guarded', retrying)].join('\n'),
        filters: `[{ name: before, typed_config: { '@type': ${kinds}.header_mutation.v3.HeaderMutation, mutations: { ${append('response_mutations', 'x-down', 'seen')} } } }]`,
      },
      ['guarded', 'two'].map((name) =>
        cluster(
          name,
          [name === 'two' ? 'two' : 'one'],
          behind(
            chain(denying('x-evil'), mutate('response_mutations', 'x-up', 'seen').replace('own', 'after')),
            name === 'two' ? h2 : undefined,
          ),
        ),
      ),
    ),
    rows: [
      { name: 'allowed', request: { path: '/' } },
      { name: 'denied', request: { path: '/', headers: [['x-evil', '1']] } },
      {
        name: 'denied on a connection that is there',
        request: [{ path: '/' }, { path: '/', headers: [['x-evil', '1']] }, { path: '/' }],
      },
      {
        name: 'denied, over HTTP/2',
        over: 'h2',
        ...packed,
        request: [{ path: '/h2' }, { path: '/h2', headers: [['x-evil', '1']] }, { path: '/h2' }],
      },
      {
        name: 'denied, gRPC',
        over: 'h2',
        ...packed,
        request: {
          path: '/h2',
          method: 'POST',
          headers: [
            ['x-evil', '1'],
            ['content-type', 'application/grpc'],
          ],
          body: 'x',
        },
      },
      { name: 'counted', admin: '/stats?filter=rbac' },
    ],
  },
  {
    name: 'upstream filters: of the router',
    config: http(
      {
        log,
        router: `upstream_http_filters: ${chain(mutate('request_mutations', 'x-up', 'router'), denying('x-evil'))}`,
        routes: [to('own', 'mutating'), to('bare', 'bare'), to('', 'one')].join('\n'),
      },
      [
        cluster('mutating', ['one'], behind(chain(mutate('request_mutations', 'x-up', 'cluster')))),
        cluster('bare', ['one'], behind(chain())),
      ],
    ),
    rows: [
      { name: 'a cluster without', request: { path: '/' } },
      { name: 'a cluster with its own', request: { path: '/own' } },
      { name: 'a cluster with none', request: { path: '/bare' } },
      { name: 'denied', request: { path: '/', headers: [['x-evil', '1']] } },
      { name: 'counted', admin: '/stats?filter=rbac' },
    ],
  },
  {
    name: 'upstream filters: other ways',
    config: http(
      {
        log,
        hcm: 'upgrade_configs: [{ upgrade_type: websocket }, { upgrade_type: CONNECT }]',
        filters: `[{ name: match, typed_config: { '@type': type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher, xds_matcher: { matcher_tree: { input: { name: path, typed_config: { '@type': type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput, header_name: x-ask } }, exact_match_map: { map: { 'no': { action: { name: skip, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter } } } } } } }, extension_config: { name: authz, typed_config: { '@type': ${kinds}.ext_authz.v3.ExtAuthz, http_service: { server_uri: { uri: 'http://a.test', cluster: asked, timeout: 2s }, authorization_request: { allowed_headers: { patterns: [{ prefix: x- }] } }, authorization_response: { allowed_upstream_headers: { patterns: [{ exact: x-up }] } } } } } } }]`,
        routes: [
          '- { match: { connect_matcher: {} }, route: { cluster: mutating, upgrade_configs: [{ upgrade_type: CONNECT }] } }',
          to(
            'hedged',
            'two',
            `${retrying.slice(0, -1)}, per_try_timeout: 0.3s }, hedge_policy: { hedge_on_per_try_timeout: true }`,
          ),
          to('slow', 'two', `${retrying.slice(0, -1)}, per_try_timeout: 0.3s }`),
          to('silent', 'silent', 'timeout: 0.3s'),
          to('rewritten', 'mutating', 'auto_host_rewrite: true'),
          to('', 'mutating'),
        ].join('\n'),
      },
      [
        cluster('asked', ['three'], behind(chain(own(everywhere), denying('x-never-asked')))),
        cluster('mutating', ['one'], behind(chain(own(everywhere)))),
        cluster('two', ['two'], behind(chain(own(everywhere)))),
        cluster('silent', ['silent'], `connect_timeout: 5s${behind(chain(own(everywhere)))}`),
      ],
    ),
    rows: [
      { name: 'a call of our own', request: { path: '/', headers: [['x-a', 'b']] } },
      {
        name: 'rules behind the router are for requests of clients',
        request: { path: '/', headers: [['x-never-asked', '1']] },
      },
      ...(['websocket', 'other'] as const).map((type) => ({
        name: `an upgrade to ${type}`,
        // Which end the upstream sees first, an end or a reset, is chance when both sides close at once.
        ignores: /^upstream.*complete$/,
        raw: [
          `GET / HTTP/1.1\r\nhost: a\r\nx-ask: no\r\nconnection: upgrade\r\nupgrade: ${type}\r\n\r\n`,
          100,
          'hello',
          100,
          'end',
        ],
        upstream: [{ tunnel: 'echo' as const }],
        logLines: 1,
      })),
      {
        name: 'a hedged try',
        request: { path: '/hedged', headers: [['x-ask', 'no']] },
        upstream: [{ delayMs: 1500 }, {}],
      },
      {
        name: 'a slow try',
        request: { path: '/slow', headers: [['x-ask', 'no']], body: 'x' },
        upstream: [{ delayMs: 1500 }, {}],
      },
      { name: 'nobody there', request: { path: '/silent', headers: [['x-ask', 'no']] } },
      { name: 'a rewritten host', request: { path: '/rewritten', headers: [['x-ask', 'no']] } },
    ],
  },
];
