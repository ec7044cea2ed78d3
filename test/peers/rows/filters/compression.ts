import { http, type HttpParts } from '../../config.ts';
import type { Group, Pairs, Request, Row, Step } from '../../row.ts';

export const filters = 'type.googleapis.com/envoy.extensions.filters.http';
export const libraries = 'type.googleapis.com/envoy.extensions.compression';

/** Bytes that two compressors need not make alike. */
const sizes = /(sent|received)$|total_compressed_bytes/;

function library(format: string, settings = ''): string {
  const type = `${format[0].toUpperCase()}${format.slice(1)}`;
  return `compressor_library: { name: ${format}er, typed_config: { '@type': ${libraries}.${format}.compressor.v3.${type}${settings} } }`;
}

function compressor(name: string, format: string, settings = '', ofLibrary = ''): string {
  return `- { name: ${name}, typed_config: { '@type': ${filters}.compressor.v3.Compressor, ${library(format, ofLibrary)}${settings} } }`;
}

function compressed(name: string, chain: readonly string[], rows: readonly Row[], parts: HttpParts = {}): Group {
  return {
    name: `compressor: ${name}`,
    config: http({ filters: chain.join('\n'), ...parts }),
    rows: rows.map((row) => ({ ignores: sizes, ...row })),
  };
}

export const text = 'a body that says the same again and again and again and again and again. '.repeat(4);

/** Asks with this `accept-encoding`. */
export const accepting = (encoding: string, more: Partial<Request> = {}): Request => ({
  path: '/',
  headers: [['accept-encoding', encoding]],
  ...more,
});

export const answer = (headers: Pairs = [['content-type', 'text/plain']], more: Step = {}): readonly Step[] => [
  { headers, body: text, ...more },
];

export const plain: readonly [string, string] = ['content-type', 'text/plain'];

const routes = (config: string): string => `
- { match: { prefix: /own }, route: { cluster: one }, typed_per_filter_config: { gz: { '@type': ${filters}.compressor.v3.CompressorPerRoute, ${config} } } }
- { match: { prefix: / }, route: { cluster: one } }`;

const noBody = 'what is said in a tunnel is no body, and must arrive as it was said';

const responses: readonly Row[] = [
  { name: 'a text', request: accepting('gzip'), upstream: answer() },
  { name: 'over HTTP/2', over: 'h2', request: accepting('gzip'), upstream: answer() },
  {
    name: 'in chunks, with trailers',
    over: 'h2',
    request: accepting('gzip'),
    upstream: [{ headers: [plain], chunks: [text, text, text], trailers: [['x-t', '1']] }],
  },
  { name: 'chunks that are short', request: accepting('gzip'), upstream: [{ headers: [plain], chunks: ['a', 'b'] }] },
  { name: 'no accept-encoding', request: { path: '/' }, upstream: answer() },
  { name: 'an empty accept-encoding', request: accepting(''), upstream: answer() },
  { name: 'too short', request: accepting('gzip'), upstream: [{ headers: [plain], body: 'a short one' }] },
  { name: 'exactly long enough', request: accepting('gzip'), upstream: [{ headers: [plain], body: 'x'.repeat(30) }] },
  { name: 'no body', request: accepting('gzip'), upstream: [{ headers: [plain], body: '' }] },
  { name: 'HEAD', request: accepting('gzip', { method: 'HEAD' }), upstream: answer() },
  { name: '204', request: accepting('gzip'), upstream: [{ status: 204, headers: [] }] },
  { name: '304', request: accepting('gzip'), upstream: [{ status: 304, headers: [['etag', '"a"']] }] },
  { name: 'an image', request: accepting('gzip'), upstream: answer([['content-type', 'image/png']]) },
  { name: 'no type', request: accepting('gzip'), upstream: answer([]) },
  {
    name: 'a type with a parameter, in capitals',
    request: accepting('gzip'),
    upstream: answer([['content-type', 'Text/HTML ; charset=utf-8']]),
  },
  { name: 'encoded already', request: accepting('gzip'), upstream: answer([plain, ['content-encoding', 'br']]) },
  {
    name: 'no-transform',
    request: accepting('gzip'),
    upstream: answer([plain, ['cache-control', 'max-age=1, No-Transform']]),
  },
  { name: 'a strong etag', request: accepting('gzip'), upstream: answer([plain, ['etag', '"abc"']]) },
  { name: 'a weak etag', request: accepting('gzip'), upstream: answer([plain, ['etag', 'W/"abc"']]) },
  { name: 'a weak etag in small letters', request: accepting('gzip'), upstream: answer([plain, ['etag', 'w/"abc"']]) },
  { name: 'a vary', request: accepting('gzip'), upstream: answer([plain, ['vary', 'Origin']]) },
  {
    name: 'a vary that has it',
    request: accepting('gzip'),
    upstream: answer([plain, ['vary', 'Origin, accept-encoding']]),
  },
  { name: 'a vary of all', request: accepting('gzip'), upstream: answer([plain, ['vary', '*']]) },
  { name: '404', request: accepting('gzip'), upstream: answer([plain], { status: 404 }) },
  { name: 'an answer of our own', request: accepting('gzip', { path: '/direct' }) },
  ...[
    '*',
    'identity',
    'deflate',
    'gzip;q=0',
    'gzip;q=0, *',
    '*;q=0',
    'GZIP',
    'gzip;q=x',
    'gzip;q=0.001',
    'identity, gzip',
    'gzip;q=0.5, identity;q=0.4',
    ' gzip ; q = 1 ',
    'gzip;x=0',
    'gzip;q=-1',
    ', ,gzip',
  ].map((encoding): Row => ({
    name: `accept-encoding: ${encoding}`,
    request: accepting(encoding),
    upstream: answer(),
  })),
];

