import { fromJson, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../../src/core/rejection.ts';
import { networkRbacBuilder } from '../../../../../src/filter/network/rbac/build.ts';
import { networkRbacDecoder } from '../../../../../src/filter/network/rbac/decode.ts';
import { NetworkVerdict, type NetworkFilterTools } from '../../../../../src/filter/network/network-filter.ts';
import { RBACSchema } from '../../../../../src/proto/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
import { filterContext } from '../../filter-fixture.ts';
import { TestFilteredStream } from '../filtered-stream.ts';

const bytes = new Uint8Array(5);
const any = { permissions: [{ any: true }], principals: [{ any: true }] };
const onlyNoted = {
  permissions: [{ metadata: { filter: 'ns', path: [{ key: 'k' }], value: { boolMatch: true } } }],
  principals: [{ any: true }],
};

function world(settings: object) {
  const context = filterContext();
  const { stats, runtime, clock, timers } = context;
  const tools: NetworkFilterTools = { stats, runtime, clock, timers, lookups: null! };
  const reasons = new Reasons();
  const message = toBinary(RBACSchema, fromJson(RBACSchema, { statPrefix: 'tcp.', ...settings }));
  const data = networkRbacDecoder.decode(message, reasons, { open: () => null });
  const stream = new TestFilteredStream();
  const filter = networkRbacBuilder.build(structuredClone(data), tools).create();
  return { context, stream, filter, data: () => filter.onData!(stream, bytes, false), reasons: reasons.list };
}

test('the first bytes decide', () => {
  const allowed = world({ rules: { policies: { onlyNoted } } });
  allowed.stream.notes.dynamicMetadata.set('ns', { k: true });
  expect(allowed.data()).toBe(NetworkVerdict.Continue);
  allowed.stream.notes.dynamicMetadata.clear();
  expect(allowed.data()).toBe(NetworkVerdict.Continue);
  expect(allowed.context.stats.used).toEqual({ 'tcp.rbac.allowed': 1 });

  const denied = world({ rules: { action: 'DENY', policies: { 'a b': any } } });
  expect(denied.data()).toBe(NetworkVerdict.Stop);
  expect(denied.data()).toBe(NetworkVerdict.Stop);
  expect(denied.stream.heard).toEqual(['close rbac_deny_close']);
  expect(denied.stream.notes.terminationDetails).toBe('rbac_access_denied_matched_policy[a_b]');
  expect(denied.context.stats.used).toEqual({ 'tcp.rbac.denied': 1 });
});

test('or all bytes do', () => {
  const { stream, data, context } = world({ enforcementType: 'CONTINUOUS', rules: { policies: { onlyNoted } } });
  stream.notes.dynamicMetadata.set('ns', { k: true });
  expect(data()).toBe(NetworkVerdict.Continue);
  stream.notes.dynamicMetadata.clear();
  expect(data()).toBe(NetworkVerdict.Stop);
  expect(context.stats.used).toEqual({ 'tcp.rbac.allowed': 1, 'tcp.rbac.denied': 1 });
});

test('the end of a denied connection may be delayed, unless it has gone', () => {
  const { stream, data, context } = world({ delayDeny: '2s', rules: {} });
  expect(data()).toBe(NetworkVerdict.Stop);
  context.timers.pass(1999);
  expect(stream.heard).toEqual(['pause']);
  context.timers.pass(1);
  expect(stream.heard).toEqual(['pause', 'close rbac_deny_close']);
  const gone = world({ delayDeny: '2s', rules: {} });
  gone.data();
  gone.filter.onClosed!(gone.stream);
  expect(gone.context.timers.size).toBe(0);
});

test('shadows and logs only note', () => {
  const { stream, data, context } = world({
    rules: { action: 'LOG', policies: { any } },
    shadowRulesStatPrefix: 'dry_',
    shadowRules: { action: 'DENY', policies: { any } },
  });
  expect(data()).toBe(NetworkVerdict.Continue);
  expect(Object.fromEntries(stream.notes.dynamicMetadata)).toEqual({
    'envoy.common': { access_log_hint: true },
    'envoy.filters.network.rbac': { dry_shadow_effective_policy_id: 'any', dry_shadow_engine_result: 'denied' },
  });
  expect(context.stats.used).toEqual({ 'tcp.rbac.allowed': 1, 'tcp.rbac.dry_.shadow_denied': 1 });
});

test('without rules everything passes, and without a prefix it is counted all the same', () => {
  expect(world({}).data()).toBe(NetworkVerdict.Continue);
  const { data, context } = world({ statPrefix: '', rules: { policies: { any } } });
  data();
  expect(context.stats.used).toEqual({ 'rbac.allowed': 1 });
});

test('rules about headers are refused', () => {
  const header = { header: { name: 'x', presentMatch: true } };
  const inside = { permissions: [{ notRule: { orRules: { rules: [header] } } }], principals: [{ any: true }] };
  expect(world({ rules: { policies: { inside } } }).reasons[0]?.message).toBe(
    'Found header rule,not supported by RBAC network filter',
  );
});
