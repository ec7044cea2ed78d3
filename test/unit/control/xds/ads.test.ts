import { describe, expect, test } from 'vitest';
import {
  clusterKind as cluster,
  endpointKind as endpoint,
  listenerKind as listener,
  runtimeKind as runtime,
  virtualHostKind as virtualHost,
} from '../../../../src/control/xds/resource-kinds.ts';
import { AdsWorld } from './ads-world.ts';
import { Taker } from './taker.ts';
import { apiSource } from './xds-world.ts';

/** A message of which only the name is read here. */
const named = (name: string): Uint8Array => Uint8Array.from([0x0a, name.length, ...Buffer.from(name)]);

describe('state of the world', () => {
  test('types are asked for in order, the clusters’ endpoints before the clusters are acknowledged', async () => {
    const world = await AdsWorld.start('GRPC');
    const [clusters, ends, listeners] = [new Taker(), new Taker(), new Taker()];
    const { plane } = world;
    plane.change(cluster.typeUrl, { a: named('a'), b: named('b') });
    plane.change(endpoint.typeUrl, { a: named('a'), b: named('b') });
    plane.change(listener.typeUrl, { l: named('l') });
    clusters.meanwhile = () => {
      for (const name of clusters.has.keys()) world.open(endpoint, [name], ends).start();
    };
    world.open(cluster, [], clusters).start();
    world.subscriptions.startAds();
    await ends.count(2);
    world.open(listener, [], listeners).start();
    await plane.verdict(listener.typeUrl);
    expect(world.asked).toEqual([
      'Cluster [] node',
      'ClusterLoadAssignment [a b]',
      'Cluster v3 n1 []',
      'ClusterLoadAssignment v3 n2 [a b]',
      'Listener []',
      'Listener v3 n3 []',
    ]);
    expect(ends.heard).toEqual(['all 3: a', 'all 3: b']);
    // One of thousands changes: nobody else hears of it. The server sends all, as it must.
    plane.change(cluster.typeUrl, { c: named('c') });
    clusters.meanwhile = null;
    await clusters.count(2);
    expect(clusters.heard).toEqual(['all 3: a b', 'all 4: a b c']);
  });

  test('what is refused is told with the version before, and who asked for others still has them', async () => {
    const world = await AdsWorld.start('GRPC');
    const { plane, xds } = world;
    const [good, bad] = [new Taker(), new Taker()];
    plane.change(endpoint.typeUrl, { a: named('a'), b: named('b') });
    world.open(endpoint, ['a'], good).start();
    world.open(endpoint, ['b'], bad, { as: 'bad' }).start();
    world.subscriptions.startAds();
    await plane.verdict(endpoint.typeUrl);
    bad.refusal = 'b is no good';
    plane.change(endpoint.typeUrl, { a: named('a'), b: named('b') });
    expect(await plane.verdict(endpoint.typeUrl, 2)).toMatchObject({ refusal: 'b is no good' });
    expect(world.asked.at(-1)).toBe('ClusterLoadAssignment v1 n2 [a b] NACK(b is no good)');
    expect(good.heard).toEqual(['all 1: a', 'all 2: a']);
    expect(bad.heard).toEqual(['all 1: b', 'refused all 2: b', 'given up']);
    expect(xds.shown('sds.bad')).toMatchObject({ update_success: 1, update_rejected: 1 });
    const said = `warning gRPC config for ${endpoint.typeUrl} rejected: b is no good`;
    expect(xds.lines.filter((one) => one === said)).toHaveLength(1);
  });

  test('another stream goes on from the versions that were taken', async () => {
    const world = await AdsWorld.start('GRPC');
    const { plane, xds } = world;
    const [clusters, ends] = [new Taker(), new Taker()];
    plane.change(cluster.typeUrl, { a: named('a') });
    plane.change(endpoint.typeUrl, { a: named('a') });
    world.open(cluster, [], clusters).start();
    const ofA = world.open(endpoint, ['a'], ends);
    ofA.start();
    world.subscriptions.startAds();
    await Promise.all([plane.verdict(cluster.typeUrl), plane.verdict(endpoint.typeUrl)]);
    expect(xds.shown('control_plane')).toEqual({ connected_state: 1, identifier: 'test' });
    plane.disconnect();
    await plane.verdict(endpoint.typeUrl, 2);
    expect(world.asked.slice(0, 2)).toEqual(['Cluster v2 [] node', 'ClusterLoadAssignment v2 [a]']);
    expect(xds.shown('sds.Cluster')).toMatchObject({ update_failure: 1 });
    ofA.setNames(['a', 'b']);
    await world.askedSo(5);
    expect(world.asked.at(-1)).toMatch(/^ClusterLoadAssignment v2 n4 \[a b\]$/);
    ofA.stop();
    expect((await world.askedSo(6)).at(-1)).toMatch(/^ClusterLoadAssignment v2 n4 \[\]$/);
  });
});

