import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { csrfBuilder } from '../../../../src/filter/csrf/build.ts';
import { csrfDecoder } from '../../../../src/filter/csrf/decode.ts';
import { CsrfPolicySchema } from '../../../../src/proto/envoy/extensions/filters/http/csrf/v3/csrf_pb.js';
import { filterContext, request, TestStream } from '../filter-fixture.ts';

const always = { defaultValue: { numerator: 100 } };

function answers(settings: MessageInitShape<typeof CsrfPolicySchema>, headers: [string, string][], method = 'POST') {
  const bytes = toBinary(CsrfPolicySchema, create(CsrfPolicySchema, settings));
  const data = csrfDecoder.decode(bytes, new Reasons(), { open: () => null });
  const context = filterContext();
  const filter = csrfBuilder.build(data, context).create();
  const stream = new TestStream(context, request(headers, { method }));
  filter.onRequestHead!(stream, stream.requestHead, true);
  return [stream.replies.map(({ status }) => status).join(), ...Object.keys(context.stats.used)].join(' ');
}

test.each([
  [[['origin', 'http://h.test']], ' csrf.request_valid'],
  [[['origin', 'http://h.test/path']], ' csrf.request_valid'],
  [[['referer', 'https://h.test/path?q']], ' csrf.request_valid'],
  [[['origin', 'http://sub.h.test']], '403 csrf.request_invalid'],
  [[], '403 csrf.missing_source_origin'],
  [[['origin', 'null']], '403 csrf.missing_source_origin'],
] as [[string, string][], string][])('%j: %s', (headers, expected) => {
  expect(answers({ filterEnabled: always }, headers)).toBe(expected);
});

test('only what changes something is asked, and shadows let it pass', () => {
  expect(answers({ filterEnabled: always }, [], 'GET')).toBe('');
  expect(answers({ shadowEnabled: always }, [])).toBe(' csrf.missing_source_origin');
  expect(answers({}, [])).toBe('');
});
