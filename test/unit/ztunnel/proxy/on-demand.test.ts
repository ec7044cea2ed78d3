/** What a proxy asks for before it decides, and what becomes of its connections. */
import { afterEach, expect, test } from 'vitest';
import type { LookupOutcome } from '../../../../src/ztunnel/proxy/address-source.ts';
import { readLocalConfig } from '../../../../src/ztunnel/state/local/local-config.ts';
import { readAll, socks, World } from './world.ts';

const client = '127.58.0.1';
const server = '127.58.0.2';
const port = 18_158;
const own = (name: string, ip: string): string =>
  `- { uid: c//v1/Pod/shop/${name}, name: ${name}, namespace: shop, serviceAccount: ${name}, workloadIps: [${ip}], protocol: HBONE, services: {} }`;
const info = (name: string) => ({ name, namespace: 'shop', serviceAccount: name });

let world: World | null = null;
afterEach(() => {
  world?.close();
  world = null;
});

/** Knows what `told` has, by name, and answers anything else with `otherwise`. */
function source(w: World, told: Readonly<Record<string, string>>, otherwise: LookupOutcome) {
  const asked: string[] = [];
  return {
    asked,
    request: (key: string, tell: (outcome: LookupOutcome) => void): void => {
      asked.push(key);
      setImmediate(() => {
        if (told[key] !== undefined) w.mesh.apply(readLocalConfig(told[key]));
        tell(told[key] === undefined ? otherwise : 'told');
      });
    },
  };
}

test.each([
  ['late', 'the control plane did not say in time what the destination is'],
  ['full', 'too many destinations are asked for'],
] as const)('without an answer (%s) nothing leaves', async (outcome, text) => {
  world = await World.make(`workloads:\n${own('a', client)}`);
  const addresses = source(world, {}, outcome);
  const a = await world.proxy({ host: client, info: info('a'), addresses });
  let came = 0;
  await world.server(server, port, () => came++);
  expect((await socks(a, server, port)).reply).not.toBe(0);
  const [refused] = await a.reporter.ended(1);
  expect([refused.error?.text, came, a.counted.total]).toEqual([text, 0, 0]);
  expect(addresses.asked).toEqual([`/${server}`]);
});

test('a waypoint is asked for by its name, and what stands behind it by the waypoint itself', async () => {
  const vip = '127.58.9.10';
  const orders = `services:\n- { name: orders, namespace: shop, hostname: orders, vips: [/${vip}], ports: { ${port}: ${port} }, waypoint: { destination: shop/way } }`;
  const way = `services:\n- { name: way, namespace: shop, hostname: way, vips: [/127.58.9.11], ports: { 15008: 15008 } }
workloads:
- { uid: c//v1/Pod/shop/w, name: w, namespace: shop, serviceAccount: w, workloadIps: [${server}], protocol: HBONE, services: { shop/way: { 15008: 15008 } } }`;
  world = await World.make(`workloads:\n${own('a', client)}`);
  const there = await World.make(way, world);
  try {
    const told = { [`/${vip}`]: orders, 'shop/way': way };
    const ofClient = source(world, told, 'unknown');
    const a = await world.proxy({ host: client, info: info('a'), addresses: ofClient });
    const ofWaypoint = source(there, told, 'unknown');
    await there.proxy({ host: server, info: info('w'), addresses: ofWaypoint });
    await there.server(server, port, (socket) => socket.end('from the waypoint'));
    const { socket, reply } = await socks(a, vip, port);
    expect([reply, ofClient.asked]).toEqual([0, [`/${vip}`, 'shop/way']]);
    expect((await readAll(socket)).toString()).toBe('from the waypoint');
    // Whoever comes seems to come from here: nothing binds the tunnel to the workload on loopback.
    expect(ofWaypoint.asked).toEqual(['/127.0.0.1', `/${vip}`]);
  } finally {
    there.close();
  }
});
