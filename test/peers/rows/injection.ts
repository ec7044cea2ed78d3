import { http } from '../config.ts';
import type { Group, Row } from '../row.ts';

const early = 'such a request is refused before a host is chosen for it';
const refused = {
  differs: {
    'log[0].attempts': early,
    'log[0].host': early,
    'stats.cluster.one.upstream_cx_http1_total': early,
    'stats.cluster.one.upstream_cx_total': early,
    'stats.cluster.one.upstream_rq_pending_total': early,
    'stats.cluster.one.upstream_rq_total': early,
  },
};
const refusedHost = { differs: { ...refused.differs, 'log[0].authority': early } };
const safe = { differs: { 'client[0].answer[0].header': 'a client that writes a line break does not write a field' } };
const split = { differs: { 'client[0]': 'a client that writes a line break does not write a field' } };
const space = { differs: { 'client[0]': early, 'log[0]': early, stats: early } };

const everywhere = {
  '/up': refused,
  '/path': refused,
  '/host': refusedHost,
  '/direct': safe,
  '/redirect': safe,
  '/format': safe,
};

/** By value and path. */
const differing: Readonly<Record<string, Readonly<Record<string, Pick<Row, 'differs'>>>>> = {
  'CR LF': everywhere,
  LF: everywhere,
  CR: everywhere,
  NUL: everywhere,
  'a whole request': { ...everywhere, '/direct': split, '/redirect': split, '/format': split },
  'a tab': { '/path': space },
  'a space': { '/path': space },
  DEL: { '/up': refused, '/path': refused, '/host': refusedHost },
};

/** Operators whose values a client chooses, in places where a line break would begin another field. */
const decoded: Group = {
  name: 'header injection',
  config: http({
    routes: `
- match: { prefix: /redirect }
  redirect: { path_redirect: /elsewhere }
  response_headers_to_add: [{ header: { key: x-q, value: '%QUERY_PARAM(q)%' } }]
- match: { prefix: /direct }
  direct_response: { status: 200, body_format: { text_format_source: { inline_string: 'q %QUERY_PARAM(q)%' } } }
  response_headers_to_add: [{ header: { key: x-q, value: 'before %QUERY_PARAM(q)% after' } }]
- match: { prefix: /path }
  route: { cluster: one, path_rewrite: '/%QUERY_PARAM(q)%' }
- match: { prefix: /host }
  route: { cluster: one, host_rewrite: '%QUERY_PARAM(q)%' }
- match: { prefix: /format }
  redirect: { path_rewrite: '/%QUERY_PARAM(q)%' }
- match: { prefix: / }
  route: { cluster: one }
  request_headers_to_add: [{ header: { key: x-q, value: '%QUERY_PARAM(q)%' } }]
  response_headers_to_add: [{ header: { key: x-q, value: '%QUERY_PARAMS(DECODED)%' } }]`,
  }),
  rows: [
    ['CR LF', 'a%0d%0ax-evil:%20yes'],
    ['LF', 'a%0ax-evil:%20yes'],
    ['CR', 'a%0dx-evil:%20yes'],
    ['NUL', 'a%00b'],
    ['a whole request', 'a%0d%0acontent-length:%200%0d%0a%0d%0aGET%20/evil%20HTTP/1.1%0d%0ahost:%20a%0d%0a%0d%0a'],
    ['a tab', 'a%09b'],
    ['a space', 'a%20HTTP/1.1'],
    ['DEL', 'a%7fb'],
  ].flatMap(([name, value]) =>
    ['/up', '/path', '/host', '/direct', '/redirect', '/format'].map((path) => ({
      name: `${name} in a decoded query parameter, ${path}`,
      raw: `GET ${path}?q=${value} HTTP/1.1\r\nhost: a\r\n\r\n`,
      ...(differing[name] ?? {})[path],
    })),
  ),
};

export const injection: readonly Group[] = [decoded];
