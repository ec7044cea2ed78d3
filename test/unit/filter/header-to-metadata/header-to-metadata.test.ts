import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { headerToMetadataBuilder } from '../../../../src/filter/header-to-metadata/build.ts';
import { headerToMetadataDecoder } from '../../../../src/filter/header-to-metadata/decode.ts';
import { ConfigSchema } from '../../../../src/proto/envoy/extensions/filters/http/header_to_metadata/v3/header_to_metadata_pb.js';
import { filterContext, lines, request, response, TestStream } from '../filter-fixture.ts';

type Settings = MessageInitShape<typeof ConfigSchema>;

function decode(settings: Settings, reasons = new Reasons()) {
  return headerToMetadataDecoder.decode(toBinary(ConfigSchema, create(ConfigSchema, settings)), reasons, {
    open: () => null,
  });
}

function run(settings: Settings, headers: [string, string][]) {
  const context = filterContext();
  const filter = headerToMetadataBuilder.build(decode(settings), context).create();
  const stream = new TestStream(context, request(headers));
  filter.onRequestHead!(stream, stream.requestHead, true);
  filter.onResponseHead!(stream, response([['x-up', '1']]), true);
  return { metadata: Object.fromEntries(stream.outcome.dynamicMetadata ?? []), stream };
}

test('values and what stands for missing ones', () => {
  const rule = {
    header: 'x-a',
    onHeaderPresent: { key: 'a' },
    onHeaderMissing: { key: 'a', value: 'none' },
    remove: true,
  };
  const { metadata, stream } = run({ requestRules: [rule] }, [
    ['x-a', '1'],
    ['x-b', '2'],
    ['x-a', '3'],
  ]);
  expect(metadata).toEqual({ 'envoy.filters.http.header_to_metadata': { a: '1,3' } });
  expect(lines(stream.requestHead.headers)).toEqual(['x-b: 2']);
  expect(run({ requestRules: [rule] }, []).metadata).toEqual({
    'envoy.filters.http.header_to_metadata': { a: 'none' },
  });
});

test.each([
  ['12.5', { type: 1 }, 12.5],
  ['x', { type: 1 }, undefined],
  ['aGk', { encode: 1 }, 'hi'],
  ['a', { encode: 1 }, undefined],
  ['x'.repeat(8192), {}, undefined],
  ['abc', { regexValueRewrite: { pattern: { regex: 'b' }, substitution: '-' } }, 'a-c'],
  ['abc', { value: 'fixed' }, 'fixed'],
] as const)('%.9s with %j', (value, entry, expected) => {
  const rule = { header: 'x-a', onHeaderPresent: { metadataNamespace: 'n', key: 'k', ...entry } };
  expect(run({ requestRules: [rule] }, [['x-a', value]]).metadata).toEqual(
    expected === undefined ? {} : { n: { k: expected } },
  );
});

test('of cookies and of responses', () => {
  const settings = {
    requestRules: [{ cookie: 'c', onHeaderPresent: { metadataNamespace: 'n', key: 'c' } }],
    responseRules: [{ header: 'X-Up', onHeaderPresent: { metadataNamespace: 'n', key: 'up' } }],
  };
  expect(run(settings, [['cookie', 'a=b; c=d']]).metadata).toEqual({ n: { c: 'd', up: '1' } });
});

test('what is refused says why', () => {
  const reasons = new Reasons();
  decode(
    {
      requestRules: [
        { onHeaderPresent: { key: 'k' } },
        { header: 'a', cookie: 'b', onHeaderPresent: { key: 'k', type: 2 } },
        { header: 'a', onHeaderMissing: { key: 'k' } },
        { header: 'a' },
      ],
      statPrefix: 'p',
    },
    reasons,
  );
  expect(reasons.list.map(({ path, message }) => `${path}: ${message}`)).toMatchInlineSnapshot(`
    [
      "request_rules[0]: One of Cookie or Header option needs to be specified",
      "request_rules[1]: Cannot specify both header and cookie in the same rule",
      "request_rules[1].on_header_present.type: field 'type' PROTOBUF_VALUE is not supported by sekisho",
      "request_rules[2]: Cannot specify on_header_missing rule with an empty value",
      "request_rules[3]: header to metadata filter: rule for a has neither \`on_header_present\` nor \`on_header_missing\` set",
    ]
  `);
});

test('what becomes of rules is counted where a prefix says under what name', () => {
  const context = filterContext();
  const requestRules = [{ header: 'x-a', onHeaderPresent: { key: 'a' }, onHeaderMissing: { key: 'a', value: 'b' } }];
  const filter = headerToMetadataBuilder.build(decode({ statPrefix: 'own', requestRules }), context).create();
  const stream = new TestStream(context, request([]));
  filter.onRequestHead!(stream, stream.requestHead, true);
  expect(context.stats.used).toEqual({
    'http_filter_name.own.request_rules_processed': 1,
    'http_filter_name.own.request_header_not_found': 1,
    'http_filter_name.own.request_metadata_added': 1,
  });
});
