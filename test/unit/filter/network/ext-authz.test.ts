import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import type { CallOuts, GrpcCallUser } from '../../../../src/filter/call-outs.ts';
import { networkExtAuthzBuilder } from '../../../../src/filter/network/ext-authz/build.ts';
import { networkExtAuthzDecoder } from '../../../../src/filter/network/ext-authz/decode.ts';
import {
  NetworkVerdict,
  type FilteredStream,
  type NetworkFilterTools,
} from '../../../../src/filter/network/network-filter.ts';
import { ConnectionNotes } from '../../../../src/observe/connection-notes.ts';
import { ApiVersion } from '../../../../src/proto/envoy/config/core/v3/config_source_pb.js';
import { GrpcServiceSchema } from '../../../../src/proto/envoy/config/core/v3/grpc_service_pb.js';
import { ExtAuthzSchema } from '../../../../src/proto/envoy/extensions/filters/network/ext_authz/v3/ext_authz_pb.js';
import {
  CheckRequestSchema,
  CheckResponseSchema,
} from '../../../../src/proto/envoy/service/auth/v3/external_auth_pb.js';
import { filterContext } from '../filter-fixture.ts';

const grpcService = create(GrpcServiceSchema, {
  targetSpecifier: { case: 'envoyGrpc', value: { clusterName: 'authz' } },
});

function connection(settings: MessageInitShape<typeof ExtAuthzSchema> = {}) {
  const asked: { message: Uint8Array; user: GrpcCallUser; isCancelled: boolean }[] = [];
  const callOuts: CallOuts = {
    http: () => {
      throw new Error('asked by HTTP');
    },
    grpc: (_cluster, _path, message, _options, user) => {
      const call = { message, user, isCancelled: false };
      asked.push(call);
      return { cancel: () => void (call.isCancelled = true) };
    },
  };
  const context = filterContext();
  const message = create(ExtAuthzSchema, {
    transportApiVersion: ApiVersion.V3,
    grpcService,
    statPrefix: 'p',
    ...settings,
  });
  const data = networkExtAuthzDecoder.decode(toBinary(ExtAuthzSchema, message), new Reasons(), { open: () => null });
  const { stats, runtime, clock, timers } = context;
  const tools = { stats, runtime, clock, timers, lookups: null as never, callOuts } satisfies NetworkFilterTools;
  const filter = networkExtAuthzBuilder.build(data, tools).create();
  const heard: string[] = [];
  const remote = { kind: 'ip', host: '10.0.0.1', port: 5 } as const;
  const stream = {
    id: 1,
    peer: { remote, local: remote, tls: null, serverName: '' } as never,
    notes: new ConnectionNotes(),
    proceed: () => void heard.push('proceed'),
    pause: () => void heard.push('pause'),
    resume: () => void heard.push('resume'),
    close: (reason) => void heard.push(`close ${reason}`),
  } satisfies FilteredStream;
  return { asked, filter, stream, heard, stats };
}

const answer = (settings: MessageInitShape<typeof CheckResponseSchema>): Uint8Array =>
  toBinary(CheckResponseSchema, create(CheckResponseSchema, settings));

test('the first bytes wait for an answer, which is about who the client is', () => {
  const { asked, filter, stream, heard, stats } = connection();
  expect(filter.onData!(stream, new Uint8Array(3), false)).toBe(NetworkVerdict.Stop);
  expect(filter.onData!(stream, new Uint8Array(3), false)).toBe(NetworkVerdict.Stop);
  expect(asked).toHaveLength(1);
  const source = fromBinary(CheckRequestSchema, asked[0].message).attributes!.source!.address!.address;
  expect(source).toMatchObject({ case: 'socketAddress', value: { address: '10.0.0.1' } });
  asked[0].user.onAnswer(answer({}));
  expect(heard).toEqual(['proceed']);
  expect(filter.onData!(stream, new Uint8Array(3), false)).toBe(NetworkVerdict.Continue);
  expect(stats.used).toEqual({ 'ext_authz.p.total': 1, 'ext_authz.p.ok': 1 });
});

test('no answer closes the connection, unless failures are allowed', () => {
  const strict = connection();
  strict.filter.onData!(strict.stream, new Uint8Array(3), false);
  strict.asked[0].user.onFailure(14, 'gone');
  expect([strict.heard, strict.stream.notes.details]).toEqual([['close ext_authz_close'], 'ext_authz_error']);
  const lenient = connection({ failureModeAllow: true });
  lenient.filter.onData!(lenient.stream, new Uint8Array(3), false);
  lenient.asked[0].user.onFailure(14, 'gone');
  expect(lenient.heard).toEqual(['proceed']);
});

test('who goes is not asked about any more', () => {
  const { asked, filter, stream, stats } = connection();
  filter.onData!(stream, new Uint8Array(3), false);
  filter.onClosed!(stream);
  expect([asked[0].isCancelled, stats.values.get('ext_authz.p.active')]).toEqual([true, 0]);
});

test('a server must be named', () => {
  const reasons = new Reasons();
  const bytes = toBinary(ExtAuthzSchema, create(ExtAuthzSchema, { transportApiVersion: ApiVersion.V3 }));
  networkExtAuthzDecoder.decode(bytes, reasons, { open: () => null });
  expect(reasons.list.map(({ path }) => path)).toEqual(['grpc_service']);
});
