import { podClient, seenInPod } from '../programs.ts';
import { until } from '../../wait.ts';
import { identitiesOf, type MixedWorld, type Seen } from './mixed-world.ts';
import { podAddresses, services } from './moved.ts';

const sidecar = podAddresses['client-1'];
const server = podAddresses['shop-v1'];

/** Between `client-1`, which has a sidecar, and pods of ztunnels. */
export async function seenBySidecar(world: MixedWorld): Promise<Seen> {
  const seen: Seen = { ...(await outbound(world)), ...(await inbound(world)) };
  const held = podClient('shop-v1', 'hold', sidecar, '9000');
  await held.said(/^open/);
  await world.proxy.kill();
  seen['sidecarKilled'] = JSON.parse(await held.said(/^"/));
  const again = await world.startProxy();
  seen['sidecarAnew'] = await carriedOn();
  const last = podClient('client-1', 'hold', services.shopV1, '9000');
  await last.said(/^open/);
  await world.first.kill();
  seen['ztunnelKilled'] = JSON.parse(await last.said(/^"/));
  await world.startFirst();
  seen['ztunnelAnew'] = await carriedOn();
  await again.kill();
  return seen;
}

/** sidecar → ztunnel. */
async function outbound(world: MixedWorld): Promise<Seen> {
  const { shopV1, shopV2, ledger } = services;
  return {
    get: await seenInPod('client-1', 'ask', shopV1, '80', 'GET', '/a'),
    otherNode: await seenInPod('client-1', 'ask', shopV2, '80', 'GET', '/b'),
    halfClose: await seenInPod('client-1', 'double', shopV2, '9000'),
    bulk: await seenInPod('client-1', 'bulk', shopV1, '9000', String(4_000_000)),
    short: await seenInPod('client-1', 'short', shopV2, '9000', '2000'),
    serversReset: await seenInPod('client-1', 'reset', shopV1, '9000'),
    clientsReset: await seenInPod('client-1', 'abandon', shopV1, '9000'),
    clientsResetAtServer: await world.server.said(/^hello: /),
    // Policies of the ztunnel.
    allowed: await seenInPod('client-1', 'ask', ledger, '80', 'GET', '/c'),
    notForThisPort: await seenInPod('client-1', 'double', ledger, '9000'),
    fromSidecar: await identitiesOf(world, 'direction="inbound"', `${server}:9000`),
  };
}

/** ztunnel → sidecar. */
async function inbound(world: MixedWorld): Promise<Seen> {
  return {
    getIn: await seenInPod('shop-v1', 'ask', sidecar, '8080', 'GET', '/d'),
    otherNodeIn: await seenInPod('shop-v2', 'ask', sidecar, '8080', 'GET', '/e'),
    bulkIn: await seenInPod('shop-v1', 'bulk', sidecar, '9000', String(4_000_000)),
    shortIn: await seenInPod('shop-v1', 'short', sidecar, '9001', '2000'),
    serversResetIn: await seenInPod('shop-v1', 'reset', sidecar, '9000'),
    clientsResetIn: await seenInPod('shop-v1', 'abandon', sidecar, '9000'),
    clientsResetInAtServer: await world.client.said(/^hello: /),
    toSidecar: await identitiesOf(world, 'direction="outbound"', `${sidecar}:9000`),
  };
}

/** When it works again. */
function carriedOn(): Promise<unknown> {
  return until('connections to be carried again', async () => {
    const answer = await seenInPod('shop-v1', 'double', sidecar, '9001');
    return typeof answer === 'string' && answer.includes('hello') && answer;
  });
}
