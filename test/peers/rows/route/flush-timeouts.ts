import { http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';

const route = (path: string, timeouts: string): string =>
  `- { match: { prefix: ${path} }, route: { cluster: one, ${timeouts} } }`;

/** A client that takes two bytes of an answer, and the others late. */
const slow = (name: string, path: string, more: Partial<Row> = {}): Row => ({
  name,
  frames: [
    'SETTINGS window=2',
    `HEADERS 1 end :method=GET :scheme=http :authority=test.local :path=${path}`,
    1500,
    'PING 01020304',
    100,
    'WINDOW_UPDATE 1 1000',
  ],
  upstream: [{ body: 'more than the client takes' }],
  ...more,
});

const routes = `
${route('/short', 'flush_timeout: 0.2s')}
${route('/never', 'flush_timeout: 0s')}
${route('/idle', 'idle_timeout: 0.2s')}
${route('/both', 'idle_timeout: 0.2s, flush_timeout: 30s')}
${route('/plain', 'timeout: 20s')}`;

/** `flush_timeout` of routes. */
export const flushTimeouts: readonly Group[] = [
  {
    name: 'flush timeouts of routes',
    config: http({ routes }),
    stats: /^(http|http2|cluster)\./,
    rows: [
      slow('a short one', '/short'),
      slow('none', '/never'),
      slow('idleness does not count', '/idle'),
      slow('longer than that of idleness', '/both'),
      slow('not said', '/plain'),
      { name: 'over HTTP/1.1', request: { path: '/short' } },
    ],
  },
  {
    name: 'flush timeouts of routes and of the manager',
    config: http({ routes, hcm: 'stream_flush_timeout: 0.3s' }),
    stats: /^(http|http2|cluster)\./,
    rows: [
      slow('the manager’s', '/plain'),
      slow('the route has none', '/never'),
      slow('idleness does not count', '/idle'),
      slow('the route’s is longer', '/both'),
    ],
  },
];
