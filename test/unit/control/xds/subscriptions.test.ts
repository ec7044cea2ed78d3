import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Subscriptions } from '../../../../src/control/xds/subscriptions.ts';
import type { OpenedResource, Subscription, SubscriptionUser } from '../../../../src/control/xds/resource-kind.ts';
import { secretKind } from '../../../../src/control/xds/resource-kinds.ts';
import { SecretSchema } from '../../../../src/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { fromJson } from '../../../../src/proto/protobuf.js';
import type { SdsServer } from '../../../sds-server.ts';
import { startSds } from '../../../start-sds.ts';
import { apiSource, XdsWorld } from './xds-world.ts';

/** Takes all, unless told to refuse. */
class Taker implements SubscriptionUser {
  readonly taken: string[] = [];
  refusal = '';
  onGiven: (() => void) | null = null;
  readonly givenUp: Promise<void>;
  private readonly resolve: () => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.givenUp = promise;
    this.resolve = resolve;
  }

  onResources(resources: readonly OpenedResource[], version: string): string {
    if (this.refusal !== '') return this.refusal;
    this.taken.push(`${version} ${resources.map(({ name }) => name).join(' ')}`);
    this.onGiven?.();
    return '';
  }

  onGivenUp(): void {
    this.resolve();
  }
}

const secret = { generic_secret: { secret: { inline_string: 'x' } } };

interface Subscribed {
  readonly world: XdsWorld;
  readonly taker: Taker;
  readonly subscription: Subscription;
}

function subscribe(
  server: SdsServer | null,
  { source = apiSource('sds'), initialFetchTimeoutMs = 0 } = {},
): Subscribed {
  const world = new XdsWorld();
  if (server !== null) world.addCluster('sds', { kind: 'ip', host: '127.0.0.1', port: server.port });
  const taker = new Taker();
  const from = { from: source, initialFetchTimeoutMs };
  const subscription = new Subscriptions(world).open(secretKind, ['one'], from, taker, world.countedAs('one'));
  onTestFinished(() => subscription.stop());
  return { world, taker, subscription };
}

test('asks by name, acknowledges what it takes, and takes what follows', async () => {
  const server = await startSds();
  server.set('one', secret);
  const { world, taker, subscription } = subscribe(server);
  subscription.start();
  const first = await server.request('one');
  expect(first).toMatchObject({ versionInfo: '', responseNonce: '', resourceNames: ['one'], node: { id: 'me' } });
  const answer = await server.request('one', ({ responseNonce }) => responseNonce === 'n1');
  expect([answer.versionInfo, answer.errorDetail]).toEqual(['v1', undefined]);
  server.set('one', { generic_secret: { secret: { inline_string: 'y' } } });
  await server.request('one', ({ versionInfo }) => versionInfo === 'v2');
  expect(taker.taken).toEqual(['v1 one', 'v2 one']);
  expect(server.streams[0].metadata).toMatchObject({ 'x-envoy-internal': 'true', 'x-forwarded-for': '192.0.2.1' });
  const { update_time: updated, ...shown } = world.shown('sds.one');
  expect(updated).toBeGreaterThan(0);
  expect(shown).toEqual({
    'control_plane.connected_state': 1,
    'control_plane.identifier': 'test',
    update_attempt: 3,
    update_success: 2,
    version: expect.any(Number),
    version_text: 'v2',
  });
});

test('says its node in every request, or only in the first of a stream', async () => {
  const server = await startSds();
  server.set('one', secret);
  const every = subscribe(server);
  every.subscription.start();
  expect(await server.request('one', ({ versionInfo }) => versionInfo === 'v1')).toMatchObject({ node: { id: 'me' } });
  every.subscription.stop();
  const first = subscribe(server, { source: apiSource('sds', { nodeOnFirstMessageOnly: true }) });
  first.subscription.start();
  const answer = await server.request('one', ({ versionInfo }) => versionInfo === 'v2');
  expect(answer.node).toBeUndefined();
  expect(server.streams[1].requests[0].node).toMatchObject({ id: 'me' });
});

