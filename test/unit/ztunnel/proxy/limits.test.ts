/** Who is turned away, and what is none of the mesh's affair. */
import { afterEach, describe, expect, test } from 'vitest';
import { ConnectionCount, ConnectionQuota } from '../../../../src/ztunnel/proxy/connection-quota.ts';
import { Exclusions, noExclusions } from '../../../../src/ztunnel/proxy/exclusions.ts';
import type { ProxySettings } from '../../../../src/ztunnel/proxy/settings.ts';
import { readZtunnelSettings } from '../../../../src/ztunnel/settings.ts';
import { readLocalConfig } from '../../../../src/ztunnel/state/local/local-config.ts';
import { parseRange } from '../../../../src/ztunnel/state/local/policy-reader.ts';
import { ending, readExactly, socks, World, type Proxy } from './world.ts';

const client = '127.47.0.1';
const server = '127.47.0.2';
const port = 18_147;

const config = `
workloads:
- { uid: c//v1/Pod/shop/a, name: a, namespace: shop, serviceAccount: a, workloadIps: [${client}], protocol: HBONE, services: {} }
- { uid: c//v1/Pod/shop/b, name: b, namespace: shop, serviceAccount: b, workloadIps: [${server}], protocol: HBONE, services: {} }
policies:
- { name: strict, namespace: shop, scope: Namespace, action: Deny, dryRun: false, rules: [[[{ notPrincipals: [!Presence []] }]]] }
`;

let world: World | null = null;
afterEach(() => {
  world?.close();
  world = null;
});

async function pair(ofClient: Partial<ProxySettings>, ofServer: Partial<ProxySettings> = {}) {
  world = await World.make(config);
  const info = (name: string) => ({ name, namespace: 'shop', serviceAccount: name });
  const a = await world.proxy({ host: client, info: info('a'), settings: ofClient });
  const b = await world.proxy({ host: server, info: info('b'), settings: ofServer });
  await world.server(server, port, (socket) => void socket.pipe(socket));
  return { a, b, w: world };
}

/** Through the tunnel and back. */
async function echoed(a: Proxy) {
  const { socket, reply } = await socks(a, server, port);
  expect(reply).toBe(0);
  socket.write('x');
  await readExactly(socket, 1);
  return socket;
}

describe('so many connections, and no more', () => {
  test.each(['workload', 'node'] as const)('of a %s that has enough', async (whose) => {
    const most = whose === 'node' ? { nodeConnectionsMax: 2 } : { workloadConnectionsMax: 2 };
    const { a } = await pair(most);
    const first = await echoed(a);
    await echoed(a);
    expect((await socks(a, server, port)).reply).not.toBe(0);
    const [refused] = await a.reporter.ended(1);
    expect(refused.error?.text).toBe(`the ${whose} has too many connections`);
    first.end();
    await a.reporter.ended(2);
    await echoed(a);
  });

  test('a tunnel that comes to a server with enough is refused, and its connection goes on', async () => {
    const { a, b } = await pair({}, { workloadConnectionsMax: 1 });
    const first = await echoed(a);
    expect((await socks(a, server, port)).reply).not.toBe(0);
    expect((await a.reporter.ended(1))[0].error?.text).toBe('http status: 503 Service Unavailable');
    expect((await b.reporter.ended(1))[0].error?.text).toBe('the workload has too many connections');
    first.write('y');
    expect((await readExactly(first, 1)).toString()).toBe('y');
  });

  test('whatever becomes of them, none is counted when all are over', async () => {
    const { a, b, w } = await pair({});
    const gone = ending(await echoed(a));
    expect((await socks(a, server, 4)).reply).not.toBe(0);
    w.mesh.apply(
      readLocalConfig(
        'policies:\n- { name: none, namespace: shop, scope: Namespace, action: Allow, dryRun: false, rules: [] }',
      ),
    );
    await gone;
    expect((await socks(a, server, port)).reply).not.toBe(0);
    await b.reporter.ended(3);
    await a.reporter.ended(3);
    expect([a.counted.total, b.counted.total]).toEqual([0, 0]);
  });

  test('threads count together, and one that dies takes its share with it', () => {
    const [node, own] = [ConnectionCount.memory(2), ConnectionCount.memory(2)];
    const quotaOf = (thread: number): ConnectionQuota =>
      new ConnectionQuota(new ConnectionCount(node, thread), new ConnectionCount(own, thread), 10, 3);
    const [one, two] = [quotaOf(0), quotaOf(1)];
    expect([one.enter(), one.enter(), two.enter(), two.enter()]).toEqual([
      null,
      null,
      null,
      'the workload has too many connections',
    ]);
    new ConnectionCount(own, 0).forget();
    expect(two.enter()).toBeNull();
    two.close();
    two.leave();
    expect([new ConnectionCount(own, 1).total, new ConnectionCount(node, 1).total]).toEqual([0, 2]);
  });
});

