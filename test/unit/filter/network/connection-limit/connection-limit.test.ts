import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { ResponseFlag } from '../../../../../src/core/failure.ts';
import { Reasons } from '../../../../../src/core/rejection.ts';
import { connectionLimitBuilder } from '../../../../../src/filter/network/connection-limit/build.ts';
import { connectionLimitDecoder } from '../../../../../src/filter/network/connection-limit/decode.ts';
import { NetworkVerdict, type NetworkFilterTools } from '../../../../../src/filter/network/network-filter.ts';
import { OwnCount } from '../../../../../src/observe/limit/shared-limit.ts';
import { ConnectionLimitSchema } from '../../../../../src/proto/envoy/extensions/filters/network/connection_limit/v3/connection_limit_pb.js';
import { filterContext } from '../../filter-fixture.ts';
import { TestFilteredStream } from '../filtered-stream.ts';

function world(settings: MessageInitShape<typeof ConnectionLimitSchema>) {
  const context = filterContext();
  const count = new OwnCount();
  const tools: NetworkFilterTools = { ...context, lookups: null!, sharedNumber: () => count };
  const bytes = toBinary(ConnectionLimitSchema, create(ConnectionLimitSchema, { statPrefix: 'p', ...settings }));
  const data = connectionLimitDecoder.decode(bytes, new Reasons(), { open: () => null });
  const workers = [0, 1].map(() => connectionLimitBuilder.build(data, tools));
  const connect = (worker = 0) => {
    const stream = new TestFilteredStream();
    const filter = workers[worker].create();
    return { stream, filter, verdict: filter.onNewConnection!(stream) };
  };
  return { context, connect };
}

test('one connection too many is closed, whichever worker has it', () => {
  const { context, connect } = world({ maxConnections: 1n });
  const first = connect(0);
  expect(first.verdict).toBe(NetworkVerdict.Continue);
  const second = connect(1);
  expect(second.verdict).toBe(NetworkVerdict.Stop);
  expect(second.stream.heard).toEqual(['close over_connection_limit']);
  expect(second.stream.notes.flags).toBe(ResponseFlag.UpstreamRetryLimitExceeded);
  second.filter.onClosed!(second.stream);
  first.filter.onClosed!(first.stream);
  expect(connect(1).verdict).toBe(NetworkVerdict.Continue);
  expect(context.stats.used).toEqual({
    'connection_limit.p.limited_connections': 1,
    'connection_limit.p.active_connections': 1,
  });
});

test('it is closed after the delay, unless it has gone', () => {
  const { context, connect } = world({ maxConnections: 1n, delay: { seconds: 2n } });
  connect();
  const patient = connect();
  const gone = connect();
  context.timers.pass(1999);
  gone.filter.onClosed!(gone.stream);
  expect(patient.stream.heard).toEqual([]);
  context.timers.pass(1);
  expect([patient.stream.heard, gone.stream.heard]).toEqual([['close over_connection_limit'], []]);
});

test('switched off it counts nothing', () => {
  const { context, connect } = world({ maxConnections: 1n, runtimeEnabled: { defaultValue: false, runtimeKey: 'k' } });
  const open = [connect(), connect()];
  expect(open.map(({ verdict }) => verdict)).toEqual([NetworkVerdict.Continue, NetworkVerdict.Continue]);
  for (const { filter, stream } of open) filter.onClosed!(stream);
  expect(context.stats.used).toEqual({});
});
