import { http } from '../../config.ts';
import type { Group, Row, Step } from '../../row.ts';
import { redirectStates } from './redirect-states.ts';

const typed = (name: string, message: string, fields = ''): string =>
  `{ name: envoy.internal_redirect_predicates.${name}, typed_config: { '@type': type.googleapis.com/envoy.extensions.internal_redirect.${name}.v3.${message}${fields} } }`;
const listed = typed('allow_listed_routes', 'AllowListedRoutesConfig', ', allowed_route_names: [target]');
const previous = typed('previous_routes', 'PreviousRoutesConfig');
const safe = typed('safe_cross_scheme', 'SafeCrossSchemeConfig');

const to = (location: string, status = 302, more: Partial<Step> = {}): Step => ({
  status,
  headers: [['location', location]],
  ...more,
});

/** Followed: a log line for each of the two streams. */
const followed = (name: string, path: string, first: Step, more: Partial<Row> = {}): Row => ({
  name,
  request: { path },
  upstream: [first, {}],
  logLines: 2,
  ...more,
});
const passed = (name: string, path: string, first: Step, more: Partial<Row> = {}): Row => ({
  ...followed(name, path, first, more),
  logLines: 1,
});

const redirects: Group = {
  name: 'internal redirects',
  config: http({
    log: ['REQ(x-envoy-original-url)', 'RESP(location)'],
    virtualHosts: `
- name: here
  domains: ['*']
  include_request_attempt_count: true
  routes:
  - { name: plain, match: { prefix: /plain }, route: { cluster: one, internal_redirect_policy: {} } }
  - { name: twice, match: { prefix: /twice }, route: { cluster: one, internal_redirect_policy: { max_internal_redirects: 2 } } }
  - { name: none, match: { prefix: /none }, route: { cluster: one, internal_redirect_policy: { max_internal_redirects: 0 } } }
  - { name: codes, match: { prefix: /codes }, route: { cluster: one, internal_redirect_policy: { redirect_response_codes: [301, 303, 307] } } }
  - { name: copied, match: { prefix: /copied }, route: { cluster: one, internal_redirect_policy: { response_headers_to_copy: [x-copied, x-absent] } } }
  - { name: cross, match: { prefix: /cross }, route: { cluster: one, internal_redirect_policy: { allow_cross_scheme_redirect: true } } }
  - { name: listed, match: { prefix: /listed }, route: { cluster: one, internal_redirect_policy: { predicates: [${listed}] } } }
  - { name: previous, match: { prefix: /previous }, route: { cluster: one, internal_redirect_policy: { max_internal_redirects: 5, predicates: [${previous}] } } }
  - { name: safe, match: { prefix: /safe }, route: { cluster: one, internal_redirect_policy: { allow_cross_scheme_redirect: true, predicates: [${safe}] } } }
  - { name: rewritten, match: { prefix: /rewritten }, route: { cluster: one, prefix_rewrite: /new, internal_redirect_policy: {} } }
  - { name: retried, match: { prefix: /retried }, route: { cluster: one, retry_policy: { retry_on: 5xx }, internal_redirect_policy: {} } }
  - { name: limited, match: { prefix: /limited }, route: { cluster: one, internal_redirect_policy: {} }, request_body_buffer_limit: 4 }
  - { name: target, match: { prefix: /target }, route: { cluster: two } }
  - { name: direct, match: { prefix: /direct }, direct_response: { status: 418, body: { inline_string: teapot } } }
  - { name: away, match: { prefix: /away }, redirect: { host_redirect: away.test } }
  - { name: old, match: { prefix: /old }, route: { cluster: one, internal_redirect_action: HANDLE_INTERNAL_REDIRECT } }
  - { name: other, match: { prefix: /other }, route: { cluster: one } }`,
  }),
  rows: [
    followed('a redirect is followed', '/plain', to('http://other.test/target?a=b')),
    followed('with a port', '/plain', to('http://other.test:8080/target')),
    followed('without a path, nowhere', '/plain', to('http://other.test'), { logLines: 1 }),
    followed('a fragment is not sent', '/plain', to('http://other.test/target#part')),
    followed('to a direct response', '/plain', to('http://other.test/direct')),
    followed('to a redirect', '/plain', to('http://other.test/away')),
    followed('a body is sent again', '/plain', to('http://other.test/target'), {
      request: { path: '/plain', body: 'hello' },
    }),
    followed('a chunked body is sent again', '/plain', to('http://other.test/target'), {
      request: { path: '/plain', chunks: ['hel', 'lo'] },
    }),
    followed('over HTTP/2', '/plain', to('http://other.test/target'), {
      over: 'h2',
      request: { path: '/plain', body: 'hello' },
    }),
    followed('a client that asks to close', '/plain', to('http://other.test/target'), {
      request: { path: '/plain', headers: [['connection', 'close']] },
      until: 'closed',
    }),
    followed('HEAD stays HEAD', '/plain', to('http://other.test/target'), {
      request: { path: '/plain', method: 'HEAD' },
    }),
    followed('303 makes POST a GET', '/codes', to('http://other.test/target', 303), {
      request: { path: '/codes', body: 'hello' },
    }),
    followed('301 of those named', '/codes', to('http://other.test/target', 301)),
    passed('302 not of those named', '/codes', to('http://other.test/target')),
    passed('another code', '/plain', to('http://other.test/target', 308)),
    passed('a relative location', '/plain', to('/target')),
    passed('no location', '/plain', { status: 302 }),
    passed('an empty location', '/plain', to('')),
    passed('another scheme', '/plain', to('https://other.test/target')),
    passed('an unknown scheme', '/plain', to('ftp://other.test/target')),
    followed('another scheme, allowed', '/cross', to('https://other.test/target')),
    passed('to a less safe scheme only', '/safe', to('https://other.test/target')),
    followed('the same scheme is safe', '/safe', to('http://other.test/target')),
    passed('no route', '/plain', to('http://other.test/nowhere')),
    passed('no redirects left', '/none', to('http://other.test/target')),
    {
      name: 'one redirect is all',
      request: { path: '/plain' },
      upstream: [to('http://other.test/plain'), to('http://other.test/plain')],
      logLines: 2,
    },
    {
      name: 'two redirects',
      request: { path: '/twice' },
      upstream: [to('http://other.test/twice'), to('http://other.test/target'), {}],
      logLines: 3,
    },
    followed(
      'headers are copied',
      '/copied',
      {
        status: 302,
        headers: [
          ['location', 'http://other.test/target'],
          ['x-copied', '1'],
          ['x-copied', '2'],
        ],
      },
      {
        request: {
          path: '/copied',
          headers: [
            ['x-copied', 'mine'],
            ['x-absent', 'mine'],
          ],
        },
      },
    ),
    followed('to a listed route', '/listed', to('http://other.test/target')),
    passed('to a route that is not listed', '/listed', to('http://other.test/other')),
    {
      name: 'to a route that was there before',
      request: { path: '/previous' },
      upstream: [to('http://other.test/previous'), to('http://other.test/previous'), {}],
      logLines: 2,
    },
    followed('after a rewrite', '/rewritten', to('http://other.test/target')),
    {
      name: 'after a retry',
      request: { path: '/retried', body: 'hello' },
      upstream: [{ status: 503 }, to('http://other.test/target'), {}],
      logLines: 2,
    },
    {
      name: 'a body longer than may be kept',
      raw: ['POST /limited HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n', 200, 'hello'],
      upstream: [to('http://other.test/target')],
      logLines: 1,
    },
    followed('the older field', '/old', to('http://other.test/target')),
    passed('an answer with a body', '/other', to('http://other.test/target')),
    {
      name: 'the next request on the connection',
      request: [{ path: '/plain' }, { path: '/other' }],
      upstream: [to('http://other.test/target'), {}],
      logLines: 3,
    },
    {
      name: 'an answer before the end of the request',
      request: { path: '/plain', body: 'hello' },
      raw: ['POST /plain HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf', 100, 'whole'],
      upstream: [to('http://other.test/target', 302, { isEarly: true })],
    },
  ],
};

/** `internal_redirect_policy`. */
export const internalRedirects: readonly Group[] = [redirects, redirectStates];
