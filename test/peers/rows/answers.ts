import { http } from '../config.ts';
import type { Group } from '../row.ts';

const redirects: Group = {
  name: 'redirects',
  config: http({
    routes: `
- { match: { path: /https }, redirect: { https_redirect: true } }
- { match: { path: /scheme }, redirect: { scheme_redirect: ftp } }
- { match: { path: /host }, redirect: { host_redirect: other.test } }
- { match: { path: /port }, redirect: { port_redirect: 8443, https_redirect: true } }
- { match: { path: /path }, redirect: { path_redirect: /new } }
- { match: { path: /path-query }, redirect: { path_redirect: '/new?b=2' } }
- { match: { path: /strip }, redirect: { path_redirect: /new, strip_query: true } }
- { match: { prefix: /prefix }, redirect: { prefix_rewrite: /other } }
- { match: { prefix: /regex }, redirect: { regex_rewrite: { pattern: { regex: '^/regex/(\\w+)/(\\w+)' }, substitution: '/\\2/\\1' } } }
- { match: { path: /302 }, redirect: { path_redirect: /x, response_code: FOUND } }
- { match: { path: /303 }, redirect: { path_redirect: /x, response_code: SEE_OTHER } }
- { match: { path: /307 }, redirect: { path_redirect: /x, response_code: TEMPORARY_REDIRECT } }
- { match: { path: /308 }, redirect: { path_redirect: /x, response_code: PERMANENT_REDIRECT } }
- { match: { path: /full }, redirect: { host_redirect: other.test, https_redirect: true, path_redirect: /a, response_code: FOUND } }
`,
  }),
  rows: [
    { name: 'https', request: { path: '/https?x=1' } },
    { name: 'https drops port 80', request: { path: '/https', host: 'a.test:80' } },
    { name: 'https keeps another port', request: { path: '/https', host: 'a.test:8080' } },
    { name: 'scheme', request: { path: '/scheme' } },
    { name: 'host', request: { path: '/host?x=1', host: 'a.test:8080' } },
    { name: 'port', request: { path: '/port', host: 'a.test:80' } },
    { name: 'path keeps the query', request: { path: '/path?x=1' } },
    { name: 'path with a query of its own', request: { path: '/path-query?x=1' } },
    { name: 'query is stripped', request: { path: '/strip?x=1' } },
    { name: 'prefix', request: { path: '/prefix/a?x=1' } },
    { name: 'regex', request: { path: '/regex/ab/cd?x=1' } },
    { name: '302', request: { path: '/302' } },
    { name: '303', request: { path: '/303' } },
    { name: '307', request: { path: '/307', body: 'kept' } },
    { name: '308', request: { method: 'HEAD', path: '/308' } },
    { name: 'everything at once', request: { path: '/full' } },
    { name: 'scheme of x-forwarded-proto', request: { path: '/path', headers: [['x-forwarded-proto', 'https']] } },
  ],
};

const direct: Group = {
  name: 'direct responses',
  config: http({
    routes: `
- { match: { path: /plain }, direct_response: { status: 200, body: { inline_string: "hello\\n" } } }
- { match: { path: /empty }, direct_response: { status: 404 } }
- { match: { path: /teapot }, direct_response: { status: 418, body: { inline_string: short and stout } } }
- { match: { path: /unknown }, direct_response: { status: 599, body: { inline_string: x } } }
- { match: { path: /no-content }, direct_response: { status: 204 } }
- match: { path: /typed }
  direct_response: { status: 200, body: { inline_string: '{}' } }
  response_headers_to_add:
  - { header: { key: content-type, value: application/json }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }
  - { header: { key: x-added, value: '%RESPONSE_CODE%' } }
- { match: { path: /bytes }, direct_response: { status: 200, body: { inline_bytes: AQID } } }
- match: { path: /formatted }
  direct_response: { status: 200, body: { inline_string: 'path %REQ(:PATH)%' } }
`,
  }),
  rows: [
    { name: 'body', request: { path: '/plain' } },
    { name: 'HEAD', request: { method: 'HEAD', path: '/plain' } },
    { name: 'without a body', request: { path: '/empty' } },
    { name: 'reason phrase 418', request: { path: '/teapot' } },
    { name: 'reason phrase of an unknown status', request: { path: '/unknown' } },
    { name: '204', request: { path: '/no-content' } },
    { name: 'headers are added', request: { path: '/typed' } },
    { name: 'bytes', request: { path: '/bytes' } },
    { name: 'POST body is dropped', request: { path: '/plain', body: 'x'.repeat(1000) } },
    {
      name: 'a gRPC request',
      request: { path: '/teapot', method: 'POST', headers: [['content-type', 'application/grpc']] },
    },
    { name: 'operators stay as they are', request: { path: '/formatted' } },
    {
      name: 'three in turn on one connection',
      request: [{ path: '/plain' }, { path: '/empty' }, { path: '/plain' }],
    },
  ],
};

export const answers: readonly Group[] = [redirects, direct];
