import { podClient, seenInPod } from '../programs.ts';
import { until } from '../../wait.ts';
import { identitiesOf, type MixedWorld, type Seen } from './mixed-world.ts';
import { podAddresses, services } from './moved.ts';

/** From `client-1` to services that stand behind the waypoint. */
export async function seenThroughWaypoint(world: MixedWorld): Promise<Seen> {
  const seen: Seen = { ...(await requests()), ...(await connections(world)), ...(await identities(world)) };
  const { proxy, first } = world;
  const held = podClient('client-1', 'hold', services.shopV1, '9000');
  await held.said(/^open/);
  await proxy.kill();
  seen['waypointKilled'] = JSON.parse(await held.said(/^"/));
  seen['withoutWaypoint'] = await seenInPod('client-1', 'double', services.shopV2, '9000');
  const again = await world.startProxy();
  seen['waypointAnew'] = await carriedOn();
  const last = podClient('client-1', 'hold', services.shopV1, '9000');
  await last.said(/^open/);
  await first.kill();
  seen['ztunnelKilled'] = JSON.parse(await last.said(/^"/));
  await world.startFirst();
  seen['ztunnelAnew'] = await carriedOn();
  await again.kill();
  return seen;
}

/** HTTP: the waypoint routes, and says who may. */
async function requests(): Promise<Seen> {
  const ask = (pod: 'client-1' | 'ledger-1', host: string, method: string, path: string): Promise<unknown> =>
    seenInPod(pod, 'ask', host, '80', method, path);
  return {
    get: await ask('client-1', services.shop, 'GET', '/a'),
    postIsNotAllowed: await ask('client-1', services.shop, 'POST', '/a'),
    anotherIsNotAllowed: await ask('ledger-1', services.shop, 'GET', '/a'),
    secretIsDenied: await ask('client-1', services.shop, 'GET', '/secret'),
    secretOfNext: await ask('client-1', services.shopV1, 'GET', '/secret'),
    versions: [
      await ask('client-1', services.shopV1, 'GET', '/v1'),
      await ask('client-1', services.shopV2, 'GET', '/v2'),
    ],
  };
}

/** TCP through the waypoint. */
async function connections({ server }: MixedWorld): Promise<Seen> {
  const { shopV1, shopV2 } = services;
  return {
    halfClose: await seenInPod('client-1', 'double', shopV2, '9000'),
    bulk: await seenInPod('client-1', 'bulk', shopV1, '9000', String(4_000_000)),
    short: await seenInPod('client-1', 'short', shopV2, '9000', '2000'),
    serversReset: await seenInPod('client-1', 'reset', shopV1, '9000'),
    clientsReset: await seenInPod('client-1', 'abandon', shopV1, '9000'),
    clientsResetAtServer: await server.said(/^hello: /),
    byAddress: await seenInPod('client-1', 'double', podAddresses['shop-v2'], '9000'),
    strict: await seenInPod('nomesh-1', 'echo', podAddresses['ledger-1'], '8080'),
    notAllowedByWaypoint: await seenInPod('client-1', 'double', services.shop, '9000'),
    notForThisPort: await seenInPod('client-1', 'double', services.ledger, '9000'),
  };
}

/** Whom each hop has seen. */
async function identities(world: MixedWorld): Promise<Seen> {
  const { shopV1 } = services;
  const server = podAddresses['shop-v1'];
  return {
    towardsWaypoint: await identitiesOf(world, 'direction="outbound"', `${shopV1}:9000`),
    fromWaypoint: await identitiesOf(world, 'direction="inbound"', `${server}:9000`, 'sa/waypoint'),
  };
}

/** When it works again. */
function carriedOn(): Promise<unknown> {
  return until('connections to be carried again', async () => {
    const answer = await seenInPod('client-1', 'double', services.shopV2, '9000');
    return typeof answer === 'string' && answer.includes('hello') && answer;
  });
}
