import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../../src/core/rejection.ts';
import { NetworkVerdict } from '../../../../../src/filter/network/network-filter.ts';
import { networkSetFilterStateBuilder } from '../../../../../src/filter/network/set-filter-state/build.ts';
import { networkSetFilterStateDecoder } from '../../../../../src/filter/network/set-filter-state/decode.ts';
import { ConfigSchema } from '../../../../../src/proto/envoy/extensions/filters/network/set_filter_state/v3/set_filter_state_pb.js';
import { TestFilteredStream } from '../filtered-stream.ts';

type Settings = MessageInitShape<typeof ConfigSchema>;

function value(key: string, text: string, factoryKey = 'envoy.string') {
  const format = { case: 'textFormatSource', value: { specifier: { case: 'inlineString', value: text } } } as const;
  return {
    key: { case: 'objectKey', value: key },
    factoryKey,
    value: { case: 'formatString', value: { format } },
  } as const;
}

function decode(settings: Settings, reasons = new Reasons()) {
  const bytes = toBinary(ConfigSchema, create(ConfigSchema, settings));
  return networkSetFilterStateDecoder.decode(bytes, reasons, { open: () => null });
}

const build = (settings: Settings) => networkSetFilterStateBuilder.build(decode(settings), null as never);

test('a new connection has texts at once, and its bytes pass by', () => {
  const filter = build({ onNewConnection: [value('a', 'x'), value('a', '%FILTER_STATE(a:PLAIN)%y')] }).create();
  const stream = new TestFilteredStream();
  expect(filter.onNewConnection!(stream)).toBe(NetworkVerdict.Continue);
  expect([...stream.notes.filterState]).toEqual([['a', 'xy']]);
  expect('onData' in filter).toBe(false);
});

test('others are set by the first bytes, and by a handshake once there has been one', () => {
  const factory = build({
    onNewConnection: [value('new', '1')],
    onDownstreamTlsHandshake: [value('tls', '2')],
    onDownstreamData: [value('data', '%FILTER_STATE(data:PLAIN)%3')],
  });
  const [plain, secured] = [new TestFilteredStream(), new TestFilteredStream()];
  Object.assign(plain.peer, { tls: null });
  Object.assign(secured.peer, { tls: {} });
  for (const stream of [plain, secured]) {
    const filter = factory.create();
    filter.onNewConnection!(stream);
    filter.onData!(stream, new Uint8Array(1), false);
    filter.onData!(stream, new Uint8Array(1), true);
    filter.onClosed!(stream);
  }
  expect([...plain.notes.filterState.keys()]).toEqual(['new', 'data']);
  expect([...secured.notes.filterState]).toEqual([
    ['new', '1'],
    ['tls', '2'],
    ['data', '-3'],
  ]);
});

test('objects that are no texts are refused by name', () => {
  const reasons = new Reasons();
  decode({ onNewConnection: [value('a', 'x', 'envoy.network.ip')] }, reasons);
  expect(reasons.list).toEqual([
    {
      path: 'on_new_connection[0].factory_key',
      message: "field 'factory_key' 'envoy.network.ip' is not supported by sekisho",
    },
  ]);
});
