import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { expect, it } from 'vitest';
import { hasMetricExpressions } from '../../../src/control/metric-expressions.ts';
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
  expect(hasMetricExpressions(Buffer.from(`${typeUrl}\x1a\x05other`))).toBe(false);
  expect(hasMetricExpressions(Buffer.from(`${typeUrl}\x1a\x0a dimensions`))).toBe(true);
});
