/**
 * Runs as root in namespaces of its own (`mixedRules`): the recorded ambient mesh with ztunnels on two nodes and a waypoint
 * or a sidecar, each of its kind. Prints what was seen, as JSON. `node mixed.ts waypoint|sidecar ztunnelKind proxyKind`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Istiod } from '../../../istiod.ts';
import { NodeProxy, type Kind } from '../../../peers/ztunnel/node-proxy.ts';
import { podServer, type PluggedPod } from '../programs.ts';
import { IstioProxy, type IstioProxyWish } from './istio-proxy.ts';
import type { MixedWorld } from './mixed-world.ts';
import { outsideAddress, podAddresses, type PodName } from './moved.ts';
import { RecordedMesh } from './recorded-mesh.ts';
import { seenBySidecar } from './sidecar-traffic.ts';
import { seenThroughWaypoint } from './waypoint-traffic.ts';

const [shape, ztunnelKind, proxyKind] = process.argv.slice(2) as ['waypoint' | 'sidecar', Kind, IstioProxyWish['kind']];

// Whoever looks for HTTP waits for the end of a line.
process.env['LINE_END'] = '\n';
const authorityName = 'istiod.tests';
const mesh = new RecordedMesh();
const istiod = await Istiod.start({
  address: outsideAddress,
  dns: [authorityName],
  lifeMs: 86_400_000,
  onStream: (call) => mesh.serve(call),
});
mkdirSync('/run/certificates');
const rootsPath = '/run/certificates/roots.pem';
writeFileSync(rootsPath, istiod.authority.rootPem);

const pod = (name: PodName, namespace: string, account: string): PluggedPod => ({ name, namespace, account });
const ztunnel = (node: 'node-1' | 'node-2', pods: readonly PluggedPod[], times = 0): Promise<NodeProxy> =>
  NodeProxy.start(
    {
      kind: ztunnelKind,
      node,
      address: podAddresses[node],
      pods,
      configPath: '',
      authorityUrl: `https://${outsideAddress}:${istiod.port}`,
      authorityName,
      rootsPath,
    },
    times,
  );
const client = pod('client-1', 'default', 'client');
const ofFirst = [pod('shop-v1', 'default', 'shop'), pod('ledger-1', 'billing', 'ledger')];
const podsOfFirst = shape === 'waypoint' ? [client, ...ofFirst] : ofFirst;
const first = await ztunnel('node-1', podsOfFirst);
await ztunnel('node-2', [pod('shop-v2', 'default', 'shop')]);

const account = shape === 'waypoint' ? 'waypoint' : 'client';
const startProxy = async (): Promise<IstioProxy> =>
  IstioProxy.start({
    pod: shape === 'waypoint' ? 'waypoint-1' : 'client-1',
    node: shape === 'waypoint' ? 'ambient/waypoint' : 'ambient/sidecar-hbone',
    bootstrapOf: shape === 'waypoint' ? 'waypoint-empty' : 'sidecar-client-productpage',
    kind: proxyKind,
    certificate: await istiod.authority.issue({ uris: [`spiffe://cluster.local/ns/default/sa/${account}`] }),
    rootsPem: istiod.authority.rootPem,
  });
const proxy = await startProxy();

const applications = (['shop-v1', 'shop-v2', 'ledger-1', 'client-1'] as const).map((name) =>
  podServer(
    name,
    podAddresses[name],
    '8080=web',
    ...(name === 'shop-v2' ? ['9000=doubling'] : ['9000=either', '9001=doubling']),
  ),
);
for (const application of applications) await application.said(/^listening/);

const world: MixedWorld = {
  server: applications[0],
  client: applications[3],
  first,
  proxy,
  startProxy,
  startFirst: () => ztunnel('node-1', podsOfFirst, 1),
};
const seen = await (shape === 'waypoint' ? seenThroughWaypoint(world) : seenBySidecar(world));
const refusals = [...mesh.refusals, ...proxy.plane.refusals.map(({ refusal }) => refusal)];
console.log(JSON.stringify({ ...seen, refusals }));
process.exit(0);
