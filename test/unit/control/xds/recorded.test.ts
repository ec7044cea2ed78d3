import { expect, onTestFinished, test } from 'vitest';
import {
  clusterKind,
  endpointKind,
  extensionKind,
  listenerKind,
  routeKind,
  secretKind,
} from '../../../../src/control/xds/resource-kinds.ts';
import type { ResourceKind } from '../../../../src/control/xds/resource-kind.ts';
import { Subscriptions } from '../../../../src/control/xds/subscriptions.ts';
import { recorded, RecordedControlPlane, recordedNodes } from '../../../xds/recorded-control-plane.ts';
import { apiSource, XdsWorld } from './xds-world.ts';
import { Taker } from './taker.ts';

const kinds: readonly ResourceKind[] = [clusterKind, endpointKind, listenerKind, routeKind, extensionKind];
const wildcards: readonly ResourceKind[] = [clusterKind, listenerKind];

const sessions = recordedNodes()
  .flatMap((node) => [
    { node, session: 'sotw', protocol: 'GRPC' as const },
    { node, session: 'delta', protocol: 'DELTA_GRPC' as const },
  ])
  .filter(({ node, session }) => recorded(node, session).length > 0);

test('there are recordings', () => {
  expect(sessions.length).toBeGreaterThan(30);
});

test.each(sessions)(
  '$node, $session: every resource of every response is opened',
  async ({ node, session, protocol }) => {
    const plane = await RecordedControlPlane.start(node);
    const world = new XdsWorld();
    world.addCluster('plane', { kind: 'ip', host: '127.0.0.1', port: plane.port });
    const subscriptions = new Subscriptions(world);
    onTestFinished(() => subscriptions.stop());
    subscriptions.setAds(apiSource('plane', { protocol, nodeOnFirstMessageOnly: true }));
    const responses = recorded(node, session);
    const opened = kinds.map((kind) => {
      const names = responses.filter(({ typeUrl }) => typeUrl === kind.typeUrl).flatMap((response) => response.names);
      const taker = new Taker();
      const wanted = wildcards.includes(kind) ? [] : names;
      const source = { initialFetchTimeoutMs: 0, from: { kind: 'ads' } } as const;
      const counted = world.countedAs(kind.typeUrl);
      if (names.length > 0) subscriptions.open(kind, wanted, source, taker, counted).start();
      return { kind, names, taker };
    });
    subscriptions.startAds();
    for (const { kind, names, taker } of opened) {
      if (names.length === 0) continue;
      await plane.verdict(kind.typeUrl);
      expect([...taker.has.keys()].toSorted()).toEqual([...new Set(names)].toSorted());
    }
    expect(plane.refusals).toEqual([]);
  },
);

test.each(['sidecar-client-productpage', 'router-ingress'])('%s: the agent’s secrets come by name', async (node) => {
  const plane = await RecordedControlPlane.start(node);
  const world = new XdsWorld();
  world.addCluster('plane', { kind: 'ip', host: '127.0.0.1', port: plane.port });
  const subscriptions = new Subscriptions(world);
  for (const name of ['default', 'ROOTCA']) {
    const taker = new Taker();
    const source = { initialFetchTimeoutMs: 0, from: apiSource('plane') };
    const subscription = subscriptions.open(secretKind, [name], source, taker, world.countedAs(name));
    onTestFinished(() => subscription.stop());
    subscription.start();
    await taker.count(1);
    expect([...taker.has.keys()]).toEqual([name]);
  }
});
