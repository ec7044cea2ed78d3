import { create, toBinary, type JsonObject, type MessageInitShape } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { expect, it } from 'vitest';
import { hasMetricExpressions } from '../../../src/control/metric-expressions.ts';
import { TypedStructSchema } from '../../../src/proto/xds/type/v3/typed_struct_pb.js';
import { PluginConfigSchema } from '../../../src/proto/istio/stats_pb.js';

const typeUrl = 'type.googleapis.com/stats.PluginConfig';

function packed(...configs: MessageInitShape<typeof PluginConfigSchema>[]): Buffer {
  const anys = configs.map((config) => {
    const value = toBinary(PluginConfigSchema, create(PluginConfigSchema, config));
    return toBinary(AnySchema, create(AnySchema, { typeUrl, value }));
  });
  return Buffer.concat(anys);
}

it('metrics have expressions in dimensions and in definitions', () => {
  const plain = {
    disableHostHeaderFallback: true,
    tcpReportingDuration: { seconds: 500n },
    metrics: [{ name: 'requests_total', tagsToRemove: ['dimensions'], drop: true }],
    reporter: 1,
  };
  expect(hasMetricExpressions(packed())).toBe(false);
  expect(hasMetricExpressions(packed({}, plain))).toBe(false);
  expect(hasMetricExpressions(packed(plain, { metrics: [{ name: 'x' }, { dimensions: { a: 'b' }, name: 'c' }] }))).toBe(
    true,
  );
  expect(hasMetricExpressions(packed({ ...plain, definitions: [{ name: 'x', value: 'y' }] }))).toBe(true);
});

it('in a struct they have names', () => {
  const named = (value: object): Buffer =>
    Buffer.from(toBinary(TypedStructSchema, create(TypedStructSchema, { typeUrl, value: value as JsonObject })));
  expect(hasMetricExpressions(named({ metrics: [{ drop: true }] }))).toBe(false);
  expect(hasMetricExpressions(named({ metrics: [{ dimensions: { a: 'b' } }] }))).toBe(true);
});