test('refuses with the version before and a reason, and is not asked to wait any longer', async () => {
  const server = await startSds();
  server.set('one', secret);
  const { world, taker, subscription } = subscribe(server);
  subscription.start();
  await server.request('one', ({ versionInfo }) => versionInfo === 'v1');
  taker.refusal = 'secret is no good';
  server.set('one', secret);
  const refused = await server.request('one', ({ responseNonce }) => responseNonce === 'n2');
  expect(refused).toMatchObject({ versionInfo: 'v1', errorDetail: { code: 13, message: 'one: secret is no good' } });
  await taker.givenUp;
  expect(world.shown('sds.one')).toMatchObject({ update_rejected: 1, update_success: 1, update_attempt: 3 });
  expect(world.lines).toContain(
    'warning gRPC config for type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret rejected: one: secret is no good',
  );
});

test('what nobody has asked for is acknowledged and left', async () => {
  const server = await startSds();
  const { taker, subscription } = subscribe(server);
  subscription.start();
  await server.request('one');
  server.send(server.streams[0], [fromJson(SecretSchema, { name: 'two', ...secret })]);
  const answer = await server.request('one', ({ responseNonce }) => responseNonce === 'n1');
  expect([answer.versionInfo, answer.errorDetail]).toEqual(['v1', undefined]);
  expect(taker.taken).toEqual([]);
});

test('a stream that ends is opened again and goes on from the version that was taken', async () => {
  const server = await startSds();
  server.set('one', secret);
  const { world, subscription, taker } = subscribe(server);
  subscription.start();
  await server.request('one', ({ versionInfo }) => versionInfo === 'v1');
  server.streams[0].end();
  await server.until(() => (server.streams[1]?.requests.length ?? 0) > 1);
  expect(server.streams[1].requests[0]).toMatchObject({ versionInfo: 'v1', responseNonce: '', node: { id: 'me' } });
  expect(taker.taken).toEqual(['v1 one', 'v2 one']);
  expect(world.shown('sds.one')).toMatchObject({ update_failure: 1, 'control_plane.connected_state': 1 });
});

test('waits for a first answer no longer than it may', async () => {
  const server = await startSds();
  const { world, taker, subscription } = subscribe(server, { initialFetchTimeoutMs: 5 });
  subscription.start();
  await taker.givenUp;
  expect(world.shown('sds.one')).toMatchObject({ init_fetch_timeout: 1, update_attempt: 2 });
  expect(world.lines).toContain(
    'warning gRPC config: initial fetch timed out for type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
  );
  // Nor does it stop asking.
  server.set('one', secret);
  await server.request('one', ({ versionInfo }) => versionInfo === 'v1');
  expect(taker.taken).toEqual(['v1 one']);
});

test('a cluster that is not there is a failure, and tried again', async () => {
  const { world, taker, subscription } = subscribe(null, { initialFetchTimeoutMs: 20 });
  subscription.start();
  await taker.givenUp;
  expect(world.shown('sds.one')['update_failure']).toBeGreaterThan(1);
  expect(world.lines[0]).toBe("debug StreamSecrets gRPC config stream to sds closed: 14, there is no cluster 'sds'");
});

test('comes over a Unix socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-sds-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'socket');
  const server = await startSds(`unix:${path}`);
  server.set('one', secret);
  const { world, taker, subscription } = subscribe(null);
  world.addCluster('sds', { kind: 'pipe', host: path, port: 0 });
  subscription.start();
  await server.request('one', ({ versionInfo }) => versionInfo === 'v1');
  expect(taker.taken).toEqual(['v1 one']);
});

test('a rate limit holds requests back', async () => {
  const server = await startSds();
  server.set('one', secret);
  const source = apiSource('sds', { rateLimit: { maxTokens: 1, fillPerSecond: 2 } });
  const { world, subscription } = subscribe(server, { source });
  subscription.start();
  await server.request('one', ({ versionInfo }) => versionInfo === 'v1');
  expect(world.shown('sds.one')['control_plane.rate_limit_enforced']).toBeGreaterThan(0);
});
