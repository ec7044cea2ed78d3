import { create, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, MethodOptionsSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { decode, descriptorFiles, descriptorSet, library, reasonsOf } from './library.ts';

const none = { services: [] };

test('without services it is off, and nothing else matters', () => {
  expect(decode(none)).toEqual({ active: null });
  expect(decode({ ...none, descriptorSet: { case: 'protoDescriptor', value: '/nowhere' } })).toEqual({ active: null });
});

test('every method with its paths', () => {
  const { methods } = decode(library({ autoMapping: true })).active!;
  const named = (name: string) => methods.find((method) => method.name === name);
  expect(named('GetBook')).toMatchObject({ input: 'test.library.Book', output: 'test.library.Book' });
  expect(named('GetBook')!.rules.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /v1/{name=shelves/*/books/*}',
    'GET /v1/books/{id}',
    'GET /v1/any/{name=**}',
    'GET /v1/deep/{name=a/**}/tail',
    'GET /v1/author/{author.name}/{author.family_name}',
  ]);
  expect(named('EchoEvery')!.rules.map(({ method }) => method)).toContain('OPTIONS');
  expect(named('DownloadIn')).toMatchObject({ responseBody: 'content' });
  expect(named('Talk')).toMatchObject({ isClientStream: true, isServerStream: true });
  expect(named('Unmapped')!.rules).toEqual([{ method: 'POST', path: '/test.library.Library/Unmapped', body: '*' }]);
});

test('status messages come along where they are to be printed', () => {
  const types = (convertGrpcStatus: boolean) =>
    decode(library({ convertGrpcStatus })).active!.schema.messages.map(({ typeName }) => typeName);
  expect(types(false)).not.toContain('google.rpc.Status');
  expect(types(true)).toContain('google.rpc.Status');
  expect(types(true).filter((name) => name === 'google.protobuf.Any')).toHaveLength(1);
});

describe('refused', () => {
  /** The library with a method's annotation or a file changed. */
  function changed(change: (set: ReturnType<typeof descriptorFiles>) => void): Uint8Array {
    const set = descriptorFiles();
    change(set);
    return toBinary(FileDescriptorSetSchema, set);
  }

  function annotated(name: string, rule: number[]): Uint8Array {
    return changed((set) => {
      const file = set.file.find((one) => one.name === 'library.proto')!;
      const method = file.service[0].method.find((one) => one.name === name)!;
      method.options = create(MethodOptionsSchema);
      method.options.$unknown = [{ no: 72_295_728, wireType: 2, data: new Uint8Array([rule.length, ...rule]) }];
    });
  }
  const get = (path: string): number[] => [18, path.length, ...Buffer.from(path)];
  const withSet = (value: Uint8Array) => library({ descriptorSet: { case: 'protoDescriptorBin', value } });

  test('descriptors that cannot be had', () => {
    expect(reasonsOf({ services: ['a.B'] })).toEqual(['transcoding_filter: descriptor not set']);
    expect(reasonsOf(library({ descriptorSet: { case: 'protoDescriptor', value: '/nowhere' } }))).toEqual([
      'proto_descriptor: file /nowhere cannot be read',
    ]);
    expect(reasonsOf(withSet(new Uint8Array([10, 200])))[0]).toContain('Unable to build proto descriptor pool');
    const lacking = changed((set) => {
      set.file = set.file.filter(({ name }) => name !== 'google/api/annotations.proto');
    });
    expect(reasonsOf(withSet(lacking))[0]).toContain('google/api/annotations.proto');
  });

  test('services that are not there, all of them', () => {
    expect(reasonsOf(library({ services: ['test.library.Nope', 'test.library.Library', 'Other'] }))).toEqual([
      "services[0]: transcoding_filter: Could not find 'test.library.Nope' in the proto descriptor",
      "services[2]: transcoding_filter: Could not find 'Other' in the proto descriptor",
    ]);
  });

  test('paths that are no template', () => {
    expect(reasonsOf(withSet(annotated('GetBook', get('/v1/{'))))).toEqual([
      "services[0]: transcoding_filter: Cannot register 'test.library.Library.GetBook' to path matcher: '/v1/{' is no path template",
    ]);
  });

  test('bodies that are no field', () => {
    const body = [58, 4, ...Buffer.from('nope')];
    expect(reasonsOf(withSet(annotated('GetBook', [...get('/x'), ...body])))).toEqual([
      'services[0]: transcoding_filter: Cannot register \'test.library.Library.GetBook\': Could not find field "nope" in the type "test.library.Book".',
    ]);
  });

  test('response bodies that are no HttpBody, as Envoy', () => {
    const responseBody = [98, 4, ...Buffer.from('name')];
    expect(reasonsOf(withSet(annotated('GetBook', [...get('/x'), ...responseBody])))[0]).toContain(
      'Setting "response_body" is not supported yet for non-HttpBody fields: test.library.Library.GetBook',
    );
  });

  test('annotations that are none', () => {
    expect(reasonsOf(withSet(annotated('GetBook', [18, 200])))[0]).toContain('cannot be read');
  });
});

test('a method without an annotation has no path', () => {
  const { methods } = decode(library({})).active!;
  expect(methods.find(({ name }) => name === 'Unmapped')!.rules).toEqual([]);
});

test('is plain data', () => {
  expect(decode(library({}))).toEqual(
    decode(library({ descriptorSet: { case: 'protoDescriptorBin', value: descriptorSet } })),
  );
});
