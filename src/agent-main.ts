import { readFileSync } from 'node:fs';
import { Agent } from './agent/agent.ts';
import { AgentError } from './agent/agent-error.ts';
import type { AgentFlags } from './agent/agent-flags.ts';
import { Environment, type Variables } from './agent/environment.ts';
import { addressesOfInterface, machineAddresses } from './agent/machine-addresses.ts';
import { isSocketServed } from './agent/neighbour-socket.ts';
import { identitySocketFolder } from './agent/bootstrap/bootstrap.ts';
import { settings, type Settings } from './agent/settings.ts';
import { readCommandLine } from './cli/command-line.ts';
import type { Options } from './cli/options.ts';
import { parseLogLevel } from './observe/log/level.ts';
import { LogFormat } from './observe/log/log-format.ts';
import { LogLevels } from './observe/log/log-levels.ts';
import { AppendingLogFile, LogWriter } from './observe/log/log-writer.ts';
import type { Log } from './observe/log/log.ts';

/** Another provider's socket for credentials of gateways. */
const credentialSocketPath = './var/run/secrets/credential-uds/socket';
const defaultIdentitySocket = 'socket';

const textPattern = '%Y-%m-%dT%T.%fZ\t%l\tagent\t%v';
const jsonPattern = '{"time":"%Y-%m-%dT%T.%fZ","level":"%l","scope":"agent","msg":"%j"}';

/** The agent and the proxy in one process: what the command `agent proxy` runs. */
export class AgentProcess {
  /** The proxy's, as the agent decides. */
  readonly options: Options;
  private readonly settings: Settings;
  private readonly hasIdentitySocket: boolean;
  private readonly log: Log;
  private readonly exit: (status: number) => void;
  private agent: Agent | null;
  /** Ends the proxy. */
  private stop: () => Promise<void>;
  private isEnding: boolean;

  private constructor(
    found: Settings,
    options: Options,
    hasIdentitySocket: boolean,
    log: Log,
    exit: (status: number) => void,
  ) {
    this.settings = found;
    this.options = options;
    this.hasIdentitySocket = hasIdentitySocket;
    this.log = log;
    this.exit = exit;
    this.agent = null;
    this.stop = () => Promise.resolve();
    this.isEnding = false;
  }

  /** @throws AgentError or Error: why it cannot start, in one line */
  static async prepare(
    flags: AgentFlags,
    logLevel: string,
    variables: Variables,
    exit: (status: number) => void,
  ): Promise<AgentProcess> {
    const environment = new Environment(variables);
    const socketFile = environment.text('WORKLOAD_IDENTITY_SOCKET_FILE', defaultIdentitySocket);
    const hasIdentitySocket = await isSocketServed(`${identitySocketFolder}/${socketFile}`);
    if (!hasIdentitySocket && socketFile !== defaultIdentitySocket)
      throw new AgentError(`nobody listens at the socket that WORKLOAD_IDENTITY_SOCKET_FILE names: '${socketFile}'`);
    const hasCredentialSocket = await isSocketServed(credentialSocketPath);
    const surroundings = {
      environment,
      readFile,
      addresses: machineAddresses(),
      addressesOf: addressesOfInterface,
    };
    const found = settings(flags, surroundings, { hasCredentialSocket, hasIdentitySocket });
    const invocation = readCommandLine(found.arguments, process.versions.openssl);
    if (invocation.command !== 'serve')
      throw new AgentError(invocation.command === 'print' ? invocation.text.trim() : 'the proxy has no such command');
    return new AgentProcess(found, invocation.options, hasIdentitySocket, agentLog(flags, logLevel), exit);
  }

  /** Before the proxy starts. @throws AgentError or Error */
  async open(): Promise<void> {
    const { hasIdentitySocket, log } = this;
    this.agent = await Agent.open({
      settings: this.settings,
      hasIdentitySocket,
      log,
      onQuit: () => void this.end('/quitquitquit'),
    });
  }

  /** There is a proxy. @param stop ends it */
  serves(stop: () => Promise<void>): void {
    this.stop = stop;
  }

  /** A signal: drains, then ends; a second one ends at once. */
  async end(signal: string): Promise<void> {
    if (this.isEnding || this.agent === null) {
      this.quit();
      return;
    }
    this.isEnding = true;
    this.log.info(`caught ${signal}`);
    await this.agent.terminate();
    await this.stop();
    this.quit();
  }

  private quit(): void {
    this.agent?.close();
    this.exit(0);
  }
}

function agentLog({ logsJson }: AgentFlags, level: string): Log {
  const levels = new LogLevels();
  const parsed = parseLogLevel(level);
  if (parsed === undefined) throw new AgentError(`--log_output_level: there is no level '${level}'`);
  levels.setAll(parsed);
  const writer = new LogWriter({
    levels,
    format: new LogFormat(logsJson ? jsonPattern : textPattern),
    file: new AppendingLogFile(''),
    origin: { threadId: process.pid, processId: process.pid, version: '' },
    isEscaped: false,
    now: Date.now,
  });
  return writer.component('main');
}

function readFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