export const compression: readonly Group[] = [
  compressed('gzip', [compressor('gz', 'gzip')], responses, {
    routes: `
- { match: { prefix: /direct }, direct_response: { status: 200, body: { inline_string: ${text.trim()} } } }
- { match: { prefix: / }, route: { cluster: one } }`,
  }),
  compressed(
    'status',
    [
      compressor(
        'gz',
        'gzip',
        ', response_direction_config: { status_header_enabled: true, disable_on_etag_header: true, uncompressible_response_codes: [404] }',
      ),
      compressor('br', 'brotli', ', response_direction_config: { status_header_enabled: true }'),
    ],
    [
      { name: 'compressed', request: accepting('gzip'), upstream: answer() },
      { name: 'compressed by the other', request: accepting('br'), upstream: answer() },
      { name: 'both', request: accepting('gzip, br'), upstream: answer() },
      { name: 'both, the other first', request: accepting('br, gzip'), upstream: answer() },
      { name: 'neither', request: accepting('zstd'), upstream: answer() },
      { name: 'nothing asked', request: { path: '/' }, upstream: answer() },
      { name: 'chunks', request: accepting('gzip'), upstream: [{ headers: [plain], chunks: [text] }] },
      { name: 'too short', request: accepting('gzip'), upstream: [{ headers: [plain], body: 'a short one' }] },
      { name: 'an image', request: accepting('gzip'), upstream: answer([['content-type', 'image/png']]) },
      { name: 'an etag', request: accepting('gzip'), upstream: answer([plain, ['etag', '"a"']]) },
      { name: 'a code', request: accepting('gzip'), upstream: answer([plain], { status: 404 }) },
      {
        name: 'a code and an image',
        request: accepting('gzip'),
        upstream: answer([['content-type', 'image/png']], { status: 404 }),
      },
      { name: 'encoded already', request: accepting('gzip'), upstream: answer([plain, ['content-encoding', 'br']]) },
      {
        name: 'no-transform',
        request: accepting('gzip'),
        upstream: answer([plain, ['cache-control', 'no-transform']]),
      },
      { name: 'no body', request: accepting('gzip'), upstream: [{ headers: [plain], body: '' }] },
      { name: 'HEAD', request: accepting('gzip', { method: 'HEAD' }), upstream: answer() },
      { name: 'nothing asked, an image', request: { path: '/' }, upstream: answer([['content-type', 'image/png']]) },
      {
        name: 'nothing asked, too short',
        request: { path: '/' },
        upstream: [{ headers: [plain], body: 'a short one' }],
      },
      { name: 'identity, an etag', request: accepting('identity'), upstream: answer([plain, ['etag', '"a"']]) },
      {
        name: 'no-transform and an etag',
        request: accepting('gzip'),
        upstream: answer([plain, ['cache-control', 'no-transform'], ['etag', '"a"']]),
      },
      {
        name: 'encoded already, and a code',
        request: accepting('gzip'),
        upstream: answer([plain, ['content-encoding', 'br']], { status: 404 }),
      },
      {
        name: 'the header was there',
        request: accepting('gzip'),
        upstream: answer([plain, ['x-envoy-compression-status', 'x']]),
      },
    ],
  ),
  compressed(
    'settings',
    [
      compressor(
        'gz',
        'gzip',
        ', request_direction_config: {}, response_direction_config: { common_config: { min_content_length: 5, content_type: [Text/Own] }, weaken_etag_on_compress: true, disable_on_etag_header: true, remove_accept_encoding_header: true }',
        ', compression_level: BEST_SPEED, compression_strategy: HUFFMAN_ONLY, window_bits: 9, memory_level: 1, chunk_size: 8192',
      ),
    ],
    [
      {
        name: 'a type of its own, short',
        request: accepting('gzip'),
        upstream: [{ headers: [['content-type', 'text/own']], body: 'short' }],
      },
      { name: 'another type', request: accepting('gzip'), upstream: answer() },
      {
        name: 'an etag becomes weak',
        request: accepting('gzip'),
        upstream: answer([
          ['content-type', 'text/own'],
          ['etag', '"abc"'],
        ]),
      },
      {
        name: 'an empty etag',
        request: accepting('gzip'),
        upstream: answer([
          ['content-type', 'text/own'],
          ['etag', '""'],
        ]),
      },
      { name: 'a request with a length', request: { path: '/', headers: [plain], body: text } },
      { name: 'a request in chunks', request: { path: '/', headers: [plain], chunks: [text, text] } },
      {
        name: 'a request with trailers',
        over: 'h2',
        request: { path: '/', headers: [plain], chunks: [text, text], trailers: [['x-t', '1']] },
      },
      { name: 'a short request', request: { path: '/', headers: [plain], body: 'short' } },
      {
        name: 'a request of another type',
        request: { path: '/', headers: [['content-type', 'image/png']], body: text },
      },
      {
        name: 'a request that is encoded already',
        request: { path: '/', headers: [plain, ['content-encoding', 'x']], body: text },
      },
      {
        name: 'off here',
        request: accepting('gzip', { path: '/own', body: text }),
        upstream: answer([['content-type', 'text/own']]),
      },
    ],
    { routes: routes('disabled: true') },
  ),
  compressed(
    'routes',
    [
      compressor(
        'gz',
        'gzip',
        ', response_direction_config: { common_config: { enabled: { default_value: false, runtime_key: compressing } } }',
      ),
    ],
    [
      { name: 'off', request: accepting('gzip'), upstream: answer() },
      { name: 'on here, without the header', request: accepting('gzip', { path: '/own' }), upstream: answer() },
    ],
    { routes: routes('overrides: { response_direction_config: { remove_accept_encoding_header: true } }') },
  ),
  compressed(
    'library of a route',
    [compressor('gz', 'gzip')],
    [
      { name: 'gzip', request: accepting('gzip, br'), upstream: answer() },
      { name: 'brotli here', request: accepting('br', { path: '/own' }), upstream: answer() },
      { name: 'brotli here, gzip is asked for', request: accepting('gzip', { path: '/own' }), upstream: answer() },
      { name: 'brotli here, both are asked for', request: accepting('gzip, br', { path: '/own' }), upstream: answer() },
    ],
    { routes: routes(`overrides: { ${library('brotli')} }`) },
  ),
  compressed(
    'brotli and zstd',
    [
      compressor(
        'br',
        'brotli',
        '',
        ', quality: 5, encoder_mode: TEXT, window_bits: 16, input_block_bits: 18, disable_literal_context_modeling: true',
      ),
      compressor('zs', 'zstd', ', choose_first: true', ', compression_level: 5, enable_checksum: true, strategy: LAZY'),
    ],
    [
      { name: 'brotli', request: accepting('br'), upstream: answer() },
      { name: 'zstd', request: accepting('zstd'), upstream: answer() },
      { name: 'both', request: accepting('br, zstd'), upstream: answer() },
      { name: 'brotli more', request: accepting('br, zstd;q=0.9'), upstream: answer() },
      { name: 'any', request: accepting('*'), upstream: answer() },
      { name: 'any but zstd', request: accepting('zstd;q=0, *'), upstream: answer() },
      { name: 'zstd in chunks', request: accepting('zstd'), upstream: [{ headers: [plain], chunks: [text, text] }] },
      { name: 'brotli in chunks', request: accepting('br'), upstream: [{ headers: [plain], chunks: [text, text] }] },
    ],
  ),
  compressed(
    'tunnels',
    [compressor('gz', 'gzip', ', request_direction_config: {}')],
    [
      {
        name: 'a WebSocket',
        // Which end the upstream sees first, an end or a reset, is chance when both sides close at once.
        ignores: /^upstream.*complete$|(sent|received)$|total_compressed_bytes/,
        raw: [
          'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\naccept-encoding: gzip\r\n\r\n',
          100,
          'a message that is long enough to be compressed',
          100,
          'end',
        ],
        upstream: [{ tunnel: 'echo' }],
      },
      {
        name: 'a CONNECT',
        differs: { client: noBody, upstream: noBody, stats: noBody },
        raw: ['CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\naccept-encoding: gzip\r\n\r\n', 100, text, 100, 'end'],
        upstream: [{ tunnel: 'echo' }],
      },
    ],
    {
      hcm: 'upgrade_configs: [{ upgrade_type: websocket }, { upgrade_type: CONNECT }]',
      routes: `
- { match: { connect_matcher: {} }, route: { cluster: one } }
- { match: { prefix: / }, route: { cluster: one } }`,
    },
  ),
  compressed(
    'of old',
    [
      `- { name: gz, typed_config: { '@type': ${filters}.compressor.v3.Compressor, ${library('gzip')}, content_length: 5, content_type: [text/old], disable_on_etag_header: true, remove_accept_encoding_header: true, runtime_enabled: { default_value: true, runtime_key: x } } }`,
    ],
    [
      {
        name: 'a type',
        request: accepting('gzip'),
        upstream: [{ headers: [['content-type', 'text/old']], body: 'short' }],
      },
      {
        name: 'an etag',
        request: accepting('gzip'),
        upstream: answer([
          ['content-type', 'text/old'],
          ['etag', '"a"'],
        ]),
      },
    ],
  ),
];
