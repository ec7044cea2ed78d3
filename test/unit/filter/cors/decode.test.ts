import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { decodeCorsPolicy } from '../../../../src/filter/cors/decode.ts';
import { CorsPolicySchema } from '../../../../src/proto/envoy/extensions/filters/http/cors/v3/cors_pb.js';

test('what is not said is null or empty', () => {
  const reasons = new Reasons();
  const data = decodeCorsPolicy(create(CorsPolicySchema), reasons);
  expect(reasons.list).toEqual([]);
  expect(data).toMatchObject({ allowOrigins: [], allowMethods: '', maxAge: '', allowCredentials: null });
  expect(structuredClone(data)).toEqual(data);
});

test('texts that become fields of answers stay within them', () => {
  const broken = 'GET\r\nx-evil: yes';
  const message = create(CorsPolicySchema, {
    allowMethods: broken,
    allowHeaders: broken,
    exposeHeaders: broken,
    maxAge: '1\0',
  });
  expect(decodeCorsPolicy(message, new Reasons())).toMatchObject({
    allowMethods: 'GET  x-evil: yes',
    allowHeaders: 'GET  x-evil: yes',
    exposeHeaders: 'GET  x-evil: yes',
    maxAge: '1 ',
  });
});
