import { http } from '../config.ts';
import type { Group, Row } from '../row.ts';

const websocket = 'upgrade_configs: [{ upgrade_type: websocket }]';
const fields =
  'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n';
const ask = (path = '/', more = fields): string => `GET ${path} HTTP/1.1\r\nhost: test.local\r\n${more}\r\n`;
/** Whether a close becomes a reset is a race of unread bytes. */
const closed: Pick<Row, 'until' | 'waitMs' | 'logLines' | 'ignores'> = {
  until: 'closed',
  waitMs: 1500,
  logLines: 1,
  ignores: /complete$|\.end$/,
};

const overHttp1: Group = {
  name: 'WebSocket over HTTP/1.1',
  config: http({
    hcm: websocket,
    routes: `
- { match: { prefix: /no }, route: { cluster: one, upgrade_configs: [{ upgrade_type: websocket, enabled: false }] } }
- { match: { prefix: /direct }, direct_response: { status: 200, body: { inline_string: direct } } }
- { match: { prefix: /away }, redirect: { path_redirect: /there } }
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: /nocluster }, route: { cluster_header: x-none } }
- { match: { prefix: /retry }, route: { cluster: one, retry_policy: { retry_on: '5xx,reset', num_retries: 2 } } }
- { match: { prefix: /timeout }, route: { cluster: one, timeout: 0.3s } }
- { match: { prefix: /idle }, route: { cluster: one, idle_timeout: 0.3s } }
- { match: { prefix: /duration }, route: { cluster: one, max_stream_duration: { max_stream_duration: 0.4s } } }
- { match: { prefix: /x }, route: { cluster: one } }
- { match: { path: / }, route: { cluster: one } }`,
  }),
  rows: [
    {
      name: 'bytes both ways',
      raw: [ask(), 150, 'hello', 150, ' world', 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'bytes together with the head',
      raw: [`${ask()}early`, 100, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'bytes before the answer',
      raw: [ask(), 20, 'early', 300, 'end'],
      upstream: [{ tunnel: 'echo', delayMs: 150 }],
      ...closed,
    },
    { name: 'the upstream speaks first', raw: [ask(), 100, 'end'], upstream: [{ tunnel: 'greet' }], ...closed },
    {
      name: 'the client half-closes and the upstream answers',
      raw: [ask(), 150, '12345', 'end'],
      upstream: [{ tunnel: 'count' }],
      ...closed,
    },
    { name: 'the upstream closes', raw: [ask(), 150, 'hello'], upstream: [{ tunnel: 'bye' }], ...closed },
    { name: 'the upstream resets', raw: [ask(), 150, 'hello'], upstream: [{ tunnel: 'slam' }], ...closed },
    { name: 'the client resets', raw: [ask(), 150, 'hello', 150, 'reset'], upstream: [{ tunnel: 'echo' }], ...closed },
    {
      name: 'lower-case connection',
      raw: [ask('/', fields.replace('Upgrade', 'upgrade')), 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'keep-alive beside upgrade',
      raw: [ask('/', fields.replace('Upgrade', 'keep-alive, Upgrade')), 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'WebSocket in other case',
      raw: [ask('/', fields.replace(': websocket', ': WebSocket')), 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'connection names a field besides',
      raw: [ask('/', `${fields.replace('Upgrade', 'Upgrade, x-a')}x-a: 1\r\n`), 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'a length',
      raw: [ask('/', `${fields}content-length: 5\r\n`), 'hello', 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'chunked',
      raw: [ask('/', `${fields}transfer-encoding: chunked\r\n`), '5\r\nhello\r\n0\r\n\r\n', 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'POST',
      raw: [ask().replace('GET', 'POST'), 150, 'hello', 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: '101 with fields of its own',
      raw: [ask(), 150, 'end'],
      upstream: [
        {
          tunnel: 'echo',
          headers: [
            ['Upgrade', 'websocket'],
            ['Connection', 'upgrade'],
            ['Sec-WebSocket-Accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
            ['X-A', '1'],
          ],
        },
      ],
      ...closed,
      isOrdered: true,
    },
    {
      name: '101 without upgrade fields',
      raw: [ask(), 150, 'hello', 150, 'end'],
      upstream: [{ tunnel: 'echo', headers: [] }],
      ...closed,
    },
    {
      name: '101 with a length',
      raw: [ask(), 150, 'end'],
      upstream: [
        {
          tunnel: 'echo',
          headers: [
            ['connection', 'upgrade'],
            ['upgrade', 'websocket'],
            ['content-length', '0'],
          ],
        },
      ],
      ...closed,
    },
    { name: '200 with a body', raw: [ask(), 150, 'late'], upstream: [{ status: 200, body: 'no upgrade' }], ...closed },
    {
      name: '200 chunked',
      raw: [ask()],
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n' }],
      ...closed,
    },
    {
      name: '200 with upgrade fields and no length',
      raw: [ask()],
      upstream: [{ raw: 'HTTP/1.1 200 OK\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nbody', ending: 'close' }],
      ...closed,
    },
    {
      name: '204',
      raw: [ask(), 150, 'end'],
      upstream: [
        {
          status: 204,
          headers: [
            ['x-a', '1'],
            ['server', 'other'],
          ],
        },
      ],
      ...closed,
    },
    {
      name: '302',
      raw: [ask()],
      upstream: [
        {
          status: 302,
          headers: [
            ['location', '/there'],
            ['x-a', '1'],
            ['x-a', '2'],
            ['content-type', 'text/html'],
            ['set-cookie', 'a=b'],
          ],
          body: 'gone',
        },
      ],
      ...closed,
    },
    { name: '500', raw: [ask()], upstream: [{ status: 500, body: 'broken' }], ...closed },
    { name: '403 without a body', raw: [ask()], upstream: [{ status: 403 }], ...closed },
    {
      name: '403 with a request behind it',
      raw: [ask(), 100, ask('/x', '')],
      upstream: [{ status: 403, body: 'no' }, {}],
      ...closed,
    },
    {
      name: '426',
      raw: [ask()],
      upstream: [
        {
          status: 426,
          headers: [
            ['upgrade', 'other'],
            ['connection', 'upgrade'],
          ],
        },
      ],
      ...closed,
    },
    { name: '503 is retried or not', raw: [ask('/retry')], upstream: [{ status: 503 }, { tunnel: 'echo' }], ...closed },
    {
      name: 'reset is retried or not',
      raw: [ask('/retry')],
      upstream: [{ raw: '', ending: 'reset' }, { tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'the upstream closes without an answer',
      raw: [ask()],
      upstream: [{ raw: '', ending: 'close' }],
      ...closed,
    },
    { name: 'another upgrade', raw: [ask('/', 'connection: upgrade\r\nupgrade: other\r\n')], ...closed },
    {
      name: 'another upgrade with a request behind it',
      raw: [ask('/', 'connection: upgrade\r\nupgrade: other\r\n') + ask('/x', '')],
      ...closed,
    },
    { name: 'h2c is ignored', raw: [ask('/', 'connection: upgrade\r\nupgrade: h2c\r\n')], until: 'answered' },
    { name: 'upgrade without connection', raw: [ask('/', 'upgrade: websocket\r\n')], until: 'answered' },
    { name: 'off on the route', raw: [ask('/no')], ...closed },
    { name: 'without a route', raw: [ask('/nothing')], ...closed },
    { name: 'direct response', raw: [ask('/direct')], ...closed },
    { name: 'redirect', raw: [ask('/away')], ...closed },
    { name: 'refused upstream', raw: [ask('/dead')], ...closed },
    {
      name: 'route timeout after the upgrade',
      raw: [ask('/timeout'), 600, 'hello', 150, 'end'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'route timeout before the answer',
      raw: [ask('/timeout')],
      upstream: [{ tunnel: 'echo', delayMs: 700 }],
      ...closed,
    },
    {
      name: 'idle timeout after the upgrade',
      raw: [ask('/idle'), 100, 'hello'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
    {
      name: 'idle timeout before the answer',
      raw: [ask('/idle')],
      upstream: [{ tunnel: 'echo', delayMs: 700 }],
      ...closed,
    },
    {
      name: 'longest duration after the upgrade',
      raw: [ask('/duration'), 100, 'hello'],
      upstream: [{ tunnel: 'echo' }],
      ...closed,
    },
  ],
};

export const webSocket: readonly Group[] = [overHttp1];
