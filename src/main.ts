#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import type { AgentProcess } from './agent-main.ts';
import type { AppEnvironment } from './app.ts';
import type { AgentInvocation } from './cli/agent/invocation.ts';
import type { Options } from './cli/options.ts';
import type { Workers } from './control/workers.ts';

/** What sekisho is written for. An older Node finds the one that came with the package and hands over to it. */
const nodeMajor = 26;

if (Number(process.versions.node.split('.')[0]) < nodeMajor) await runUnderOwnNode();
else await run(process.argv.slice(2));

async function runUnderOwnNode(): Promise<void> {
  let node: string;
  try {
    node = createRequire(import.meta.url).resolve('node/bin/node');
  } catch {
    process.stderr.write(
      `sekisho needs Node ${nodeMajor}, this is ${process.version}; run 'npm install node@${nodeMajor}' beside it\n`,
    );
    process.exit(1);
  }
  const { spawn } = await import('node:child_process');
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const)
    process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
}

async function run(args: readonly string[]): Promise<void> {
  const { trustSourceNames } = await import('./source-modules.ts');
  trustSourceNames();
  const { keepCompiledCode, writeCompiledCode } = await import('./code-cache.ts');
  keepCompiledCode();
  writeCompiledCode();
  const isNode = isForZtunnel(args);
  const isAsked = args.includes('--help') || args.includes('-h');
  if (isNode && !isAsked) return ztunnel();
  const { readPlainFlags } = await import('./cli/plain-flags.ts');
  const options = readPlainFlags(args);
  if (options !== null) return serve(options);
  const { readCommandLine } = await import('./cli/command-line.ts');
  const invocation = readCommandLine(isNode ? ['ztunnel', '--help'] : args, process.versions.openssl);
  if (invocation.command === 'print') {
    (invocation.exitCode === 0 ? process.stdout : process.stderr).write(invocation.text);
    process.exitCode = invocation.exitCode;
  } else if (invocation.command === 'check') {
    const { check } = await import('./cli/check.ts');
    const { loadFile } = await import('./serve.ts');
    const write = (text: string): void => void process.stdout.write(text);
    process.exitCode = await check(invocation.check, { load: loadFile, write, hasColor: process.stdout.isTTY });
  } else if (invocation.command === 'route-test') {
    const { routeTest } = await import('./cli/route-test/route-test.ts');
    const [{ ExtensionTable }, { extensionEntries }] = await Promise.all([
      import('./control/extension-table.ts'),
      import('./extensions.ts'),
    ]);
    const extensions = new ExtensionTable(extensionEntries);
    const write = (text: string): void => void process.stdout.write(text);
    process.exitCode = await routeTest(invocation.routeTest, { extensions, write, hasColor: process.stdout.isTTY });
  } else if (invocation.command === 'serve') {
    await serve(invocation.options);
  } else if (invocation.command === 'ztunnel') {
    await ztunnel();
  } else {
    await runForIstio(invocation);
  }
}

/** What Istio's injection template calls of `pilot-agent`. */
async function runForIstio(invocation: AgentInvocation): Promise<void> {
  if (invocation.command === 'agent') {
    const { AgentProcess } = await import('./agent-main.ts');
    const { flags, logLevel } = invocation;
    try {
      const agent = await AgentProcess.prepare(flags, logLevel, process.env, (status) => process.exit(status));
      await serve(agent.options, agent);
    } catch (error) {
      process.stderr.write(`error: ${(error as Error).message}\n`);
      process.exit(1);
    }
  } else if (invocation.command === 'wait') {
    const { waitUntilReady } = await import('./cli/agent/wait.ts');
    const problem = await waitUntilReady(invocation.wait);
    if (problem !== null) process.stderr.write(`Error: ${problem}\n`);
    process.exitCode = problem === null ? 0 : 1;
  } else if (invocation.command === 'request') {
    const { requestAdmin } = await import('./cli/agent/request.ts');
    const { text, isGood } = await requestAdmin(invocation.request);
    (isGood ? process.stdout : process.stderr).write(text);
    process.exitCode = isGood ? 0 : 1;
  } else {
    const { runIptables } = await import('./cli/agent/iptables.ts');
    const { status, text } = await runIptables(invocation.iptables, process.env);
    (status === 0 ? process.stdout : process.stderr).write(text);
    process.exitCode = status;
  }
}

