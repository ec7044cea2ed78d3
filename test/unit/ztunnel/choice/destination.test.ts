import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Destinations, type OutboundPlan } from '../../../../src/ztunnel/choice/destination.ts';
import { readLocalConfig } from '../../../../src/ztunnel/state/local/local-config.ts';
import { Mesh } from '../../../../src/ztunnel/state/mesh.ts';

const file = join(import.meta.dirname, '../../../fixtures/ztunnel/local/services.yaml');
const gatewayWorkload = `
workloads:
- { uid: c//v1/Pod/istio/gw, name: gw, namespace: istio, serviceAccount: gw, workloadIps: [10.20.0.1], protocol: HBONE, network: east, services: {} }
- { uid: c//v1/Pod/shop/tcp, name: tcp, namespace: shop, workloadIps: [10.9.3.40], protocol: TCP, network: east, services: {} }
- { uid: c//v1/Pod/shop/none, name: none, namespace: shop, workloadIps: [], protocol: HBONE, network: east, services: { shop/none: { 80: 80 } } }
services:
- { name: none, namespace: shop, hostname: none, vips: [east/10.10.0.99], ports: { 80: 80 } }
- { name: cidr, namespace: shop, hostname: cidr, vips: [], cidrVips: [east/10.11.0.0/16], ports: { 80: 80 }, waypoint: { destination: east/10.9.5.1 } }
`;

/** Of a client of `web-a`'s zone. `chance`: what each throw of the dice shows. */
function plan(host: string, port: number, client = 'cluster1//v1/Pod/shop/web-a', chance = 0): OutboundPlan | string {
  const mesh = new Mesh();
  mesh.apply(readLocalConfig(readFileSync(file, 'utf8')));
  mesh.apply(readLocalConfig(gatewayWorkload));
  const planned = new Destinations(mesh, 'east', () => chance).plan({ client: mesh.workload(client)!, host, port });
  return 'reason' in planned ? planned.reason : planned;
}

const spiffe = (account: string, namespace = 'shop'): string => `spiffe://cluster.local/ns/${namespace}/sa/${account}`;

test('an address that nobody knows is connected to as it is', () => {
  expect(plan('192.0.2.1', 443)).toMatchObject({ protocol: 'tcp', host: '192.0.2.1', port: 443, workload: null });
});

test('a workload by its address', () => {
  expect(plan('10.9.3.40', 99)).toMatchObject({ protocol: 'tcp', host: '10.9.3.40', port: 99 });
  expect(plan('10.9.3.12', 99)).toMatchObject({
    protocol: 'hbone',
    host: '10.9.3.12',
    port: 15008,
    authority: '10.9.3.12:99',
    identities: [spiffe('web')],
  });
});

test('a service: endpoints of most preferred scopes, and target ports of each', () => {
  expect(plan('10.10.0.30', 80)).toMatchObject({ host: '10.9.3.11', authority: '10.9.3.11:8080' });
  expect(plan('10.10.0.30', 443)).toMatchObject({ authority: '10.9.3.11:8443' });
  expect(plan('fd00:10::30', 80)).toMatchObject({ host: 'fd00:9::11', authority: '[fd00:9::11]:8080' });
  expect(plan('10.10.0.30', 81)).toBe('no healthy upstream: 10.10.0.30:81');
});

test('a service whose waypoint is a service', () => {
  expect(plan('10.10.0.32', 80)).toMatchObject({
    protocol: 'hbone',
    host: '10.9.5.1',
    port: 15008,
    authority: '10.10.0.32:80',
    identities: [spiffe('waypoint')],
  });
});

test('a range of addresses leads to its waypoint', () => {
  expect(plan('10.11.7.7', 80)).toMatchObject({ host: '10.9.5.1', authority: '10.11.7.7:80' });
});

test("a workload's waypoint, but not from the waypoint itself", () => {
  expect(plan('10.9.3.30', 80)).toMatchObject({ host: '10.9.5.1', authority: '10.9.3.30:80' });
  expect(plan('10.9.3.30', 80, 'cluster1//v1/Pod/shop/waypoint-0')).toMatchObject({
    host: '10.9.3.30',
    authority: '10.9.3.30:80',
    identities: [spiffe('cart')],
  });
});

test('strict balancing has none on other nodes; pass-through has none at all', () => {
  expect(plan('10.10.0.33', 53)).toBe('no healthy upstream: 10.10.0.33:53');
  expect(plan('203.0.113.9', 443)).toMatchObject({ protocol: 'tcp', host: '203.0.113.9' });
});

test('a workload without an address is no endpoint', () => {
  expect(plan('10.10.0.99', 80)).toBe('no healthy upstream: 10.10.0.99:80');
});

test('another network is reached through its gateway, by the name of the service', () => {
  const mesh = new Mesh();
  mesh.apply(readLocalConfig(readFileSync(file, 'utf8')));
  mesh.apply(readLocalConfig(gatewayWorkload));
  mesh.apply({
    workloads: [],
    services: [],
    policies: [],
    removedAddresses: ['cluster1//v1/Pod/shop/web-a'],
    removedPolicies: [],
  });
  const client = mesh.workload('cluster1//v1/Pod/shop/cart-0')!;
  const planned = new Destinations(mesh, 'east', () => 0.5).plan({ client, host: '10.10.0.30', port: 80 });
  expect(planned).toMatchObject({
    protocol: 'double-hbone',
    host: '10.20.0.1',
    port: 15008,
    authority: 'web.shop.svc.cluster.local:80',
    identities: [spiffe('gw', 'istio')],
    farIdentities: [spiffe('web')],
  });
});
