import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { secretKind } from '../../../../src/control/xds/resource-kinds.ts';
import { Subscriptions } from '../../../../src/control/xds/subscriptions.ts';
import type { OpenedResource, SubscriptionUser } from '../../../../src/control/xds/resource-kind.ts';
import { SecretSchema } from '../../../../src/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { DiscoveryResponseSchema } from '../../../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { anyPack, create, toBinary } from '../../../../src/proto/protobuf.js';
import { XdsWorld } from './xds-world.ts';

/** Writes down what it hears, and says when. */
class Hearer implements SubscriptionUser {
  readonly heard: string[] = [];
  private waiting: (() => void) | null = null;

  onResources(resources: readonly OpenedResource[], version: string): string {
    this.say(`${version}: ${resources.map(({ name }) => name).join(' ')}`);
    return resources.length === 1 ? '' : 'one is wanted';
  }

  onGivenUp(): void {
    this.say('given up');
  }

  async count(count: number): Promise<readonly string[]> {
    while (this.heard.length < count) await new Promise<void>((resolve) => (this.waiting = resolve));
    return this.heard;
  }

  private say(what: string): void {
    this.heard.push(what);
    this.waiting?.();
  }
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sekisho-path-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function response(version: string, ...names: string[]): string {
  const resources = names.map((name) => ({ '@type': secretKind.typeUrl, name }));
  return JSON.stringify({ version_info: version, resources });
}

function put(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

function follow(path: string, watchedDirectory = ''): { world: XdsWorld; hearer: Hearer } {
  const world = new XdsWorld();
  const hearer = new Hearer();
  const source = { initialFetchTimeoutMs: 0, from: { kind: 'path', path, watchedDirectory } } as const;
  const subscription = new Subscriptions(world).open(secretKind, [], source, hearer, world.countedAs('one'));
  subscription.start();
  onTestFinished(() => subscription.stop());
  return { world, hearer };
}

test('is read at the start, and when it is moved over', async () => {
  const path = join(folder(), 'sds.yaml');
  put(path, response('1', 'a'));
  const { world, hearer } = follow(path);
  expect(hearer.heard).toEqual(['1: a']);
  put(path, response('2', 'a'));
  expect(await hearer.count(2)).toEqual(['1: a', '2: a']);
  expect(world.shown('sds.one')).toMatchObject({ update_success: 2, update_attempt: 2, version_text: '2' });
});

test('YAML, JSON and protobuf by the end of the name', () => {
  const directory = folder();
  const resource = anyPack(SecretSchema, create(SecretSchema, { name: 'c' }));
  const binary = create(DiscoveryResponseSchema, { versionInfo: '3', resources: [resource] });
  put(join(directory, 'a.yaml'), `version_info: '1'\nresources:\n- '@type': ${secretKind.typeUrl}\n  name: a\n`);
  put(join(directory, 'b.json'), response('2', 'b'));
  put(join(directory, 'c.pb'), toBinary(DiscoveryResponseSchema, binary));
  const heard = ['a.yaml', 'b.json', 'c.pb'].flatMap((name) => follow(join(directory, name)).hearer.heard);
  expect(heard).toEqual(['1: a', '2: b', '3: c']);
});

test('what cannot be read is a failure, what is refused a rejection, each with the place', async () => {
  const path = join(folder(), 'sds.yaml');
  put(path, response('1', 'a'));
  const { world, hearer } = follow(path);
  put(path, 'resources: [');
  await hearer.count(2);
  put(path, response('2', 'a', 'b'));
  await hearer.count(4);
  put(path, `resources: [{ '@type': type.googleapis.com/envoy.config.cluster.v3.Cluster, name: c }]`);
  expect(await hearer.count(5)).toEqual(['1: a', 'given up', '2: a b', 'given up', 'given up']);
  expect(world.shown('sds.one')).toMatchObject({
    update_success: 1,
    update_failure: 1,
    update_rejected: 2,
    update_attempt: 4,
    version_text: '1',
  });
  const warnings = world.lines.filter((line) => line.startsWith('warning'));
  expect(warnings[0]).toMatch(`Filesystem config update failure: in ${path}, line 1, column `);
  expect(warnings[1]).toBe(`warning Filesystem config update rejected: in ${path}, one is wanted`);
  expect(warnings[2]).toMatch('does not match the message-wide type URL');
});

test('Kubernetes swaps a link: the folder is watched, the file is never moved', async () => {
  const directory = folder();
  for (const version of ['1', '2']) {
    mkdirSync(join(directory, version));
    writeFileSync(join(directory, version, 'sds.yaml'), response(version, 'a'));
  }
  symlinkSync('1', join(directory, '..data'));
  symlinkSync('..data/sds.yaml', join(directory, 'sds.yaml'));
  const { hearer } = follow(join(directory, 'sds.yaml'), directory);
  symlinkSync('2', join(directory, '..data_tmp'));
  renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
  expect(await hearer.count(2)).toEqual(['1: a', '2: a']);
});

test('a file that goes, or that is written in place, is as it was', async () => {
  const directory = folder();
  const path = join(directory, 'sds.yaml');
  put(path, response('1', 'a'));
  const { hearer } = follow(path);
  writeFileSync(path, response('2', 'a'));
  rmSync(path);
  // What follows is heard, and nothing before it was.
  put(path, response('3', 'a'));
  expect(await hearer.count(2)).toEqual(['1: a', '3: a']);
});

test('a folder that is not there is said', () => {
  const { world, hearer } = follow(join(folder(), 'none', 'sds.yaml'));
  expect(hearer.heard).toEqual(['given up']);
  expect(world.lines[0]).toMatch('cannot be watched: ENOENT');
});