/** `ztunnel`, or as Istio's DaemonSet calls it: `proxy ztunnel`. Everything else is told by environment variables. */
function isForZtunnel([first, second]: readonly string[]): boolean {
  return first === 'ztunnel' || (first === 'proxy' && second === 'ztunnel');
}

async function ztunnel(): Promise<void> {
  const [{ runZtunnel }, { versionString }] = await Promise.all([
    import('./ztunnel-main.ts'),
    import('./cli/version.ts'),
  ]);
  await runZtunnel(process.env, versionString(process.versions.openssl), besides('ztunnel-worker'), (end) => {
    process.on('SIGTERM', () => end('SIGTERM'));
    process.on('SIGINT', () => end('SIGINT'));
  });
}

/** The module beside this one, as source or as built. */
function besides(name: string): URL {
  return new URL(`./${name}${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);
}

/** @param agent what stands around the proxy in an Istio mesh; null: nothing */
async function serve(options: Options, agent: AgentProcess | null = null): Promise<void> {
  const environment = await makeEnvironment(options);
  const log = environment.logs.component('main');
  await agent?.open();
  let workers: Workers | null = null;
  if (options.mode !== 'validate') {
    const threads = await import('./control/workers.ts');
    // Before anything large is loaded here, so that the threads load theirs at the same time.
    workers = new threads.Workers(environment.concurrency, environment.workerEntry, log);
  }
  const { Server } = await import('./serve.ts');
  const print = (text: string): void => void process.stderr.write(text);
  const server = new Server(environment, print, process.stderr.isTTY);
  agent?.serves(() => server.stop());
  if (workers === null) {
    const configuration = await server.load();
    if (configuration === null) process.exit(1);
    process.stdout.write(`configuration '${options.configPath}' OK\n`);
    process.exit(0);
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => void (agent === null ? server.end(signal) : agent.end(signal)));
  process.on('SIGHUP', () => void server.reload());
  process.on('SIGUSR1', () => server.reopenLogs());
  try {
    if (!(await server.start(workers))) process.exit(1);
  } catch (error) {
    log.critical((error as Error).message);
    await server.stop();
    process.exit(1);
  }
  if (options.mode === 'init_only') {
    await server.stop();
    process.exit(0);
  }
}

async function makeEnvironment(options: Options): Promise<AppEnvironment> {
  const [
    { defaultConcurrency },
    { versionString },
    { LogLevels },
    { LogWriter, AppendingLogFile },
    { LogFormat, defaultLogPattern },
  ] = await Promise.all([
    import('./cli/concurrency.ts'),
    import('./cli/version.ts'),
    import('./observe/log/log-levels.ts'),
    import('./observe/log/log-writer.ts'),
    import('./observe/log/log-format.ts'),
  ]);
  const version = versionString(process.versions.openssl);
  const logLevels = new LogLevels();
  logLevels.setAll(options.logLevel);
  for (const { component, level } of options.componentLogLevels) logLevels.set(component, level);
  const logs = new LogWriter({
    levels: logLevels,
    format: new LogFormat(options.logFormat ?? defaultLogPattern),
    file: new AppendingLogFile(options.logPath),
    origin: { threadId: process.pid, processId: process.pid, version },
    isEscaped: options.logFormatEscaped,
    now: Date.now,
  });
  const concurrency =
    options.concurrency ??
    defaultConcurrency({
      availableParallelism: availableParallelism(),
      cgroupDetection: process.env['ENVOY_CGROUP_CPU_DETECTION'],
      readFile: readText,
    });
  const workerEntry = besides('worker');
  return {
    options,
    concurrency: Math.max(1, concurrency),
    logs,
    logLevels,
    version,
    workerEntry,
    exit: (status) => process.exit(status),
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
