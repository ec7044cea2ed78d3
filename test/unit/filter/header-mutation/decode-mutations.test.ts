import { fromJson, toBinary, type JsonValue } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { headerMutationDecoder } from '../../../../src/filter/header-mutation/decode.ts';
import { HeaderMutationSchema } from '../../../../src/proto/envoy/extensions/filters/http/header_mutation/v3/header_mutation_pb.js';

function reasonsFor(json: JsonValue): string[] {
  const reasons = new Reasons();
  const bytes = toBinary(HeaderMutationSchema, fromJson(HeaderMutationSchema, json));
  const extensions = { open: () => null };
  headerMutationDecoder.decode(bytes, reasons, extensions);
  return reasons.list.map(({ path, message }) => `${path}: ${message}`);
}

test.each([':path', ':method', ':authority', 'host', 'HOST'])('%s cannot be removed', (name) => {
  expect(reasonsFor({ mutations: { requestMutations: [{ remove: 'x-a' }, { remove: name }] } })).toEqual([
    `mutations.request_mutations[1].remove: '${name.toLowerCase()}' cannot be removed: no request could be forwarded without it`,
  ]);
});

test('any other header can', () => {
  expect(reasonsFor({ mutations: { requestMutations: [{ remove: 'content-type' }] } })).toEqual([]);
});
