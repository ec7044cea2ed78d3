import { Option, type Command } from 'commander';
import type { AgentFlags, ProxyType } from '../../agent/agent-flags.ts';
import { OptionsError } from '../options.ts';
import { addIptablesCommands } from './iptables-command.ts';
import type { AgentInvocation } from './invocation.ts';

const proxyTypes: readonly ProxyType[] = ['sidecar', 'router', 'waypoint'];

type Found = (invocation: AgentInvocation) => void;

/**
 * What Istio's injection template calls of `pilot-agent`: under `agent`, and, since its image has no other program, at
 * the top, so that only the image has to be another.
 */
export function addAgentCommands(program: Command, found: Found): void {
  const agent = program
    .command('agent')
    .description("what Istio's pilot-agent does: proxy, wait, request, istio-iptables, istio-clean-iptables")
    .helpCommand(false);
  for (const parent of [agent, program]) {
    const isHidden = parent === program;
    addProxyCommand(parent, found, isHidden);
    addWaitCommand(parent, found);
    addRequestCommand(parent, found, isHidden);
    addIptablesCommands(parent, found, isHidden);
  }
}

interface ProxyFlags {
  readonly domain: string;
  readonly meshConfig: string;
  readonly serviceCluster: string;
  readonly proxyLogLevel: string;
  readonly proxyComponentLogLevel: string;
  readonly concurrency: number;
  readonly outlierLogPath: string;
  readonly templateFile: string;
  readonly log_as_json: boolean;
  readonly log_output_level: string;
  readonly stsPort: number;
}

function addProxyCommand(parent: Command, found: Found, hidden: boolean): void {
  parent
    .command('proxy', { hidden })
    .description('a proxy of an Istio mesh: its configuration from the environment, from then on from istiod')
    .argument('[type]', 'sidecar, router or waypoint', 'sidecar')
    .option('--domain <suffix>', "DNS domain of the node (default: the namespace's)", '')
    .option('--meshConfig <path>', 'mesh configuration', './etc/istio/config/mesh')
    .option('--serviceCluster <name>', 'name of the workload for tracers', 'istio-proxy')
    .option('--proxyLogLevel <level>', "the proxy's log level, and of components: warning,misc:error", 'warning')
    .option('--proxyComponentLogLevel <list>', 'levels by component', '')
    .option('--concurrency <n>', 'worker threads (default: as the mesh or the CPU limit says)', wholeNumber, 0)
    .option('--outlierLogPath <path>', 'log of outlier detection', '')
    .option('--templateFile <path>', "Istio's template of the bootstrap, which is known here; no other", '')
    .option('--log_as_json', 'lines of the log are JSON', false)
    .option('--log_output_level <level>', "the agent's log level: default:info", 'default:info')
    .option('--stsPort <port>', 'port of a security token service, which there is not: 0', wholeNumber, 0)
    // As pilot-agent: flags of other releases do not keep a proxy from starting.
    .allowUnknownOption()
    .allowExcessArguments()
    .action((type: string, raw: ProxyFlags) => found({ command: 'agent', ...proxyInvocation(type, raw) }));
}

function proxyInvocation(type: string, raw: ProxyFlags): { flags: AgentFlags; logLevel: string } {
  const known = proxyTypes.find((each) => each === type);
  if (known === undefined) throw new OptionsError(`invalid proxy type '${type}'; allowed: ${proxyTypes.join(', ')}`);
  if (raw.stsPort !== 0) throw new OptionsError('--stsPort is not supported by sekisho: there is no token service');
  const flags: AgentFlags = {
    type: known,
    domain: raw.domain,
    meshConfigPath: raw.meshConfig,
    serviceCluster: raw.serviceCluster,
    proxyLogLevel: raw.proxyLogLevel,
    proxyComponentLogLevel: raw.proxyComponentLogLevel,
    concurrency: raw.concurrency,
    outlierLogPath: raw.outlierLogPath,
    templateFile: raw.templateFile,
    logsJson: raw.log_as_json,
  };
  return { flags, logLevel: outputLevel(raw.log_output_level) };
}

const levelNames: Readonly<Record<string, string>> = { warn: 'warning', fatal: 'critical', none: 'off' };

/** Of `default:info,sds:debug` what holds for all. */
function outputLevel(text: string): string {
  const level = text
    .split(',')
    .map((part) => /^(?:(?:default|all):)?([a-z]+)$/.exec(part)?.[1])
    .findLast((found) => found !== undefined);
  return level === undefined ? 'info' : (levelNames[level] ?? level);
}

function addWaitCommand(parent: Command, found: Found): void {
  parent
    .command('wait')
    .description('waits until the proxy beside it is ready')
    .option('--timeoutSeconds <n>', 'how long', wholeNumber, 60)
    .option('--requestTimeoutMillis <n>', 'how long each request waits', wholeNumber, 500)
    .option('--periodMillis <n>', 'time between requests', wholeNumber, 500)
    .option('--url <url>', 'what is asked', 'http://localhost:15021/healthz/ready')
    .allowUnknownOption()
    .action((raw: { timeoutSeconds: number; requestTimeoutMillis: number; periodMillis: number; url: string }) =>
      found({
        command: 'wait',
        wait: {
          timeoutMs: raw.timeoutSeconds * 1000,
          requestTimeoutMs: raw.requestTimeoutMillis,
          periodMs: raw.periodMillis,
          url: raw.url,
        },
      }),
    );
}

/** Admin, status, health, and what was once a port for debugging. */
const requestPorts = [15000, 15004, 15020, 15021];

function addRequestCommand(parent: Command, found: Found, hidden: boolean): void {
  parent
    .command('request', { hidden })
    .description("asks the proxy's admin, and prints the answer as it is")
    .argument('<method>', 'GET or POST')
    .argument('<path>', 'e.g. config_dump')
    .argument('[body]', 'what is sent', '')
    .addOption(
      new Option('--debug-port <port>', 'another of its ports').argParser(wholeNumber).default(requestPorts[0]),
    )
    .allowUnknownOption()
    .action((method: string, path: string, body: string, { debugPort }: { debugPort: number }) => {
      if (!requestPorts.includes(debugPort))
        throw new OptionsError(`debug port ${debugPort} is not in allowed list [${requestPorts.join(' ')}]`);
      found({ command: 'request', request: { method, path, body, port: debugPort } });
    });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new OptionsError(`'${text}' is no whole number`);
  return Number(text);
}
