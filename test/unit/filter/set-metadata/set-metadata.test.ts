import { create, toBinary } from '@bufbuild/protobuf';
import * as fc from '../../../property/chance.ts';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { setMetadataBuilder } from '../../../../src/filter/set-metadata/build.ts';
import { setMetadataDecoder } from '../../../../src/filter/set-metadata/decode.ts';
import { merged } from '../../../../src/filter/set-metadata/set-metadata.ts';
import { ConfigSchema } from '../../../../src/proto/envoy/extensions/filters/http/set_metadata/v3/set_metadata_pb.js';
import { filterContext, request, TestStream } from '../filter-fixture.ts';

test('what is there stays unless it may be merged', () => {
  const message = create(ConfigSchema, {
    metadataNamespace: 'old',
    value: { v: 1 },
    metadata: [
      { metadataNamespace: 'a', value: { x: 1 } },
      { metadataNamespace: 'a', value: { x: 2 } },
      { metadataNamespace: 'a', allowOverwrite: true, value: { y: [3] } },
      { metadataNamespace: 'b' },
    ],
  });
  const data = setMetadataDecoder.decode(toBinary(ConfigSchema, message), new Reasons(), { open: () => null });
  const context = filterContext();
  const stream = new TestStream(context, request());
  setMetadataBuilder.build(data, context).create().onRequestHead!(stream, stream.requestHead, true);
  expect([...stream.outcome.dynamicMetadata!]).toEqual([
    ['old', { v: 1 }],
    ['a', { x: 1, y: [3] }],
  ]);
  expect(context.stats.used).toEqual({ 'set_metadata.overwrite_denied': 1 });
});

test('structs are merged, lists appended, all else replaced', () => {
  const old = { n: 1, l: [1], s: { a: 1, b: 2 }, k: 'text' };
  const fresh = { n: 'one', l: [2], s: { b: 3 }, k: { x: 1 } };
  expect(merged(old, fresh)).toEqual({ n: 'one', l: [1, 2], s: { a: 1, b: 3 }, k: { x: 1 } });
});

test('merging changes neither, and leaves no field out', () => {
  fc.assert(
    fc.property(fc.object(), fc.object(), (old, fresh) => {
      const before = structuredClone([old, fresh]);
      const result = merged(old, fresh) as object;
      expect([old, fresh]).toEqual(before);
      expect(new Set(Object.keys(result))).toEqual(new Set([...Object.keys(old), ...Object.keys(fresh)]));
    }),
  );
});
