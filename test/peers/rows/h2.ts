import { http } from '../config.ts';
import type { Group, Row } from '../row.ts';

const routes = `
- { match: { path: /direct }, direct_response: { status: 200, body: { inline_string: direct } } }
- { match: { path: /empty }, direct_response: { status: 204 } }
- { match: { path: /away }, redirect: { path_redirect: /there } }
- { match: { path: /nowhere }, route: { cluster: dead } }
- { match: { prefix: / }, route: { cluster: one } }`;

const many = (count: number): (readonly [string, string])[] =>
  Array.from({ length: count }, (_, index) => [`x-h-${index}`, 'v']);

const over = (rows: readonly Omit<Row, 'over'>[]): Row[] => rows.map((row) => ({ over: 'h2', ...row }));

const messages: Group = {
  name: 'HTTP/2 to HTTP/1.1',
  config: http({ routes }),
  rows: over([
    { name: 'GET', request: {} },
    { name: 'POST with a length', request: { body: 'hello' } },
    { name: 'POST in chunks', request: { chunks: ['hel', 'lo'], chunkPauseMs: 20 } },
    { name: 'POST of nothing', request: { method: 'POST', body: '' } },
    { name: 'POST that ends with its head', request: { method: 'POST', chunks: [] } },
    { name: 'GET with a body', request: { method: 'GET', body: 'why' } },
    { name: '200 KB up', request: { body: 'u'.repeat(200_000) } },
    { name: '200 KB down', request: {}, upstream: [{ body: 'd'.repeat(200_000) }] },
    { name: 'HEAD with a length', request: { method: 'HEAD' }, upstream: [{ body: '12345' }] },
    { name: '204', request: {}, upstream: [{ status: 204, body: '' }] },
    {
      name: '304 with a length',
      request: {},
      upstream: [{ raw: 'HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\netag: "x"\r\n\r\n' }],
    },
    { name: 'empty 200', request: {}, upstream: [{ body: '' }] },
    { name: 'chunked answer', request: {}, upstream: [{ chunks: ['one ', 'two ', 'three'] }] },
    {
      name: 'close-delimited answer',
      request: {},
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\nx-a: 1\r\n\r\nuntil the end', ending: 'close' }],
    },
    {
      name: 'hop-by-hop fields stay behind',
      request: {},
      upstream: [
        {
          raw: 'HTTP/1.1 200 OK\r\nconnection: keep-alive, x-a\r\nkeep-alive: timeout=5\r\nx-a: 1\r\nproxy-connection: close\r\nupgrade: h2c\r\ncontent-length: 0\r\n\r\n',
        },
      ],
    },
    { name: '103 goes through', request: {}, upstream: [{ interim: [103], body: 'x' }] },
    { name: 'expect: 100-continue', request: { headers: [['expect', '100-continue']], body: 'body' } },
    {
      name: 'expect on a direct response',
      request: { path: '/direct', headers: [['expect', '100-continue']], body: 'body' },
    },
    {
      name: 'cookies are joined',
      request: {
        headers: [
          ['cookie', 'a=1'],
          ['x-between', 'y'],
          ['cookie', 'b=2'],
          ['cookie', 'c=3'],
        ],
      },
    },
    { name: 'te: trailers', request: { headers: [['te', 'trailers']] } },
    {
      name: 'repeats and empty values',
      request: {
        headers: [
          ['x-a', '1'],
          ['x-a', '2'],
          ['x-empty', ''],
        ],
      },
      isOrdered: true,
    },
    {
      name: 'set-cookie and vary down',
      request: {},
      upstream: [
        {
          headers: [
            ['Content-Type', 'a/b'],
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2'],
            ['X-Mixed', 'Case'],
          ],
          body: 'x',
        },
      ],
    },
    { name: 'latin1 in a value', request: { headers: [['x-latin', 'caf\xe9']] } },
    { name: 'no authority', request: { host: null } },
    { name: 'host in place of the authority', request: { host: null, headers: [['host', 'from.host']] } },
    { name: 'host beside the authority', request: { headers: [['host', 'from.host']] } },
    { name: 'scheme https on plaintext', request: { scheme: 'https' } },
    { name: 'scheme of another kind', request: { scheme: 'ftp' } },
    { name: 'an unknown method', request: { method: 'PURGE' } },
    { name: 'a lower-case method', request: { method: 'get' } },
    { name: 'OPTIONS *', request: { method: 'OPTIONS', path: '*' } },
    { name: 'CONNECT', request: { method: 'CONNECT', host: 'a.test:443' } },
    { name: 'a fragment in the path', request: { path: '/x#y' } },
    { name: 'direct response', request: { path: '/direct' } },
    { name: 'direct response without a body', request: { path: '/empty' } },
    { name: 'direct response to HEAD', request: { path: '/direct', method: 'HEAD' } },
    {
      name: 'direct response before the request ends',
      request: { path: '/direct', chunks: ['half'], isOpen: true, method: 'POST' },
    },
    { name: 'redirect', request: { path: '/away' } },
    { name: 'an upstream that refuses', request: { path: '/nowhere' } },
    { name: 'three in turn', request: [{ path: '/1' }, { path: '/2', body: 'x' }, { path: '/3' }] },
    {
      name: 'three at once',
      request: [{ path: '/1' }, { path: '/2', body: 'x' }, { path: '/direct' }],
      mode: 'together',
      staggerMs: 30,
    },
    {
      name: 'answer before the end of the request',
      request: { method: 'POST', chunks: ['half'], isOpen: true },
      upstream: [{ isEarly: true, status: 403, body: 'stop' }],
    },
    {
      name: 'the client cancels while the upstream thinks',
      request: { chunks: ['x'], chunkPauseMs: 100, resetCode: 8, method: 'POST' },
      upstream: [{ delayMs: 300, isEarly: true }],
      // node:http2 ends the request in front of its RST_STREAM; who forwards that first is a race.
      ignores: /^upstream\[0\]\.(body|complete)/,
    },
    {
      name: 'the client gives up with another code',
      request: { chunks: ['x'], chunkPauseMs: 100, resetCode: 2, method: 'POST' },
      upstream: [{ delayMs: 300, isEarly: true }],
      // node:http2 ends the request in front of its RST_STREAM; who forwards that first is a race.
      ignores: /^upstream\[0\]\.(body|complete)/,
    },
    { name: 'the upstream breaks off in its head', request: {}, upstream: [{ raw: 'HTTP/1.1 200', ending: 'close' }] },
    {
      name: 'the upstream breaks off in its body',
      request: {},
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf', ending: 'reset' }],
    },
    { name: 'the upstream is no HTTP', request: {}, upstream: [{ raw: 'SMTP ready\r\n', ending: 'close' }] },
    { name: '101 headers', request: { headers: many(101) } },
    { name: '50 KB of headers', request: { path: '/direct', headers: [['x-big', 'b'.repeat(50_000)]] } },
    { name: '62 KB of headers', request: { path: '/direct', headers: [['x-big', 'b'.repeat(62_000)]] } },
    { name: 'upgrade by extended CONNECT', request: { method: 'CONNECT', protocol: 'websocket', path: '/ws' } },
  ]),
};

export const h2: readonly Group[] = [messages];
