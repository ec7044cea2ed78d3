import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import type { CallOuts, GrpcCallUser } from '../../../../src/filter/call-outs.ts';
import { NetworkVerdict, type NetworkFilterTools } from '../../../../src/filter/network/network-filter.ts';
import { networkRateLimitBuilder } from '../../../../src/filter/network/ratelimit/build.ts';
import { networkRateLimitDecoder } from '../../../../src/filter/network/ratelimit/decode.ts';
import { ApiVersion } from '../../../../src/proto/envoy/config/core/v3/config_source_pb.js';
import { RateLimitSchema } from '../../../../src/proto/envoy/extensions/filters/network/ratelimit/v3/rate_limit_pb.js';
import {
  RateLimitRequestSchema,
  RateLimitResponseSchema,
} from '../../../../src/proto/envoy/service/ratelimit/v3/rls_pb.js';
import { filterContext } from '../filter-fixture.ts';
import { TestFilteredStream } from './filtered-stream.ts';

const whole = {
  statPrefix: 'p',
  domain: 'd',
  descriptors: [{ entries: [{ key: 'peer', value: 'of %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%' }] }],
  rateLimitService: {
    transportApiVersion: ApiVersion.V3,
    grpcService: { targetSpecifier: { case: 'envoyGrpc' as const, value: { clusterName: 'rls' } } },
  },
} satisfies MessageInitShape<typeof RateLimitSchema>;

const decode = (message: MessageInitShape<typeof RateLimitSchema>, reasons = new Reasons()) =>
  networkRateLimitDecoder.decode(toBinary(RateLimitSchema, create(RateLimitSchema, message)), reasons, {
    open: () => null,
  });

/** `answer`: given before the asking returns. */
function connection(settings: { readonly failureModeDeny?: boolean } = {}, answer: Uint8Array | null = null) {
  const asked: { message: Uint8Array; user: GrpcCallUser; isCancelled: boolean }[] = [];
  const callOuts: CallOuts = {
    http: () => {
      throw new Error('asked by HTTP');
    },
    grpc: (_cluster, _path, message, _options, user) => {
      const call = { message, user, isCancelled: false };
      asked.push(call);
      if (answer !== null) user.onAnswer(answer);
      return { cancel: () => void (call.isCancelled = true) };
    },
  };
  const { stats, runtime, clock, timers } = filterContext();
  const tools = { stats, runtime, clock, timers, lookups: null as never, callOuts } satisfies NetworkFilterTools;
  const filter = networkRateLimitBuilder.build(decode({ ...whole, ...settings }), tools).create();
  const remote = { kind: 'ip', host: '10.0.0.1', port: 5 } as const;
  const peer = { remote, local: remote, tls: null, serverName: '' } as never;
  const stream = Object.assign(new TestFilteredStream(), { peer });
  return { asked, filter, stream, heard: stream.heard, stats };
}

const says = (settings: MessageInitShape<typeof RateLimitResponseSchema>): Uint8Array =>
  toBinary(RateLimitResponseSchema, create(RateLimitResponseSchema, settings));

test('a connection waits for an answer, which is about what is known of it', () => {
  const { asked, filter, stream, heard, stats } = connection();
  expect(filter.onNewConnection!(stream)).toBe(NetworkVerdict.Stop);
  const question = fromBinary(RateLimitRequestSchema, asked[0].message);
  expect(question).toMatchObject({
    domain: 'd',
    descriptors: [{ entries: [{ key: 'peer', value: 'of 10.0.0.1' }] }],
  });
  asked[0].user.onAnswer(says({ overallCode: 1, dynamicMetadata: { a: 1 } }));
  expect(heard).toEqual(['proceed']);
  expect(stream.notes.dynamicMetadata.get('envoy.filters.network.ratelimit')).toEqual({ a: 1 });
  expect(stats.used).toEqual({ 'ratelimit.p.total': 1, 'ratelimit.p.ok': 1 });
});

test('one too many is closed, at once where the answer comes at once', () => {
  const late = connection();
  late.filter.onNewConnection!(late.stream);
  late.asked[0].user.onAnswer(says({ overallCode: 2 }));
  const soon = connection({}, says({ overallCode: 2 }));
  expect(soon.filter.onNewConnection!(soon.stream)).toBe(NetworkVerdict.Stop);
  for (const { heard, stats } of [late, soon]) {
    expect(heard).toEqual(['close ratelimit_close_over_limit']);
    expect(stats.used).toEqual({ 'ratelimit.p.total': 1, 'ratelimit.p.over_limit': 1, 'ratelimit.p.cx_closed': 1 });
  }
  const passing = connection({}, says({ overallCode: 1 }));
  expect(passing.filter.onNewConnection!(passing.stream)).toBe(NetworkVerdict.Continue);
  expect(passing.heard).toEqual([]);
});

test('no answer lets a connection pass, unless failures are denied', () => {
  const lenient = connection();
  lenient.filter.onNewConnection!(lenient.stream);
  lenient.asked[0].user.onFailure(14, 'gone');
  expect(lenient.heard).toEqual(['proceed']);
  const strict = connection({ failureModeDeny: true }, Uint8Array.of(8));
  strict.filter.onNewConnection!(strict.stream);
  expect(strict.heard).toEqual(['close ratelimit_error_failure_mode_connection_close']);
});

test('who goes is not asked about any more', () => {
  const { asked, filter, stream, stats } = connection();
  filter.onNewConnection!(stream);
  filter.onClosed!(stream);
  filter.onClosed!(stream);
  expect([asked[0].isCancelled, stats.values.get('ratelimit.p.active')]).toEqual([true, 0]);
});

test('a service must be named, and formats be formats', () => {
  const reasons = new Reasons();
  decode({ ...whole, rateLimitService: {}, descriptors: [{ entries: [{ key: 'k', value: '%NO' }] }] }, reasons);
  expect(reasons.list.map(({ path }) => path)).toEqual([
    'descriptors[0].entries[0].value',
    'rate_limit_service.grpc_service',
  ]);
});
