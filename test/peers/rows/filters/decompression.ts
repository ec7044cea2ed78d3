import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { http } from '../../config.ts';
import type { Group, Pairs, Row, Step } from '../../row.ts';
import { accepting, answer, filters, libraries, plain, text } from './compression.ts';

function decompressor(format: string, settings = '', ofLibrary = ''): string {
  const type = `${format[0].toUpperCase()}${format.slice(1)}`;
  return `- { name: un${format}, typed_config: { '@type': ${filters}.decompressor.v3.Decompressor, decompressor_library: { name: ${format}er, typed_config: { '@type': ${libraries}.${format}.decompressor.v3.${type}${ofLibrary} } }${settings} } }`;
}

function decompressed(name: string, chain: readonly string[], rows: readonly Row[]): Group {
  return { name: `decompressor: ${name}`, config: http({ filters: chain.join('\n') }), rows };
}

const outermost =
  'the encoding named last is the outermost (RFC 9110 section 8.4), and what is decoded is that one; Envoy looks at the first';
const noPiece =
  'the end of a body is no piece of it, in which a broken encoding could be found, and counted, once more';

const everything = (reason: string): Record<string, string> => ({ client: reason, log: reason, stats: reason });

const latin1 = (bytes: Buffer): string => bytes.toString('latin1');

const gzipped = latin1(gzipSync(text));
const brotlied = latin1(brotliCompressSync(text));
const zstded = latin1(zstdCompressSync(text));
const zeros = Buffer.alloc(300_000);
const packedZeros = latin1(gzipSync(zeros));
const brotliZeros = latin1(brotliCompressSync(zeros));
const zstdZeros = latin1(zstdCompressSync(zeros));

/** An answer that is encoded already. */
const packed = (body: string, headers: Pairs = [['content-encoding', 'gzip']]): readonly Step[] => [
  { headers: [plain, ...headers], body },
];

export const decompression: readonly Group[] = [
  decompressed(
    'gzip',
    [decompressor('gzip')],
    [
      { name: 'a response', request: { path: '/' }, upstream: packed(gzipped) },
      { name: 'a response over HTTP/2', over: 'h2', request: { path: '/' }, upstream: packed(gzipped) },
      {
        name: 'a response with trailers',
        over: 'h2',
        request: { path: '/' },
        upstream: [
          {
            headers: [plain, ['content-encoding', 'gzip']],
            chunks: [gzipped.slice(0, 20), gzipped.slice(20)],
            trailers: [['x-t', '1']],
          },
        ],
      },
      { name: 'HEAD', request: { path: '/', method: 'HEAD' }, upstream: packed(gzipped) },
      { name: 'not encoded', request: { path: '/' }, upstream: answer() },
      { name: 'encoded otherwise', request: { path: '/' }, upstream: packed(gzipped, [['content-encoding', 'br']]) },
      { name: 'in capitals', request: { path: '/' }, upstream: packed(gzipped, [['content-encoding', 'GZIP']]) },
      {
        name: 'encoded twice',
        differs: everything(outermost),
        request: { path: '/' },
        upstream: packed(gzipped, [['content-encoding', 'br, gzip']]),
      },
      {
        name: 'encoded twice, gzip inside',
        differs: everything(outermost),
        request: { path: '/' },
        upstream: packed(gzipped, [['content-encoding', 'gzip, br']]),
      },
      {
        name: 'two fields',
        differs: everything(outermost),
        request: { path: '/' },
        upstream: packed(gzipped, [
          ['content-encoding', 'br'],
          ['content-encoding', 'gzip'],
        ]),
      },
      {
        name: 'no-transform',
        request: { path: '/' },
        upstream: packed(gzipped, [
          ['content-encoding', 'gzip'],
          ['cache-control', 'no-transform'],
        ]),
      },
      { name: 'no gzip at all', request: { path: '/' }, upstream: packed(text) },
      { name: 'broken off', request: { path: '/' }, upstream: packed(gzipped.slice(0, -12)) },
      { name: 'something behind it', request: { path: '/' }, upstream: packed(`${gzipped}and more`) },
      { name: 'unfolds to too much', request: { path: '/' }, upstream: packed(packedZeros) },
      { name: 'a request', request: { path: '/', headers: [['content-encoding', 'gzip']], body: gzipped } },
      {
        name: 'a request over HTTP/2 with trailers',
        over: 'h2',
        request: { path: '/', headers: [['content-encoding', 'gzip']], chunks: [gzipped], trailers: [['x-t', '1']] },
      },
      {
        name: 'a request with no-transform',
        request: {
          path: '/',
          headers: [
            ['content-encoding', 'gzip'],
            ['cache-control', 'no-transform'],
          ],
          body: gzipped,
        },
      },
      ...['br', 'gzip', 'br, gzip;q=0.5, x ,, y', 'GZIP', ''].map((encoding): Row => ({
        name: `accept-encoding: ${encoding}`,
        request: accepting(encoding),
      })),
    ],
  ),
  decompressed(
    'settings',
    [
      decompressor(
        'gzip',
        ', request_direction_config: { advertise_accept_encoding: false, common_config: { enabled: { default_value: false, runtime_key: x } } }, response_direction_config: { common_config: { ignore_no_transform_header: true } }',
        ', window_bits: 15, max_inflate_ratio: 1000, chunk_size: 8192',
      ),
    ],
    [
      { name: 'nothing is advertised', request: { path: '/' }, upstream: packed(gzipped) },
      {
        name: 'no-transform means nothing',
        request: { path: '/' },
        upstream: packed(gzipped, [
          ['content-encoding', 'gzip'],
          ['cache-control', 'no-transform'],
        ]),
      },
      {
        name: 'requests stay as they are',
        request: { path: '/', headers: [['content-encoding', 'gzip']], body: gzipped },
      },
      { name: 'what unfolds to much', request: { path: '/' }, upstream: packed(packedZeros) },
    ],
  ),
  decompressed(
    'brotli and zstd',
    [decompressor('zstd'), decompressor('brotli')],
    [
      { name: 'brotli', request: { path: '/' }, upstream: packed(brotlied, [['content-encoding', 'br']]) },
      { name: 'zstd', request: { path: '/' }, upstream: packed(zstded, [['content-encoding', 'zstd']]) },
      {
        name: 'no brotli',
        differs: { stats: noPiece },
        request: { path: '/' },
        upstream: packed(text, [['content-encoding', 'br']]),
      },
      { name: 'no zstd', request: { path: '/' }, upstream: packed(text, [['content-encoding', 'zstd']]) },
      {
        name: 'brotli with something behind it',
        differs: { stats: noPiece },
        request: { path: '/' },
        upstream: packed(`${brotlied}and more`, [['content-encoding', 'br']]),
      },
      {
        name: 'zstd with something behind it',
        request: { path: '/' },
        upstream: packed(`${zstded}and more`, [['content-encoding', 'zstd']]),
      },
      {
        name: 'brotli that unfolds to too much',
        differs: everything(noPiece),
        request: { path: '/' },
        upstream: packed(brotliZeros, [['content-encoding', 'br']]),
      },
      {
        name: 'zstd that unfolds to too much',
        request: { path: '/' },
        upstream: packed(zstdZeros, [['content-encoding', 'zstd']]),
      },
      {
        name: 'one in the other',
        differs: everything(outermost),
        request: { path: '/' },
        upstream: packed(latin1(brotliCompressSync(zstdCompressSync(text))), [['content-encoding', 'zstd, br']]),
      },
    ],
  ),
];
