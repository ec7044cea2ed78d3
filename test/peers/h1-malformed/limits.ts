import { H, N, get, post, type RequestRow } from './row.ts';

/** Bytes of `get('')`, and of the largest head that passes. */
const base = get('').length;
const size = 60 * 1024;

/** Sizes, counts, Connection and upgrades. */
export const limits: readonly RequestRow[] = [
  {
    name: 'head of exactly 60 KiB',
    bytes: get('X: ' + 'x'.repeat(size - base - 5) + '\r\n'),
    envoy: '200 via_upstream',
  },
  {
    name: 'head one byte below 60 KiB',
    bytes: get('X: ' + 'x'.repeat(size - base - 6) + '\r\n'),
    envoy: '200 via_upstream',
  },
  {
    name: 'head one byte above 60 KiB',
    bytes: get('X: ' + 'x'.repeat(size - base - 4) + '\r\n'),
    envoy: '431 http1.headers_too_large',
  },
  {
    name: 'head of 61 kB without an end',
    bytes: 'GET / HTTP/1.1\r\nX: ' + 'x'.repeat(62000),
    envoy: '431 http1.headers_too_large',
  },
  {
    name: 'target of 61 kB',
    bytes: 'GET /' + 'x'.repeat(62000) + ' HTTP/1.1\r\n' + H + '\r\n',
    envoy: '431 http1.headers_too_large',
  },
  { name: '100 fields', bytes: get('X: y\r\n'.repeat(99)), envoy: '200 via_upstream' },
  { name: '101 fields', bytes: get('X: y\r\n'.repeat(100)), envoy: '431 http1.too_many_headers' },
  {
    name: '101 fields, one dropped for its underscore',
    bytes: get('X: y\r\n'.repeat(99) + 'a_b: c\r\n'),
    envoy: '200 via_upstream',
    variant: 'underscoreDrop',
  },
  {
    name: 'Connection: close, then another request',
    bytes: `GET / HTTP/1.1\r\n${H}Connection: close\r\n\r\n` + N,
    envoy: '200 via_upstream',
  },
  { name: 'pipelined requests', bytes: get('') + N, envoy: '200 via_upstream, 200 via_upstream' },
  {
    name: 'Connection with ten tokens',
    bytes: get('Connection: a, b, c, d, e, f, g, h, i, j\r\n'),
    envoy: '400 http1.connection_header_rejected',
  },
  {
    name: 'Connection with nine tokens',
    bytes: get('Connection: a, b, c, d, e, f, g, h, i\r\n'),
    envoy: '200 via_upstream',
  },
  {
    name: 'Connection names x-forwarded-for',
    bytes: get('Connection: x-forwarded-for\r\n'),
    envoy: '400 http1.connection_header_rejected',
  },
  {
    name: 'Connection names X-Forwarded-Host',
    bytes: get('Connection: X-Forwarded-Host\r\n'),
    envoy: '400 http1.connection_header_rejected',
  },
  {
    name: 'Connection names a pseudo-header',
    bytes: get('Connection: :path\r\n'),
    envoy: '400 http1.connection_header_rejected',
  },
  { name: 'Connection names Host', bytes: get('Connection: host\r\n'), envoy: '400 missing_host_header' },
  {
    name: 'Connection names content-length',
    bytes: post('Connection: content-length\r\nContent-Length: 5\r\n', 'hello'),
    envoy: '200 via_upstream',
  },
  {
    name: 'Connection names TE of 300 bytes',
    bytes: get('Connection: te\r\nTE: ' + 'x'.repeat(300) + '\r\n'),
    envoy: '400 http1.connection_header_rejected',
  },
  {
    name: 'two Connection fields',
    bytes: `GET / HTTP/1.1\r\n${H}Connection: keep-alive\r\nConnection: close\r\n\r\n` + N,
    envoy: '200 via_upstream',
  },
  {
    name: 'Proxy-Connection: close',
    bytes: `GET / HTTP/1.1\r\n${H}Proxy-Connection: close\r\n\r\n` + N,
    envoy: '200 via_upstream',
  },
  {
    name: 'Connection: Close in upper case',
    bytes: `GET / HTTP/1.1\r\n${H}Connection: CLOSE\r\n\r\n` + N,
    envoy: '200 via_upstream',
  },
  { name: 'upgrade refused', bytes: get('Connection: upgrade\r\nUpgrade: foo\r\n'), envoy: '403 upgrade_failed' },
  {
    name: 'upgrade with a body, then another request',
    bytes: post('Connection: upgrade\r\nUpgrade: foo\r\nContent-Length: 5\r\n', 'hello') + N,
    envoy: '403 upgrade_failed',
  },
  {
    name: 'Upgrade without Connection',
    bytes: get('Upgrade: foo\r\n') + N,
    envoy: '200 via_upstream, 200 via_upstream',
  },
  {
    name: 'h2c upgrade',
    bytes: get('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n') + N,
    envoy: '200 via_upstream, 200 via_upstream',
  },
  {
    name: 'Expect: 100-continue',
    bytes: post('Expect: 100-continue\r\nContent-Length: 5\r\n', 'hello'),
    envoy: '200 via_upstream',
  },
  {
    name: 'Expect: unknown',
    bytes: post('Expect: 200-ok\r\nContent-Length: 5\r\n', 'hello'),
    envoy: '200 via_upstream',
  },
  { name: 'half a head', bytes: 'GET / HTTP/1.1\r\nHos', envoy: '-' },
];
