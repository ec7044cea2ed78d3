import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { decodeSecret } from '../../../../src/identity/decode/secret-decode.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import type { SecretSourceData } from '../../../../src/identity/secret-source-data.ts';
import { filesOf, takeInFiles } from '../../../../src/control/sds/secret-files.ts';
import {
  SecretSchema,
  type Secret,
} from '../../../../src/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { fromJson, toBinary } from '../../../../src/proto/protobuf.js';
import { Authority, type Issued } from '../../../certificates.ts';
import { folder, pathSecret, putResponse, SecretWorld } from './secret-world.ts';

let one: Issued;
let two: Issued;

beforeAll(async () => {
  const authority = await Authority.root();
  one = await authority.issue({ subject: 'CN=one' });
  two = await authority.issue({ subject: 'CN=two' });
});

function secret(json: object): Secret {
  return fromJson(SecretSchema, json as Parameters<typeof fromJson>[1]);
}

test('the folders of the files are watched for these names, or the one that is named for any', () => {
  const own = secret({
    tls_certificate: { certificate_chain: { filename: '/a/tls.crt' }, private_key: { filename: '/b/tls.key' } },
  });
  expect(filesOf(own)).toEqual({
    paths: new Map([
      ['tls_certificate.certificate_chain', '/a/tls.crt'],
      ['tls_certificate.private_key', '/b/tls.key'],
    ]),
    watched: [
      { directory: '/a', name: 'tls.crt' },
      { directory: '/b', name: 'tls.key' },
    ],
  });
  const named = secret({
    validation_context: { trusted_ca: { filename: '/a/ca.crt' }, watched_directory: { path: '/c' } },
  });
  expect(filesOf(named).watched).toEqual([{ directory: '/c', name: null }]);
  expect(filesOf(secret({ generic_secret: { secret: { inline_string: 'x' } } })).watched).toEqual([]);
});

test('what files have takes the place of their names, in every kind of secret', () => {
  const path = join(folder(), 'file');
  writeFileSync(path, 'content');
  const kinds = [
    { validation_context: { trusted_ca: { filename: path }, crl: { filename: path } } },
    { session_ticket_keys: { keys: [{ filename: path }] } },
    { generic_secret: { secret: { filename: path }, secrets: { a: { filename: path } } } },
    { tls_certificate: { pkcs12: { filename: path }, password: { filename: path }, ocsp_staple: { filename: path } } },
  ];
  for (const kind of kinds) {
    const message = secret(kind);
    expect(takeInFiles(message)).toBe('');
    expect(filesOf(message).paths.size).toBe(0);
  }
});

/** As Kubernetes mounts a secret: files are links through `..data`, which is what changes. */
function mount(versions: readonly (readonly [crt: string, key: string])[]): {
  path: string;
  swap: (to: number) => void;
} {
  const path = folder();
  for (const [i, [crt, key]] of versions.entries()) {
    mkdirSync(join(path, `..${i}`));
    writeFileSync(join(path, `..${i}`, 'tls.crt'), crt);
    writeFileSync(join(path, `..${i}`, 'tls.key'), key);
  }
  symlinkSync('..0', join(path, '..data'));
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, join(path, name));
  const swap = (to: number): void => {
    symlinkSync(`..${to}`, join(path, '..data_tmp'));
    renameSync(join(path, '..data_tmp'), join(path, '..data'));
  };
  return { path, swap };
}

function mounted(path: string): object {
  return {
    tls_certificate: {
      certificate_chain: { filename: join(path, 'tls.crt') },
      private_key: { filename: join(path, 'tls.key') },
      watched_directory: { path },
    },
  };
}

test('a Kubernetes secret is followed where the folder is watched', async () => {
  const { path, swap } = mount([
    [one.chainPem, one.keyPem],
    [two.chainPem, two.keyPem],
  ]);
  const response = join(folder(), 'sds.yaml');
  putResponse(response, 'one', mounted(path));
  const world = new SecretWorld();
  world.directory.need('cluster/c', [pathSecret('one', response)]);
  world.directory.start(['sds/one']);
  expect(world.chainOf('sds/one')).toBe(one.chainPem);
  swap(1);
  await world.changes(2);
  expect(world.chainOf('sds/one')).toBe(two.chainPem);
});

test('so is one that is written in the configuration, and a bad one leaves the old', async () => {
  const { path, swap } = mount([
    [one.chainPem, one.keyPem],
    [one.chainPem, two.keyPem],
    [two.chainPem, two.keyPem],
  ]);
  const message = secret(mounted(path));
  const initial = decodeSecret(message, new Reasons())!;
  const packed = toBinary(SecretSchema, message);
  const from: SecretSourceData['from'] = { kind: 'files', message: packed, directories: [path], initial };
  const world = new SecretWorld();
  world.directory.need('cluster/c', [{ key: 'a', name: 'a', kind: 'certificate', from }]);
  // It is in the stores before anything is asked for.
  expect(world.told).toEqual([{ set: [['a', initial]], removed: [] }]);
  expect(world.directory.isReady('a')).toBe(true);
  world.directory.start(['a']);
  swap(1);
  await expect
    .poll(() => world.xds.lines)
    .toContainEqual(
      expect.stringMatching(/^warning Failed to reload certificates: the configured secret 'a': .*KEY_VALUES_MISMATCH/),
    );
  expect(world.chainOf('a')).toBe(one.chainPem);
  swap(2);
  await world.changes(2);
  expect(world.directory.get('a')).toMatchObject({ chainPem: two.chainPem, origin: join(path, 'tls.crt') });
});
