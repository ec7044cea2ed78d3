import type { Command } from 'commander';

/** Nothing but that it was asked for: everything else is told by environment variables. */
export interface ZtunnelInvocation {
  readonly command: 'ztunnel';
}

/** The variables that a node's proxy cannot do without; docs/ztunnel.md tells of all. */
const variables: readonly (readonly [name: string, text: string])[] = [
  ['XDS_ADDRESS', 'istiod; empty: none (default: https://istiod.istio-system.svc:15012)'],
  ['CA_ADDRESS', 'who certifies the workloads (default: the same)'],
  ['XDS_ROOT_CA, CA_ROOT_CA', 'roots of those two: a file, SYSTEM, or PEM'],
  ['AUTH_TOKEN', 'token for them: a file, or the token'],
  ['NODE_NAME, CLUSTER_ID, NETWORK', 'where this is'],
  ['INPOD_UDS', 'socket of istio-cni (default: /var/run/ztunnel/ztunnel.sock)'],
  ['PROXY_MODE', 'shared: all pods of the node (default); dedicated: one workload'],
  ['PROXY_WORKLOAD_INFO', 'that one: namespace/name/serviceaccount'],
  ['LOCAL_XDS_PATH, LOCAL_XDS', "the mesh in ztunnel's local form, beside istiod or instead"],
  ['RUST_LOG, LOG_FORMAT', 'level of the log; json'],
];

/** For help and for the list of commands; what the DaemonSet's command line has besides does not matter. */
export function addZtunnelCommand(program: Command, found: (invocation: ZtunnelInvocation) => void): void {
  const width = Math.max(...variables.map(([name]) => name.length)) + 2;
  const lines = variables.map(([name, text]) => `  ${name.padEnd(width)}${text}`);
  program
    .command('ztunnel')
    .description("the proxy of a node in Istio's ambient mesh (also: proxy ztunnel)")
    .usage('')
    .addHelpText('after', `\nEnvironment, as of Istio's ztunnel:\n${lines.join('\n')}\n`)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => found({ command: 'ztunnel' }));
}