describe('delta', () => {
  test('types are asked for in order; what changes, comes and goes is told alone', async () => {
    const world = await AdsWorld.start('DELTA_GRPC');
    const { plane } = world;
    const [clusters, ends] = [new Taker(), new Taker()];
    plane.change(cluster.typeUrl, { a: named('a'), b: named('b') });
    plane.change(endpoint.typeUrl, { a: named('a') });
    const opened = new Map<string, { stop(): void }>();
    clusters.meanwhile = () => {
      for (const name of clusters.has.keys()) {
        if (opened.has(name)) continue;
        const one = world.open(endpoint, [name], ends);
        opened.set(name, one);
        one.start();
      }
      for (const [name, one] of opened) if (!clusters.has.has(name) && opened.delete(name)) one.stop();
    };
    world.open(cluster, [], clusters).start();
    world.subscriptions.startAds();
    await plane.verdict(endpoint.typeUrl);
    plane.change(cluster.typeUrl, { c: named('c') }, ['b']);
    await plane.verdict(cluster.typeUrl, 2);
    plane.change(endpoint.typeUrl, { a: named('a') });
    await plane.verdict(endpoint.typeUrl, 3);
    expect(world.asked).toEqual([
      'Cluster node',
      'ClusterLoadAssignment +a +b',
      'Cluster n1',
      'ClusterLoadAssignment n2',
      'ClusterLoadAssignment +c -b',
      'Cluster n3',
      'ClusterLoadAssignment n4',
      'ClusterLoadAssignment n5',
    ]);
    expect(clusters.heard).toEqual(['delta 2: a b', 'delta 3: c -b']);
    expect(ends.heard).toEqual(['delta 2: a', 'delta 2:  -b', 'delta 3:  -c', 'delta 4: a']);
  });

  test('another stream begins with what is there, and only what has changed meanwhile comes', async () => {
    const world = await AdsWorld.start('DELTA_GRPC');
    const { plane } = world;
    const [clusters, ends] = [new Taker(), new Taker()];
    plane.change(cluster.typeUrl, { a: named('a'), b: named('b') });
    plane.change(endpoint.typeUrl, { a: named('a') });
    world.open(cluster, [], clusters).start();
    world.open(endpoint, ['a', 'none'], ends).start();
    world.subscriptions.startAds();
    await Promise.all([plane.verdict(cluster.typeUrl), plane.verdict(endpoint.typeUrl)]);
    plane.disconnect();
    plane.change(cluster.typeUrl, { b: named('b') }, ['a']);
    await plane.verdict(cluster.typeUrl, 2);
    expect(world.asked.slice(0, 2)).toEqual(['Cluster {a:1 b:1} node', 'ClusterLoadAssignment +a +none {a:2}']);
    expect(clusters.heard).toEqual(['delta 2: a b', 'delta 3: b -a']);
  });

  test('what is refused is asked for again by the next stream', async () => {
    const world = await AdsWorld.start('DELTA_GRPC');
    const { plane, xds } = world;
    const clusters = new Taker();
    clusters.refusal = 'a is no good';
    plane.change(cluster.typeUrl, { a: named('a') });
    world.open(cluster, [], clusters).start();
    world.subscriptions.startAds();
    expect(await plane.verdict(cluster.typeUrl)).toMatchObject({ refusal: 'a is no good' });
    expect(xds.lines).toContain(`warning delta config for ${cluster.typeUrl} rejected: a is no good`);
    plane.disconnect();
    clusters.refusal = '';
    await plane.verdict(cluster.typeUrl, 2);
    expect(world.asked[0]).toBe('Cluster node');
    expect(clusters.has.get('a')).toBe('1');
  });

  test('all, and some by name on demand', async () => {
    const world = await AdsWorld.start('DELTA_GRPC');
    const { plane } = world;
    const [all, one] = [new Taker(), new Taker()];
    plane.change(cluster.typeUrl, { a: named('a') });
    world.open(cluster, ['*'], all).start();
    world.subscriptions.startAds();
    await all.count(1);
    const demand = world.open(cluster, ['a'], one);
    demand.start();
    await one.count(1);
    expect(world.asked.slice(0, 3)).toEqual(['Cluster node', 'Cluster n1', 'Cluster +a']);
    plane.change(cluster.typeUrl, { a: named('a') });
    await plane.verdict(cluster.typeUrl, 3);
    expect([all.heard.length, one.heard]).toEqual([3, ['delta 1: a', 'delta 2: a']]);
    plane.disconnect();
    await world.plane.server.until(() => world.plane.server.peers.length > 1 && world.asked.length > 0);
    expect(world.asked[0]).toBe('Cluster +* +a {a:2} node');
  });

  test('a name space: whatever is in it is heard of, and names say what is to be sent', async () => {
    const world = await AdsWorld.start('DELTA_GRPC');
    const { plane } = world;
    const hosts = new Taker();
    plane.change(virtualHost.typeUrl, { 'routes/x': named('x'), 'others/y': named('y') });
    const subscription = world.open(virtualHost, [], hosts, { namespace: 'routes' });
    subscription.start();
    world.subscriptions.startAds();
    await plane.verdict(virtualHost.typeUrl);
    expect(hosts.heard).toEqual(['delta 1: routes/x']);
    subscription.setNames(['routes/z']);
    expect((await world.askedSo(3)).at(-1)).toBe('VirtualHost +routes/z');
  });
});

