import type { JsonObject } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { unwrapTypedStruct } from '../../../src/config/typed-struct.ts';
import { HTTPFaultSchema } from '../../../src/proto/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { create, fromBinary, toBinary } from '../../../src/proto/protobuf.js';
import { TypedStructSchema } from '../../../src/proto/xds/type/v3/typed_struct_pb.js';

const typeUrl = 'type.googleapis.com/udpa.type.v1.TypedStruct';

function packed(inner: string, value: Record<string, unknown>): { typeUrl: string; value: Uint8Array } {
  const struct = create(TypedStructSchema, { typeUrl: `type.googleapis.com/${inner}`, value: value as JsonObject });
  return { typeUrl, value: toBinary(TypedStructSchema, struct) };
}

test('the message that a TypedStruct stands for', () => {
  const { packed: inner, reasons } = unwrapTypedStruct(
    packed(HTTPFaultSchema.typeName, { abort: { http_status: 503 } }),
  );
  expect(reasons).toEqual([]);
  expect(inner.typeUrl).toBe(`type.googleapis.com/${HTTPFaultSchema.typeName}`);
  expect(fromBinary(HTTPFaultSchema, inner.value).abort?.errorType.value).toBe(503);
});

test.each<[string, Record<string, unknown>, string]>([
  [HTTPFaultSchema.typeName, { abort: { http_statuss: 503 } }, 'abort.http_statuss'],
  [HTTPFaultSchema.typeName, { abort: { http_status: 99 } }, 'abort.http_status'],
  ['a.b.C', {}, ''],
])('%s of %j is refused at %j', (inner, value, path) => {
  expect(unwrapTypedStruct(packed(inner, value)).reasons.map((reason) => reason.path)).toEqual([path]);
});

test('anything else is handed back as it is', () => {
  const any = { typeUrl: 'type.googleapis.com/a.B', value: new Uint8Array([1]) };
  expect(unwrapTypedStruct(any).packed).toBe(any);
});
