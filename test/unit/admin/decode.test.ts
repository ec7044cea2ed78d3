import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { decodeAdmin } from '../../../src/admin/decode.ts';
import { Reasons } from '../../../src/core/rejection.ts';
import { AdminSchema } from '../../../src/proto/envoy/config/bootstrap/v3/bootstrap_pb.js';

function decode(json: JsonValue) {
  const reasons = new Reasons('admin');
  const data = decodeAdmin(fromJson(AdminSchema, json), reasons);
  return { data, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

test('an address, and what may be asked for', () => {
  const address = { socket_address: { address: '127.0.0.1', port_value: 9901 } };
  expect(decode({ address, allow_paths: [{ prefix: '/stats' }], profile_path: '/p' })).toEqual({
    data: {
      address: { kind: 'ip', host: '127.0.0.1', port: 9901 },
      pipeMode: null,
      allowPaths: [{ kind: 'prefix', value: '/stats', ignoreCase: false }],
    },
    reasons: [],
  });
});

test('a Unix socket with its mode', () => {
  expect(decode({ address: { pipe: { path: '/tmp/a', mode: 0o600 } } }).data).toMatchObject({
    address: { kind: 'pipe', host: '/tmp/a' },
    pipeMode: 0o600,
  });
});

test('no address: no admin pages', () => {
  expect(decodeAdmin(undefined, new Reasons())).toBeNull();
  expect(decode({})).toEqual({ data: null, reasons: [] });
});

test('what is not supported is named', () => {
  const address = { socket_address: { address: '127.0.0.1', port_value: 0 } };
  expect(decode({ address, socket_options: [{ level: '1', name: '2', int_value: '3' }] }).reasons).toEqual([
    "admin.socket_options: field 'socket_options' is not supported by sekisho",
  ]);
});