test.each(['GRPC', 'DELTA_GRPC'] as const)('%s: what outlives its time goes', async (protocol) => {
  const world = await AdsWorld.start(protocol);
  const { plane } = world;
  const layers = new Taker();
  plane.change(runtime.typeUrl, { layer: named('layer') }, [], 30);
  world.open(runtime, ['layer'], layers).start();
  world.subscriptions.startAds();
  expect((await layers.count(2)).at(-1)).toBe('delta :  -layer');
  plane.change(runtime.typeUrl, { layer: named('layer') });
  await layers.count(3);
  expect([...layers.has.keys()]).toEqual(['layer']);
});

test('another control plane takes over: all is asked for anew, and what has come stays', async () => {
  const world = await AdsWorld.start('GRPC');
  const { plane, subscriptions, xds } = world;
  const clusters = new Taker();
  plane.change(cluster.typeUrl, { a: named('a') });
  world.open(cluster, [], clusters).start();
  subscriptions.startAds();
  await plane.verdict(cluster.typeUrl);
  const other = await AdsWorld.start('DELTA_GRPC');
  other.plane.change(cluster.typeUrl, { b: named('b') });
  xds.addCluster('other', { kind: 'ip', host: '127.0.0.1', port: other.plane.port });
  subscriptions.setAds(apiSource('other', { protocol: 'DELTA_GRPC' }));
  await other.plane.verdict(cluster.typeUrl);
  expect(other.asked).toEqual(['Cluster node', 'Cluster n1 node']);
  expect(clusters.heard).toEqual(['all 1: a', 'delta 1: b']);
});

test('what a response needs is loaded first, and what follows waits its turn', async () => {
  const world = await AdsWorld.start('GRPC');
  const { plane, xds } = world;
  const [clusters, listeners] = [new Taker(), new Taker()];
  const { promise, resolve } = Promise.withResolvers<void>();
  xds.loading = promise;
  plane.change(cluster.typeUrl, { a: named('a') });
  plane.change(listener.typeUrl, { l: named('l') });
  world.open(cluster, [], clusters).start();
  world.open(listener, [], listeners).start();
  world.subscriptions.startAds();
  await plane.server.until(() => world.asked.length === 2);
  xds.loading = null;
  plane.change(listener.typeUrl, { m: named('m') });
  expect([clusters.heard, listeners.heard]).toEqual([[], []]);
  resolve();
  await listeners.until(() => listeners.has.has('m'));
  expect(clusters.heard).toEqual(['all 2: a']);
  expect(xds.prepared).toContain('envoy.config.cluster.v3.Cluster');
});

