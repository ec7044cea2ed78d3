import type { Command } from 'commander';
import { parseDurationMs } from '../../agent/environment.ts';
import type { InterceptionWish } from '../../agent/iptables/interception.ts';
import { OptionsError } from '../options.ts';
import type { AgentInvocation, IptablesInvocation } from './invocation.ts';

type Found = (invocation: AgentInvocation) => void;

/** Flags of istio-iptables that are a value: short, long, what it becomes, help. */
const values: readonly (readonly [short: string, long: string, key: keyof InterceptionWish, help: string])[] = [
  ['p', 'envoy-port', 'outboundPort', 'port that outbound connections are sent to (default: 15001)'],
  ['z', 'inbound-capture-port', 'inboundPort', 'port that inbound connections are sent to (default: 15006)'],
  ['e', 'inbound-tunnel-port', 'tunnelPort', 'port of HBONE, which is left alone (default: 15008)'],
  ['u', 'proxy-uid', 'proxyUids', 'users whose connections are left alone (default: 1337)'],
  ['g', 'proxy-gid', 'proxyGids', 'groups whose connections are left alone (default: the users)'],
  ['m', 'istio-inbound-interception-mode', 'mode', 'REDIRECT (default) or TPROXY'],
  ['b', 'istio-inbound-ports', 'inboundPorts', 'inbound ports that are captured, * for all; none if empty'],
  ['d', 'istio-local-exclude-ports', 'inboundPortsExcluded', 'inbound ports that are not, of all'],
  ['i', 'istio-service-cidr', 'outboundRanges', 'destinations that are captured, * for all; none if empty'],
  ['x', 'istio-service-exclude-cidr', 'outboundRangesExcluded', 'destinations that are not'],
  ['q', 'istio-outbound-ports', 'outboundPorts', 'outbound ports that are captured in any case'],
  ['o', 'istio-local-outbound-ports-exclude', 'outboundPortsExcluded', 'outbound ports that are not'],
  ['k', 'kube-virt-interfaces', 'virtualInterfaces', 'interfaces whose inbound traffic is outbound'],
  ['c', 'istio-exclude-interfaces', 'interfacesExcluded', 'interfaces that are left alone'],
  ['t', 'istio-inbound-tproxy-mark', 'tproxyMark', 'mark of TPROXY (default: 1337)'],
  ['r', 'istio-inbound-tproxy-route-table', 'tproxyRouteTable', 'routing table of TPROXY (default: 133)'],
];

const switches: readonly (readonly [long: string, key: keyof InterceptionWish, help: string])[] = [
  ['redirect-dns', 'redirectsDns', 'questions to port 53 are sent to the agent'],
  ['capture-all-dns', 'capturesAllDns', 'whichever server they are for'],
  ['drop-invalid', 'dropsInvalid', 'packets that conntrack finds invalid are dropped'],
  ['dual-stack', 'isDualStack', 'rules for IPv6, too'],
];

/**
 * Taken as istio-iptables takes them. The first two say which lock file iptables is given under a CNI plugin, which has
 * entered the namespace itself; what the others ask for is always done.
 */
const ignored = ['network-namespace <path>', 'cni-mode', 'reconcile', 'force-apply'];
const refused = ['native-nftables', 'force-iptables-binary <name>'];

/** `iptables` and, by Istio's names, `istio-iptables` and `istio-clean-iptables`. */
export function addIptablesCommands(parent: Command, found: Found, isTop: boolean): void {
  if (isTop) {
    const own = parent.command('iptables').description("sets the rules that send a pod's connections to the proxy");
    addFlags(own);
    own.option('--cleanup', 'takes the rules away').action((raw: Raw) => found(read(raw, raw['cleanup'] === true)));
  }
  const stock = parent.command('istio-iptables', { hidden: isTop }).description('the same, by its name in Istio');
  addFlags(stock);
  stock
    .option('--cleanup-only', 'takes the rules away')
    .allowUnknownOption()
    .allowExcessArguments()
    .action((raw: Raw) => found(read(raw, raw['cleanupOnly'] === true)));
  const clean = parent.command('istio-clean-iptables', { hidden: isTop }).description('takes the rules away');
  addFlags(clean);
  clean
    .allowUnknownOption()
    .allowExcessArguments()
    .action((raw: Raw) => found(read(raw, true)));
}

type Raw = Readonly<Record<string, string | boolean | undefined>>;

function addFlags(command: Command): void {
  for (const [short, long, , help] of values) command.option(`-${short}, --${long} <value>`, help);
  for (const [long, , help] of switches) command.option(`--${long}`, help);
  command
    .option('-n, --dry-run', 'prints what would be set')
    .option('--skip-rule-apply', 'sets nothing')
    .option('--run-validation', 'tries whether connections are redirected')
    .option('--iptables-probe-port <port>', 'port that is tried (default: 15002)')
    .option('--probe-timeout <time>', 'for how long, as 5s or 1m (default: 5s)');
  for (const flag of ignored) command.option(`--${flag}`, 'taken, without effect');
  for (const flag of refused) command.option(`--${flag}`, 'not supported by sekisho');
  command.option('--log_output_level <level>').option('--log_as_json');
}

function read(raw: Raw, isCleanup: boolean): Extract<AgentInvocation, { command: 'iptables' }> {
  for (const flag of refused) {
    const [name] = flag.split(' ');
    if (raw[camelCase(name)] !== undefined)
      throw new OptionsError(`--${name} is not supported by sekisho: rules are set by iptables-restore`);
  }
  const wish: Record<string, string | boolean> = {};
  for (const [, long, key] of values) {
    const value = raw[camelCase(long)];
    if (value !== undefined) wish[key] = value;
  }
  for (const [long, key] of switches) if (raw[camelCase(long)] === true) wish[key] = true;
  const iptables: IptablesInvocation = {
    wish,
    action:
      raw['dryRun'] === true ? 'print' : isCleanup ? 'cleanup' : raw['skipRuleApply'] === true ? 'validate' : 'apply',
    isValidated: raw['runValidation'] === true,
    probePort: readPort(raw['iptablesProbePort']),
    probeTimeoutMs: readTime(raw['probeTimeout']),
  };
  return { command: 'iptables', iptables };
}

function readPort(text: Raw[string]): number | null {
  if (typeof text !== 'string') return null;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new OptionsError(`'${text}' is no port`);
  return Number(text);
}

function readTime(text: Raw[string]): number | null {
  if (typeof text !== 'string') return null;
  const time = parseDurationMs(text);
  if (time === undefined || time < 0) throw new OptionsError(`'${text}' is no time, as 5s or 1m is`);
  return time;
}

function camelCase(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
