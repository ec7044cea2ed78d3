import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { Authority, type Issued } from '../../../certificates.ts';
import type { SdsServer } from '../../../sds-server.ts';
import { startSds } from '../../../start-sds.ts';
import { folder, grpcSecret, inline, pathSecret, put, putResponse, SecretWorld } from './secret-world.ts';

let authority: Authority;
let one: Issued;
let two: Issued;

beforeAll(async () => {
  authority = await Authority.root();
  one = await authority.issue({ subject: 'CN=one', dns: ['one.example'] });
  two = await authority.issue({ subject: 'CN=two', dns: ['two.example'] });
});

async function serve(): Promise<{ world: SecretWorld; server: SdsServer }> {
  const server = await startSds();
  const world = new SecretWorld();
  world.xds.addCluster('sds', { kind: 'ip', host: '127.0.0.1', port: server.port });
  return { world, server };
}

test('a secret that comes is told once, and another time when it is another', async () => {
  const { world, server } = await serve();
  server.set('one', inline(one));
  world.directory.need('cluster/c', [grpcSecret('one')]);
  expect(world.directory.isReady('sds/one')).toBe(false);
  world.directory.start(['sds/one']);
  await world.directory.whenReady(['sds/one']);
  expect(world.told).toMatchObject([{ set: [['sds/one', { kind: 'certificate', chainPem: one.chainPem }]] }]);
  server.set('one', inline(one));
  await server.request('one', ({ versionInfo }) => versionInfo === 'v2');
  expect(world.told).toHaveLength(1);
  server.set('one', inline(two));
  await world.changes(2);
  expect(world.chainOf('sds/one')).toBe(two.chainPem);
  expect([...world.directory.dynamic()].map(({ shown }) => shown.version)).toEqual(['v3']);
});

test('each of the secrets has a stream of its own, on one connection', async () => {
  const { world, server } = await serve();
  server.set('one', inline(one));
  server.set('ca', { validation_context: { trusted_ca: { inline_string: authority.rootPem } } });
  const keys = ['sds/one', 'sds/ca'];
  world.directory.need('cluster/c', [grpcSecret('one'), grpcSecret('ca', 'validation'), grpcSecret('one')]);
  world.directory.start(keys);
  await world.directory.whenReady(keys);
  expect(server.streams.map(({ names }) => names)).toEqual([['one'], ['ca']]);
  expect(world.directory.everything().set.map(([key, { kind }]) => [key, kind])).toEqual([
    ['sds/one', 'certificate'],
    ['sds/ca', 'validation'],
  ]);
});

const wrong: readonly (readonly [what: string, secret: () => object, reason: RegExp])[] = [
  [
    'a key of another certificate',
    () => inline({ ...one, keyPem: two.keyPem }),
    /secret 'one': tls_certificate\.private_key: .*KEY_VALUES_MISMATCH/,
  ],
  ['no certificate', () => inline({ ...one, chainPem: 'hello' }), /tls_certificate\.certificate_chain: /],
  ['no key', () => ({ tls_certificate: { certificate_chain: { inline_string: one.chainPem } } }), /private_key: /],
  ['a file that is not there', () => files('/nowhere.pem', '/nowhere.key'), /Invalid path: \/nowhere\.pem \(ENOENT\)/],
  [
    'another kind of secret',
    () => ({ validation_context: { trusted_ca: { inline_string: authority.rootPem } } }),
    /a tls_certificate is needed, and it is a validation_context/,
  ],
  ['nothing', () => ({}), /Secret type not implemented/],
];

test.each(wrong)('%s is refused, and the old one stays', async (_what, secret, reason) => {
  const { world, server } = await serve();
  server.set('one', inline(one));
  world.directory.need('cluster/c', [grpcSecret('one')]);
  world.directory.start(['sds/one']);
  await world.directory.whenReady(['sds/one']);
  server.set('one', secret());
  const refusal = await server.request('one', ({ errorDetail }) => errorDetail !== undefined);
  expect(refusal.errorDetail!.message).toMatch(reason);
  expect(refusal.versionInfo).toBe('v1');
  expect(world.chainOf('sds/one')).toBe(one.chainPem);
  expect(world.told).toHaveLength(1);
  expect(world.xds.shown('sds.one')).toMatchObject({ update_rejected: 1, update_success: 1 });
  expect(world.xds.lines.some((line) => line.startsWith('warning') && reason.test(line))).toBe(true);
});

