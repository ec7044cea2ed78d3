import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { isAboutSupport, Reasons } from '../../../src/core/rejection.ts';
import { SupportedFields, supportedMessages } from '../../../src/core/supported-fields.ts';
import { PipeSchema } from '../../../src/proto/envoy/config/core/v3/address_pb.js';

test('a field that is set and neither read nor without effect is refused by its name', () => {
  const fields = new SupportedFields(PipeSchema, ['path']);
  const reasons = new Reasons().at('pipes', 2);
  fields.check(create(PipeSchema, { path: '/a' }), reasons);
  expect(reasons.isEmpty).toBe(true);
  fields.check(create(PipeSchema, { path: '/a', mode: 0o600 }), reasons);
  expect(reasons.list).toEqual([{ path: 'pipes[2].mode', message: "field 'mode' is not supported by sekisho" }]);
  expect(reasons.list.every(isAboutSupport)).toBe(true);
});

test('what has no effect may be set', () => {
  const reasons = new Reasons();
  new SupportedFields(PipeSchema, ['path'], ['mode']).check(create(PipeSchema, { mode: 0o600 }), reasons);
  expect(reasons.isEmpty).toBe(true);
});

test('declarations are known, and hold names that the message has', () => {
  const fields = new SupportedFields(PipeSchema, ['path']);
  expect(supportedMessages).toContain(fields);
  const wrong = new SupportedFields(PipeSchema, ['paths']);
  expect(() => wrong.refusedFields()).toThrow('envoy.config.core.v3.Pipe has no field paths');
  expect(() => wrong.check(create(PipeSchema), new Reasons())).toThrow('no field paths');
});
