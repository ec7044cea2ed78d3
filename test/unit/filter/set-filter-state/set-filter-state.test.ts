import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { setFilterStateBuilder } from '../../../../src/filter/set-filter-state/build.ts';
import { setFilterStateDecoder } from '../../../../src/filter/set-filter-state/decode.ts';
import { SharedText, stateText, type FilterStateObject } from '../../../../src/observe/filter-state.ts';
import { FilterStateValue_SharedWithUpstream } from '../../../../src/proto/envoy/extensions/filters/common/set_filter_state/v3/value_pb.js';
import { ConfigSchema } from '../../../../src/proto/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js';
import { filterContext, request, TestStream } from '../filter-fixture.ts';

type Settings = MessageInitShape<typeof ConfigSchema>;
type Value = NonNullable<Settings['onRequestHeaders']>[number];

function value(objectKey: string, text: string, more: Value = {}): Value {
  const format = { case: 'textFormatSource', value: { specifier: { case: 'inlineString', value: text } } } as const;
  return {
    key: { case: 'objectKey', value: objectKey },
    value: { case: 'formatString', value: { format, omitEmptyValues: true } },
    ...more,
  };
}

function decode(settings: Settings, reasons = new Reasons()) {
  const bytes = toBinary(ConfigSchema, create(ConfigSchema, settings));
  return setFilterStateDecoder.decode(bytes, reasons, { open: () => null });
}

test('texts are set, and the route chosen anew', () => {
  const onRequestHeaders = [
    value('envoy.string', 'to %REQ(:PATH)%'),
    value('k', '%REQ(x-k)%', { factoryKey: 'envoy.hashable_string', skipIfEmpty: true }),
    value('e', '%REQ(x-k)%', { factoryKey: 'envoy.string' }),
  ];
  const context = filterContext();
  const stream = new TestStream(context, request([], { path: '/p' }));
  const filter = setFilterStateBuilder.build(decode({ onRequestHeaders, clearRouteCache: true }), context).create();
  filter.onRequestHead!(stream, stream.requestHead, true);
  expect([...stream.outcome.filterState!]).toEqual([
    ['envoy.string', 'to /p'],
    ['e', ''],
  ]);
  expect(stream.events).toEqual(['clear route']);
});

test('objects of other kinds, and those that may not change, are refused', () => {
  const reasons = new Reasons();
  decode({ onRequestHeaders: [value('envoy.network.ip', 'x', { readOnly: true })] }, reasons);
  expect(reasons.list.map(({ message }) => message)).toEqual([
    "field 'read_only' is not supported by sekisho",
    "field 'factory_key' 'envoy.network.ip' is not supported by sekisho",
  ]);
});

test('addresses are set in their one spelling, and what is none leaves what was there', () => {
  const local = 'envoy.filters.listener.original_dst.local_ip';
  const shared = { sharedWithUpstream: FilterStateValue_SharedWithUpstream.ONCE };
  const onRequestHeaders = [
    value('envoy.network.transport_socket.original_dst_address', '[2001:DB8:0::1]:80'),
    value('a', '192.0.2.1:080', { factoryKey: local }),
    value('a', 'nowhere', { factoryKey: local }),
    value('b', '', { factoryKey: local }),
    value(local, '192.0.2.2:1', shared),
  ];
  const context = filterContext();
  const stream = new TestStream(context, request([], { path: '/p' }));
  const filter = setFilterStateBuilder.build(decode({ onRequestHeaders }), context).create();
  filter.onRequestHead!(stream, stream.requestHead, true);
  const state = stream.outcome.filterState!;
  expect([...state].map(([key, set]) => [key, stateText(set)])).toEqual([
    ['envoy.network.transport_socket.original_dst_address', '[2001:db8::1]:80'],
    ['a', '192.0.2.1:80'],
    [local, '192.0.2.2:1'],
  ]);
  expect(state.get(local)).toBeInstanceOf(SharedText);
  expect(state.get('a')).not.toBeInstanceOf(SharedText);
  for (const set of state.values()) {
    expect((set as FilterStateObject).toPlain()).toBe(stateText(set));
    expect((set as FilterStateObject).toJson()).toBeUndefined();
  }
});

test.each([
  [FilterStateValue_SharedWithUpstream.ONCE, 'envoy.string', false, false],
  [FilterStateValue_SharedWithUpstream.TRANSITIVE, 'envoy.string', false, true],
  [FilterStateValue_SharedWithUpstream.ONCE, 'envoy.hashable_string', true, false],
])('what upstreams share (%i) of the kind %s', (sharedWithUpstream, factoryKey, isHashable, isTransitive) => {
  const context = filterContext();
  const stream = new TestStream(context, request([], { path: '/p' }));
  const data = decode({ onRequestHeaders: [value('k', 'text', { factoryKey, sharedWithUpstream })] });
  setFilterStateBuilder.build(data, context).create().onRequestHead!(stream, stream.requestHead, true);
  expect([...stream.outcome.filterState!]).toEqual([['k', new SharedText('text', isHashable, isTransitive)]]);
});