test('what listeners wait for comes, is refused, or is late: each time they wait no longer', async () => {
  const { world, server } = await serve();
  server.set('bad', inline({ ...one, keyPem: two.keyPem }));
  const keys = ['sds/bad', 'sds/late'];
  world.directory.need('cluster/c', [grpcSecret('bad'), grpcSecret('late', 'certificate', 10)]);
  world.directory.start(keys);
  await world.directory.whenReady(keys);
  expect(keys.map((key) => world.directory.get(key))).toEqual([null, null]);
  expect(world.xds.shown('sds.late')).toMatchObject({ init_fetch_timeout: 1 });
});

test('a newer configuration keeps the streams that it shares, and ends the others', async () => {
  const { world, server } = await serve();
  for (const name of ['one', 'two', 'three']) server.set(name, inline(one));
  world.directory.need('cluster/c', [grpcSecret('one'), grpcSecret('two')]);
  world.directory.start(['sds/one', 'sds/two']);
  await world.directory.whenReady(['sds/one', 'sds/two']);
  world.directory.need('cluster/c', [grpcSecret('two'), grpcSecret('three')]);
  world.directory.start(['sds/two', 'sds/three']);
  await world.directory.whenReady(['sds/two', 'sds/three']);
  await server.until(() => !server.streams[0].isOpen);
  expect(server.streams.map(({ names, isOpen }) => [...names, isOpen])).toEqual([
    ['one', false],
    ['two', true],
    ['three', true],
  ]);
  // The threads keep it until nothing is made of it.
  expect(world.told.flatMap(({ removed }) => removed)).toEqual([]);
  world.directory.forget();
  expect(world.told.at(-1)).toEqual({ set: [], removed: ['sds/one'] });
});

test('a stat has the name of its secret, whose colons part nothing', () => {
  const world = new SecretWorld();
  world.directory.need('cluster/c', [grpcSecret('kubernetes://credential')]);
  expect(world.xds.shown('sds.kubernetes_credential')).toMatchObject({ version_text: '' });
});

function files(chain: string, key: string, watched?: string): object {
  return {
    tls_certificate: {
      certificate_chain: { filename: chain },
      private_key: { filename: key },
      ...(watched !== undefined && { watched_directory: { path: watched } }),
    },
  };
}

test('files that a secret names are followed, and taken when they fit together', async () => {
  const directory = folder();
  const [chain, key, response] = ['tls.crt', 'tls.key', 'sds.json'].map((name) => join(directory, name));
  put(chain, one.chainPem);
  put(key, one.keyPem);
  putResponse(response, 'one', files(chain, key));
  const world = new SecretWorld();
  world.directory.need('cluster/c', [pathSecret('one', response)]);
  world.directory.start(['sds/one']);
  expect(world.chainOf('sds/one')).toBe(one.chainPem);
  put(key, two.keyPem);
  put(chain, two.chainPem);
  await world.changes(2);
  expect(world.chainOf('sds/one')).toBe(two.chainPem);
  const [{ shown }] = world.directory.dynamic();
  expect(shown.message.type).toMatchObject({
    case: 'tlsCertificate',
    value: { certificateChain: { specifier: { case: 'inlineBytes', value: Buffer.from(two.chainPem) } } },
  });
});

test('files that do not fit together are counted, said, and the old ones stay', async () => {
  const directory = folder();
  const [chain, key, response] = ['tls.crt', 'tls.key', 'sds.json'].map((name) => join(directory, name));
  put(chain, one.chainPem);
  put(key, one.keyPem);
  putResponse(response, 'one', files(chain, key));
  const world = new SecretWorld();
  world.directory.need('cluster/c', [pathSecret('one', response)]);
  world.directory.start(['sds/one']);
  put(key, two.keyPem);
  await expect.poll(() => world.xds.shown('sds.one')['key_rotation_failed']).toBe(1);
  expect(world.chainOf('sds/one')).toBe(one.chainPem);
  const warning = world.xds.lines.find((line) => line.startsWith('warning'));
  expect(warning).toContain(`Failed to reload certificates: secret 'one': tls_certificate.private_key (${key}): `);
  put(key, one.keyPem);
  put(chain, one.chainPem);
  put(chain, two.chainPem);
  put(key, two.keyPem);
  await world.changes(2);
  expect(world.chainOf('sds/one')).toBe(two.chainPem);
});