test('nobody waits longer than a source says', async () => {
  const world = await AdsWorld.start('GRPC');
  const clusters = new Taker();
  world.open(cluster, ['none'], clusters, { initialFetchTimeoutMs: 5 }).start();
  world.subscriptions.startAds();
  expect(await clusters.count(1)).toEqual(['given up']);
  expect(world.xds.shown('sds.Cluster')).toMatchObject({ init_fetch_timeout: 1 });
});

test('without ads_config nobody waits for what would come over it; with another it comes', async () => {
  const world = await AdsWorld.start('GRPC');
  const { plane, subscriptions, xds } = world;
  plane.change(cluster.typeUrl, { a: named('a') });
  subscriptions.setAds(null);
  const clusters = new Taker();
  world.open(cluster, [], clusters).start();
  subscriptions.startAds();
  expect(clusters.heard).toEqual(['given up']);
  const why = 'ADS must be configured to support an ADS config source';
  expect(xds.lines).toContain(`warning gRPC config for ${cluster.typeUrl} rejected: ${why}`);
  subscriptions.setAds(apiSource('plane'));
  await plane.verdict(cluster.typeUrl);
  expect(clusters.heard).toEqual(['given up', 'all 1: a']);
});

test.each(['GRPC', 'DELTA_GRPC'] as const)(
  '%s: what is held is said when it is let go, and others meanwhile',
  async (protocol) => {
    const world = await AdsWorld.start(protocol);
    const { plane, subscriptions } = world;
    const [clusters, listeners] = [new Taker(), new Taker()];
    plane.change(cluster.typeUrl, { a: named('a') });
    plane.change(listener.typeUrl, { l: named('l') });
    let release = (): void => {};
    clusters.meanwhile = () => {
      release = subscriptions.hold(cluster);
    };
    world.open(cluster, [], clusters).start();
    world.open(listener, [], listeners).start();
    subscriptions.startAds();
    await plane.verdict(listener.typeUrl);
    expect(plane.verdicts.map(({ typeUrl }) => typeUrl)).toEqual([listener.typeUrl]);
    release();
    expect(await plane.verdict(cluster.typeUrl)).toMatchObject({ nonce: 'n1', refusal: '' });
  },
);

test('state of the world: a heartbeat keeps what it names, and nothing else goes', async () => {
  const world = await AdsWorld.start('GRPC');
  const { plane } = world;
  const clusters = new Taker();
  plane.change(cluster.typeUrl, { a: named('a'), b: named('b') }, [], 30);
  world.open(cluster, [], clusters).start();
  world.subscriptions.startAds();
  await plane.verdict(cluster.typeUrl);
  plane.beat(cluster.typeUrl, 'a', 60_000);
  await plane.verdict(cluster.typeUrl, 2);
  await clusters.until(() => !clusters.has.has('b'));
  expect(clusters.heard).toEqual(['all 1: a b', 'delta :  -b']);
});

test.each(['GRPC', 'DELTA_GRPC'] as const)(
  '%s: a response that cannot be read is refused for everyone',
  async (protocol) => {
    const world = await AdsWorld.start(protocol);
    const { plane } = world;
    const [a, b] = [new Taker(), new Taker()];
    world.open(endpoint, ['a'], a).start();
    world.open(endpoint, ['b'], b).start();
    world.subscriptions.startAds();
    await world.askedSo(1);
    plane.mistake(endpoint.typeUrl, cluster.typeUrl);
    const where = protocol === 'GRPC' ? 'DiscoveryResponse' : 'DeltaDiscoveryResponse';
    const what = `${cluster.typeUrl}${protocol === 'GRPC' ? '' : ' embedded in an individual Any'}`;
    const refusal = `${what} does not match the message-wide type URL ${endpoint.typeUrl} in ${where}`;
    const refusals = (): string[] => plane.verdicts.map((verdict) => verdict.refusal).filter((text) => text !== '');
    await plane.server.until(() => refusals().length > 0);
    expect(refusals()).toEqual([protocol === 'GRPC' ? refusal : `type URL ${refusal}`]);
    expect([a.heard.at(-1), b.heard.at(-1)]).toEqual(['given up', 'given up']);
  },
);
