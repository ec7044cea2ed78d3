import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { readConfig } from '../../../../src/config/document.ts';
import { parseMessage } from '../../../../src/config/parse.ts';
import type { Extensions } from '../../../../src/core/extension.ts';
import { ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { Verdict, type FilterBuilder, type HttpFilter } from '../../../../src/filter/filter.ts';
import { matchDelegateBuilder } from '../../../../src/filter/match-delegate/build.ts';
import { matchDelegateDecoder } from '../../../../src/filter/match-delegate/decode.ts';
import { ExtensionWithMatcherSchema } from '../../../../src/proto/envoy/extensions/common/matching/v3/extension_matcher_pb.js';
import { filterContext, request, TestStream } from '../filter-fixture.ts';

const inputs = 'type.googleapis.com/envoy.type.matcher.v3';
const skip = `{ action: { name: skip, typed_config: { '@type': type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter } } }`;
const input = (of: string, name: string): string =>
  `{ name: h, typed_config: { '@type': ${inputs}.Http${of}HeaderMatchInput, header_name: ${name} } }`;
const test1 = (of: string, name: string): string =>
  `{ single_predicate: { input: ${input(of, name)}, value_match: { exact: 'on' } } }`;
const list = (predicate: string): string =>
  `{ matcher_list: { matchers: [{ predicate: ${predicate}, on_match: ${skip} }] } }`;

const opening: Extensions = {
  open: (_category, name) => ({ name, kind: name === 'router' ? routerKind : 'inner', data: 'its own' }),
};
const routerKind = 'envoy.extensions.filters.http.router.v3.Router';

function decode(matcher: string, inner = 'inner') {
  const text = `extension_config: { name: ${inner}, typed_config: { '@type': type.googleapis.com/google.protobuf.Empty } }
${matcher === '' ? '' : `xds_matcher: ${matcher}`}`;
  const { message } = parseMessage(readConfig({ text }), ExtensionWithMatcherSchema);
  const reasons = new Reasons('filter');
  const data = matchDelegateDecoder.decode(toBinary(ExtensionWithMatcherSchema, message), reasons, opening);
  return { data, reasons: reasons.list.map(({ path, message: said }) => `${path}: ${said}`) };
}

function build(matcher: string) {
  const calls: string[] = [];
  const inner: HttpFilter = {
    onRequestHead: () => (calls.push('request'), Verdict.Stop),
    onResponseHead: () => (calls.push('response'), Verdict.Stop),
    onComplete: () => void calls.push('complete'),
  };
  const builder: FilterBuilder = {
    kind: 'inner',
    build: (data) => {
      expect(data).toBe('its own');
      return { create: () => inner };
    },
  };
  const context = { ...filterContext(), filterBuilder: () => builder };
  const { data, reasons } = decode(matcher);
  expect(reasons).toEqual([]);
  const filter = matchDelegateBuilder.build(data, context).create();
  const run = (asked: [string, string][], answered: [string, string][] = []) => {
    const stream = new TestStream(context, request(asked));
    const head = new ResponseHead(200, Headers.of(...answered));
    const verdicts = [
      filter.onRequestHead!(stream, stream.requestHead, false),
      filter.onRequestData!(stream, new Uint8Array(1), true),
      filter.onResponseHead!(stream, head, false),
    ];
    filter.onComplete!(stream);
    return { verdicts, calls };
  };
  return { run, filter, inner };
}

test('a filter is skipped where its matcher finds something', () => {
  const skipped = build(list(test1('Request', 'x-skip'))).run([['x-skip', 'on']]);
  expect(skipped).toEqual({ verdicts: [Verdict.Continue, Verdict.Continue, Verdict.Continue], calls: ['complete'] });
  const seen = build(list(test1('Request', 'x-skip'))).run([['x-skip', 'off']], [['x-skip', 'on']]);
  expect(seen).toEqual({
    verdicts: [Verdict.Stop, Verdict.Continue, Verdict.Stop],
    calls: ['request', 'response', 'complete'],
  });
});

test('what only the response tells skips that alone', () => {
  const matcher = list(test1('Response', 'x-skip'));
  expect(build(matcher).run([], [['x-skip', 'on']]).calls).toEqual(['request', 'complete']);
  expect(build(matcher).run([], []).calls).toEqual(['request', 'response', 'complete']);
});

test('it stands for the filter, which without a matcher sees nothing', () => {
  const { filter, inner } = build('');
  expect(filter.inner).toBe(inner);
  expect(build('').run([]).calls).toEqual(['complete']);
});

test('what cannot be done is refused by name', () => {
  expect(decode('', 'router').reasons).toEqual([
    'filter.extension_config: the last filter of a chain cannot be skipped',
  ]);
  const action = list(test1('Request', 'a'))
    .replace('SkipFilter', 'Other')
    .replace(
      'type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.Other',
      'type.googleapis.com/google.protobuf.Empty',
    );
  expect(decode(action).reasons).toEqual([expect.stringContaining("action 'skip' of type 'google.protobuf.Empty'")]);
  const other = list(test1('Request', 'a')).replace(
    `${inputs}.HttpRequestHeaderMatchInput, header_name: a`,
    'type.googleapis.com/google.protobuf.Empty',
  );
  expect(decode(other).reasons).toEqual([expect.stringContaining("matcher input 'h' of type 'google.protobuf.Empty'")]);
  expect(
    matchDelegateDecoder.decode(
      toBinary(ExtensionWithMatcherSchema, create(ExtensionWithMatcherSchema)),
      new Reasons(),
      opening,
    ),
  ).toBeNull();
});