describe('what is none of the mesh’s affair', () => {
  test.each([
    ['a port', { outboundPorts: [port] }],
    ['a range', { outboundRanges: [parseRange('127.47.0.0/24')!] }],
  ])('leaves as it is: %s', async (_, excluded) => {
    const { a } = await pair({ exclusions: { ...noExclusions, ...excluded } });
    const socket = await echoed(a);
    socket.end();
    const [out] = await a.reporter.ended(1);
    expect(out.facts).toMatchObject({ hboneAddress: '', destinationAddress: { host: server, port } });
  });

  test('by address and by port', () => {
    const exclusions = new Exclusions({
      outboundPorts: [25],
      outboundRanges: [parseRange('10.0.0.0/8')!, parseRange('fd00::/8')!],
      inboundPorts: [9100],
    });
    expect([9100, 9101].map((one) => exclusions.hasInbound(one))).toEqual([true, false]);
    const asked = (['10.1.2.3 80', 'fd12::1 80', '192.0.2.1 80', '192.0.2.1 25', 'fe80::1 443'] as const).map((one) => {
      const [host, to] = one.split(' ');
      return exclusions.hasOutbound(host, Number(to));
    });
    expect(asked).toEqual([true, true, false, true, false]);
  });
});

describe('variables', () => {
  const read = (variables: Record<string, string>) =>
    readZtunnelSettings(variables, { processors: 2, exists: () => false }).proxy;

  test('are lists of ports and ranges, and numbers', () => {
    const { exclusions, nodeConnectionsMax, workloadConnectionsMax } = read({
      SEKISHO_EXCLUDE_OUTBOUND_PORTS: '25, 3306',
      SEKISHO_EXCLUDE_OUTBOUND_CIDRS: '169.254.169.254,fd00::/8',
      SEKISHO_EXCLUDE_INBOUND_PORTS: '9100',
      SEKISHO_NODE_CONNECTIONS_MAX: '1000',
      SEKISHO_WORKLOAD_CONNECTIONS_MAX: '100',
    });
    expect([nodeConnectionsMax, workloadConnectionsMax]).toEqual([1000, 100]);
    expect(exclusions).toMatchObject({ outboundPorts: [25, 3306], inboundPorts: [9100] });
    expect(exclusions.outboundRanges.map(({ length }) => length)).toEqual([32, 8]);
  });

  test.each([
    ['SEKISHO_EXCLUDE_OUTBOUND_PORTS', '70000', "has '70000': expected a port"],
    ['SEKISHO_EXCLUDE_INBOUND_PORTS', 'http', "has 'http': expected a port"],
    ['SEKISHO_EXCLUDE_OUTBOUND_CIDRS', '10.0.0.0/33', "has '10.0.0.0/33': expected a range of addresses"],
  ])('%s=%s is refused', (name, value, words) => {
    expect(() => read({ [name]: value })).toThrow(`${name} ${words}`);
  });
});
