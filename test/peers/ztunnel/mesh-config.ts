import {
  clientAddress,
  otherAddress,
  secondServerAddress,
  serverAddress,
} from '../../scenario/ambient/ambient-rules.ts';

/** Of services: of the doubling server, and of the one that speaks HTTP. */
export const doubling = { address: '10.10.0.1', port: '80' };
export const web = { address: '10.10.0.2', port: '80' };

/** Of the server in a pod; `debug` is for nobody, `forClient` for the client, `echo` for whoever has an identity. */
export const port = {
  doubling: '15000',
  echo: '16000',
  resetting: '16001',
  greeting: '16002',
  forClient: '16003',
  telling: '16004',
  debug: '6060',
  web: '8080',
};

/** The local form of the mesh. `second`: whose account the second server is said to have. */
export function meshConfig(second: string): string {
  const workload = (name: string, node: string, address: string, account: string, services: string): string =>
    `- { uid: c//v1/Pod/shop/${name}, name: ${name}, namespace: shop, trustDomain: cluster.local, serviceAccount: ${account}, workloadIps: [${address}], protocol: HBONE, node: ${node}, network: "", services: {${services}} }`;
  const serves = ' shop/doubling.example: { 80: 15000 }, shop/web.example: { 80: 8080 } ';
  const policy = (name: string, action: string, rules: string): string =>
    `- { name: ${name}, namespace: shop, scope: Namespace, action: ${action}, dryRun: false, rules: ${rules} }`;
  const service = (name: string, { address, port: vipPort }: typeof web, target: number): string =>
    `- { name: ${name}, namespace: shop, hostname: ${name}.example, vips: [/${address}], ports: { ${vipPort}: ${target} }, canonical: true }`;
  return `
workloads:
${workload('client', 'clients', clientAddress, 'client', '')}
${workload('other', 'clients', otherAddress, 'other', '')}
${workload('server', 'servers', serverAddress, 'server', serves)}
${workload('second', 'servers', secondServerAddress, second, '')}
services:
${service('doubling', doubling, 15000)}
${service('web', web, 8080)}
policies:
${policy('no-debug', 'Deny', `[[[{ destinationPorts: [${port.debug}] }]]]`)}
${policy('strict', 'Deny', `[[[{ destinationPorts: [${port.echo}] }], [{ notPrincipals: [!Presence []] }]]]`)}
${policy('others', 'Allow', `[[[{ notDestinationPorts: [${port.forClient}] }]]]`)}
${policy('client', 'Allow', `[[[{ destinationPorts: [${port.forClient}] }], [{ principals: [!Exact cluster.local/ns/shop/sa/client] }]]]`)}
`;
}
