import { expect, test } from 'vitest';
import { readConfig } from '../../../../src/config/document.ts';
import { parseMessage } from '../../../../src/config/parse.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { customResponseBuilder } from '../../../../src/filter/custom-response/build.ts';
import { customResponseDecoder } from '../../../../src/filter/custom-response/decode.ts';
import { Verdict } from '../../../../src/filter/filter.ts';
import { CustomResponseSchema } from '../../../../src/proto/envoy/extensions/filters/http/custom_response/v3/custom_response_pb.js';
import { toBinary } from '../../../../src/proto/protobuf.js';
import { filterContext, request, response, TestStream } from '../filter-fixture.ts';

function decoded(yaml: string, reasons = new Reasons()): unknown {
  const { message } = parseMessage(readConfig({ text: yaml }), CustomResponseSchema);
  return customResponseDecoder.decode(toBinary(CustomResponseSchema, message), reasons, { open: () => null });
}

const byStatus = (entries: string): string => `
custom_response_matcher:
  matcher_tree:
    input: { name: in, typed_config: { '@type': type.googleapis.com/envoy.type.matcher.v3.HttpResponseStatusCodeMatchInput } }
    exact_match_map: { map: { ${entries} } }`;

const local = (fields: string): string =>
  `{ action: { name: l, typed_config: { '@type': type.googleapis.com/envoy.extensions.http.custom_response.local_response_policy.v3.LocalResponsePolicy, ${fields} } } }`;

function asked(status: number, routes: readonly string[] = []): TestStream {
  const context = filterContext();
  const stream = new TestStream(context, request());
  stream.configs = routes.map((yaml) => customResponseBuilder.buildPerRoute!(decoded(yaml), context));
  const data = decoded(
    byStatus(
      `'200': ${local('status_code: 201, body: { inline_string: a }, body_format: { text_format_source: { inline_string: "%LOCAL_REPLY_BODY% for %RESPONSE_CODE%" } }, response_headers_to_add: [{ header: { key: x-a, value: b } }]')}`,
    ),
  );
  const filter = customResponseBuilder.build(data, context).create();
  const head = response();
  head.status = status;
  const verdict = filter.onResponseHead!(stream, head, true);
  expect(verdict).toBe(stream.replies.length === 0 ? Verdict.Continue : Verdict.Stop);
  return stream;
}

test('an answer is replaced by another one', () => {
  expect(asked(200).replies).toEqual([{ status: 201, body: 'a for 200', details: '', headers: [['x-a', 'b']] }]);
  expect(asked(404).replies).toEqual([]);
});

test('the most specific route that has something for it comes first', () => {
  const route = byStatus(`'404': ${local('body: { inline_string: route }')}`);
  const host = byStatus(
    `'404': ${local('body: { inline_string: host }')}, '503': ${local('body: { inline_string: host }')}`,
  );
  expect(asked(404, [host, route]).replies).toMatchObject([{ status: 404, body: 'route' }]);
  expect(asked(503, [host, route]).replies).toMatchObject([{ status: 503, body: 'host' }]);
  expect(asked(200, [host, route]).replies).toMatchObject([{ status: 201 }]);
});

test('what leads elsewhere is refused by name', () => {
  const reasons = new Reasons();
  const redirect = `{ action: { name: r, typed_config: { '@type': type.googleapis.com/envoy.extensions.http.custom_response.redirect_policy.v3.RedirectPolicy, uri: 'http://a/' } } }`;
  decoded(byStatus(`'404': ${redirect}`), reasons);
  expect(reasons.list.map(({ message }) => message)).toEqual([
    "custom response 'r' of type 'envoy.extensions.http.custom_response.redirect_policy.v3.RedirectPolicy' is not supported by sekisho",
  ]);
});
