import type { JsonObject } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import {
  callCredentials,
  decodeGoogleGrpc,
  usesTls,
  type GoogleServiceNeed,
} from '../../../../src/identity/decode/google-grpc-decode.ts';
import {
  GrpcService_GoogleGrpcSchema,
  type GrpcService_GoogleGrpc,
} from '../../../../src/proto/envoy/config/core/v3/grpc_service_pb.js';
import { FileBasedMetadataConfigSchema } from '../../../../src/proto/envoy/config/grpc_credential/v3/file_based_metadata_pb.js';
import { createRegistry, fromJson } from '../../../../src/proto/protobuf.js';

type Json = JsonObject;

const registry = createRegistry(FileBasedMetadataConfigSchema);
const fileFactory = 'envoy.grpc_credentials.file_based_metadata';
const tls = { channel_credentials: { ssl_credentials: {} } };

function messageOf(json: Json): GrpcService_GoogleGrpc {
  return fromJson(
    GrpcService_GoogleGrpcSchema,
    { target_uri: 'a.test:1', stat_prefix: 'p', ...json },
    {
      registry,
    },
  );
}

function decode(json: Json) {
  const reasons = new Reasons();
  const data = decodeGoogleGrpc(messageOf(json), reasons.at('g'));
  return {
    data,
    needs: reasons.needs as GoogleServiceNeed[],
    reasons: reasons.list.map((one) => `${one.path}: ${one.message}`),
  };
}

const fromFile = (config: Json, name = fileFactory): Json => ({
  from_plugin: {
    name,
    typed_config: { '@type': `type.googleapis.com/${FileBasedMetadataConfigSchema.typeName}`, ...config },
  },
});

describe('a service of google_grpc', () => {
  test('is a cluster of our own, the same for those who say the same', () => {
    const { data, needs, reasons } = decode({});
    expect(reasons).toEqual([]);
    expect(data).toEqual({ cluster: needs[0].name, authority: 'a.test:1', maxReceiveMessageLength: 0 });
    expect(needs[0].name).toMatch(/^google_grpc_p_[0-9a-f]{16}$/);
    expect(decode({}).data?.cluster).toBe(needs[0].name);
    expect(decode({ target_uri: 'b.test:1' }).data?.cluster).not.toBe(needs[0].name);
  });

  test('may say how it is to be called, and how much it may answer', () => {
    const args = {
      'grpc.default_authority': { string_value: 'other' },
      'grpc.max_receive_message_length': { int_value: 5 },
      'grpc.keepalive_time_ms': { int_value: 1000 },
    };
    expect(decode({ channel_args: { args } }).data).toMatchObject({ authority: 'other', maxReceiveMessageLength: 5 });
    const unlimited = { args: { 'grpc.max_receive_message_length': { int_value: -1 } } };
    expect(decode({ channel_args: unlimited }).data).toMatchObject({ maxReceiveMessageLength: 0 });
  });

  test.each([
    [{}, false],
    [tls, true],
    [{ credentials_factory_name: fileFactory }, true],
    [{ channel_credentials: { local_credentials: {} }, credentials_factory_name: fileFactory }, false],
  ])('%j: by TLS: %s', (json, expected) => {
    expect(usesTls(messageOf(json))).toBe(expected);
  });

  test('what every call says', () => {
    const list = [
      fromFile({ secret_data: { filename: '/token' } }),
      fromFile({ secret_data: { inline_string: 'secret' }, header_key: 'X-Key', header_prefix: 'Bearer ' }),
      { access_token: 'abc' },
    ];
    expect(callCredentials(messageOf({ call_credentials: list }))).toEqual([
      { key: 'authorization', prefix: '', source: { kind: 'file', path: '/token' } },
      { key: 'x-key', prefix: 'Bearer ', source: { kind: 'text', text: 'secret' } },
      { key: 'authorization', prefix: 'Bearer ', source: { kind: 'text', text: 'abc' } },
    ]);
  });

  test.each<[string, Json, RegExp]>([
    ['a target', { target_uri: 'xds:///a' }, /^g.target_uri: servers of 'xds:' are not supported by sekisho/],
    [
      'credentials of Google',
      { channel_credentials: { google_default: {} } },
      /channel_credentials.google_default: field 'google_default'/,
    ],
    [
      'a socket’s, of no socket',
      { channel_credentials: { local_credentials: {} } },
      /local_credentials: they are for sockets/,
    ],
    [
      'a file that is not there',
      { channel_credentials: { ssl_credentials: { root_certs: { filename: '/nowhere' } } } },
      /root_certs: Invalid path: \/nowhere/,
    ],
    [
      'half of a pair',
      { channel_credentials: { ssl_credentials: { private_key: { inline_string: 'k' } } } },
      /must both be set, or neither/,
    ],
    ['a factory', { credentials_factory_name: 'mine' }, /Unknown google grpc credentials factory: mine/],
    ['a token without TLS', { call_credentials: [{ access_token: 'a' }] }, /call_credentials: they are told to nobody/],
    [
      'a token of Google',
      { ...tls, call_credentials: [{ google_compute_engine: {} }] },
      /field 'google_compute_engine'/,
    ],
    [
      'a plugin of another factory',
      { ...tls, call_credentials: [fromFile({})] },
      /from_plugin: needs the credentials_factory_name/,
    ],
    [
      'a token of another factory',
      { credentials_factory_name: fileFactory, call_credentials: [{ access_token: 'a' }] },
      /access_token: means nothing to/,
    ],
    [
      'a plugin without a secret',
      { credentials_factory_name: fileFactory, call_credentials: [fromFile({})] },
      /secret_data: must be set/,
    ],
    [
      'another plugin',
      { credentials_factory_name: fileFactory, call_credentials: [{ from_plugin: { name: 'x' } }] },
      /typed_config: '' is not supported by sekisho/,
    ],
    [
      'an argument',
      { channel_args: { args: { 'grpc.nothing': { int_value: 1 } } } },
      /args\['grpc.nothing'\]: is not supported by sekisho; allowed: grpc.default_authority/,
    ],
    [
      'an argument of another kind',
      { channel_args: { args: { 'grpc.default_authority': { int_value: 1 } } } },
      /must be a string_value/,
    ],
    ['buffers', { per_stream_buffer_limit_bytes: 1 }, /field 'per_stream_buffer_limit_bytes'/],
    ['more configuration', { config: { a: 1 } }, /field 'config'/],
  ])('%s is refused', (_, json, reason) => {
    const { data, needs, reasons } = decode(json);
    expect([data, needs]).toEqual([null, []]);
    expect(
      reasons.some((one) => reason.test(one)),
      reasons.join('; '),
    ).toBe(true);
  });
});
