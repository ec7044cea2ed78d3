import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { addAgentCommands } from './agent/agent-commands.ts';
import type { AgentInvocation } from './agent/invocation.ts';
import { FlagGroup, flags, type Flag } from './flags.ts';
import { buildOptions, OptionsError, type Options } from './options.ts';
import { addRouteTestCommand } from './route-test/route-test-command.ts';
import type { RouteTestInvocation } from './route-test/route-test.ts';
import { hotRestartVersion, versionString } from './version.ts';
import { addZtunnelCommand, type ZtunnelInvocation } from './ztunnel-command.ts';

/** What the command line asks for. */
export type Invocation =
  | { readonly command: 'serve'; readonly options: Options }
  | { readonly command: 'check'; readonly check: CheckInvocation }
  | { readonly command: 'route-test'; readonly routeTest: RouteTestInvocation }
  | AgentInvocation
  | ZtunnelInvocation
  /** Nothing to run: help, version or a complaint. */
  | { readonly command: 'print'; readonly text: string; readonly exitCode: 0 | 1 };

export interface CheckInvocation {
  readonly files: readonly string[];
  readonly format: 'text' | 'json';
  readonly allowUnknownFields: boolean;
}

/**
 * Reads the arguments after the program's name. Never exits and never prints: what is to be printed comes back,
 * with exit status 0 for standard output and 1 for standard error.
 */
export function readCommandLine(args: readonly string[], opensslVersion: string): Invocation {
  let printed = '';
  let invocation: Invocation | undefined;
  const program = new Command('sekisho')
    .description("Data-plane proxy that runs Envoy's own configuration.")
    .usage('-c envoy.yaml [flags]')
    .helpOption('-h, --help', 'this text')
    .helpCommand(false)
    .allowExcessArguments(false)
    .showSuggestionAfterError(true)
    // A command's own flags may have the names of these.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: (text) => (printed += text), writeErr: (text) => (printed += text) })
    .action((raw: Record<string, unknown>) => {
      invocation = serve(raw, opensslVersion);
    });
  for (const flag of flags) program.addOption(commanderOption(flag));
  program
    .option('--version', 'version, and exit')
    .addOption(new Option('--hot-restart-version', 'prints that there is none').helpGroup(FlagGroup.Ignored));
  addCheckCommand(program, (check) => (invocation = { command: 'check', check }));
  addRouteTestCommand(program, (routeTest) => (invocation = { command: 'route-test', routeTest }));
  addAgentCommands(program, (agent) => (invocation = agent));
  addZtunnelCommand(program, (ztunnel) => (invocation = ztunnel));
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError)
      return { command: 'print', text: printed, exitCode: error.exitCode === 0 ? 0 : 1 };
    if (error instanceof OptionsError) return { command: 'print', text: `error: ${error.message}\n`, exitCode: 1 };
    throw error;
  }
  return invocation ?? { command: 'print', text: program.helpInformation(), exitCode: 1 };
}

function serve(raw: Record<string, unknown>, opensslVersion: string): Invocation {
  if (raw['version'] === true) {
    return { command: 'print', text: `\nsekisho  version: ${versionString(opensslVersion)}\n\n`, exitCode: 0 };
  }
  if (raw['hotRestartVersion'] === true) return { command: 'print', text: `${hotRestartVersion}\n`, exitCode: 0 };
  return { command: 'serve', options: buildOptions(raw) };
}

function addCheckCommand(program: Command, found: (check: CheckInvocation) => void): void {
  program
    .command('check')
    .description('check configuration files without serving: every problem with file, line and field')
    .argument('<file...>', 'configuration files, YAML or JSON')
    .addOption(
      new Option('--format <format>', 'text for people, json for machines').choices(['text', 'json']).default('text'),
    )
    .option('--allow-unknown-fields', 'unknown fields are no errors')
    .action((files: string[], raw: { format: 'text' | 'json'; allowUnknownFields?: true }) => {
      found({ files, format: raw.format, allowUnknownFields: raw.allowUnknownFields === true });
    });
}

function commanderOption(flag: Flag): Option {
  const long = flag.kind === 'switch' ? `--${flag.name}` : `--${flag.name} <${flag.value}>`;
  const option = new Option(flag.short === undefined ? long : `-${flag.short}, ${long}`, flag.help);
  option.helpGroup(flag.group);
  if (flag.kind === 'number') option.argParser((text, previous?: unknown) => once(previous, parseUint32(text)));
  else if (flag.kind === 'text') option.argParser((text, previous?: unknown) => once(previous, text));
  else if (flag.kind === 'list') option.argParser((text, previous?: readonly string[]) => [...(previous ?? []), text]);
  return option;
}

/** As in Envoy, a flag that is given twice is a mistake rather than an override. */
function once<Value>(previous: unknown, value: Value): Value {
  if (previous !== undefined) throw new InvalidArgumentError('Argument already set!');
  return value;
}

function parseUint32(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 0xffffffff) throw new InvalidArgumentError('A whole number is needed.');
  return value;
}
