import { http } from '../config.ts';
import type { Group } from '../row.ts';

const local: Group = {
  name: 'local_reply_config',
  config: http({
    routes: `
- { match: { prefix: /dead }, route: { cluster: dead } }
- { match: { prefix: /teapot }, direct_response: { status: 418, body: { inline_string: tea } } }
- { match: { prefix: /forbidden }, direct_response: { status: 403, body: { inline_string: 'no' } } }
- { match: { prefix: /up }, route: { cluster: one } }
- { match: { prefix: /gone }, direct_response: { status: 410 } }`,
    hcm: `
local_reply_config:
  body_format: { json_format: { code: '%RESPONSE_CODE%', body: '%LOCAL_REPLY_BODY%', path: '%REQ(:path)%', flags: '%RESPONSE_FLAGS%' } }
  mappers:
  - filter: { status_code_filter: { comparison: { op: EQ, value: { default_value: 403, runtime_key: none } } } }
    status_code: 401
    body: { inline_string: mapped }
    body_format_override: { text_format_source: { inline_string: "<%LOCAL_REPLY_BODY%> %RESPONSE_CODE%\\n" }, content_type: text/html; charset=UTF-8 }
    headers_to_add: [{ header: { key: x-mapped, value: 'yes %RESPONSE_CODE%' }, append_action: OVERWRITE_IF_EXISTS_OR_ADD }]
  - filter: { and_filter: { filters: [{ response_flag_filter: { flags: [UF] } }, { header_filter: { header: { name: x-want, present_match: true } } }] } }
    status_code: 599
  - filter: { header_filter: { header: { name: ':path', string_match: { prefix: /gone } } } }
    body_format_override: { text_format_source: { inline_string: '' } }`,
  }),
  rows: [
    { name: 'default format', request: { path: '/teapot?a="b"' } },
    { name: 'mapped status, body, format and header', request: { path: '/forbidden' } },
    { name: 'upstream failure', request: { path: '/dead' } },
    { name: 'upstream failure mapped by flag and header', request: { path: '/dead', headers: [['x-want', '1']] } },
    { name: 'no route', request: { path: '/none' } },
    { name: 'an upstream answer is left alone', request: { path: '/up' }, upstream: [{ status: 403, body: 'mine' }] },
    { name: 'HEAD', request: { method: 'HEAD', path: '/teapot' } },
    { name: 'gRPC', request: { method: 'POST', path: '/teapot', headers: [['content-type', 'application/grpc']] } },
    {
      name: 'a bad request',
      raw: 'GET / HTTP/1.1\r\nhost: a\r\nx y: 1\r\n\r\n',
      differs: { '': 'the body can say DPE, which Envoy sets only after it has written the answer' },
    },
  ],
};

export const replies: readonly Group[] = [local];
