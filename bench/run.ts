/**
 * Envoy, nginx, HAProxy and sekisho side by side in short alternating rounds; see README.md beside this file.
 *
 * `npm run bench -- [--short] [--scenario small,churn] [--rounds 5] [--seconds 3] [--targets envoy,sekisho] [--save]`
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePorts } from '../test/peers/ports.ts';
import { makeCertificates, type CertificateFiles } from './certificates.ts';
import { Core, Program, isPinned } from './process.ts';
import { authorityPort, Namespaces, serverAddress, serverPort } from './hbone/namespaces.ts';
import { hboneScenarios, tunnelLoad } from './hbone/scenarios.ts';
import { hostsScenarios } from './hosts-scenarios.ts';
import { policyScenarios } from './policy-scenarios.ts';
import { compare, table, type Rounds } from './report.ts';
import type { OwnScenario, Running, Sample, Scale, Scenario, SharedScenario } from './scenario.ts';
import { scenarios as plainScenarios } from './scenarios.ts';
import { isHbone, isPair, type Place, type Shape, type Target } from './target.ts';
import { envoy, tunedEnvoy } from './targets/envoy.ts';
import { haproxy } from './targets/haproxy.ts';
import { nginx } from './targets/nginx.ts';
import { sekisho } from './targets/sekisho.ts';
import { sekishoZtunnel, ztunnel } from './targets/ztunnel.ts';
import { tlsScenarios } from './tls-scenarios.ts';
import { startUpstream, type Upstream } from './upstream.ts';

const scenarios: readonly Scenario[] = [
  ...plainScenarios,
  ...tlsScenarios,
  ...hostsScenarios,
  ...policyScenarios,
  ...hboneScenarios,
];

interface Plan {
  readonly targets: readonly Target[];
  readonly rounds: number;
  readonly warmUpSeconds: number;
  readonly upstream: Upstream;
  readonly certificates: CertificateFiles;
  readonly directory: string;
  scale: Scale;
}

async function start(plan: Plan, target: Target, shape: Shape, workers: number): Promise<Running> {
  if (isHbone(shape)) return startTunnels(plan, target, shape, workers);
  const upstreamPort = shape === 'h2-h2' ? plan.upstream.h2Port : plan.upstream.port;
  if (!isPair(shape))
    return { ...(await begin(plan, target, shape, workers, upstreamPort, 'in')), behind: null, spaces: null };
  const behind = await begin(plan, target, shape, workers, upstreamPort, 'in');
  await behind.program.listens(behind.place.listenPort);
  const front = await begin(plan, target, shape, workers, behind.place.listenPort, 'out');
  return { ...front, behind: behind.program, spaces: null };
}

/** Resolves when what the client sends comes back. */
async function startTunnels(plan: Plan, target: Target, shape: Shape, workers: number): Promise<Running> {
  const spaces = await Namespaces.open();
  const file = new URL('load/tunnel-server.ts', import.meta.url).pathname;
  const argv = [...spaces.enter('in'), process.execPath, file, String(serverPort)];
  const server = new Program('server', Core.Load, argv, join(plan.directory, 'server.log'));
  const { program: authority, root } = await startAuthority(plan, spaces);
  const behind = await begin(plan, target, shape, workers, serverPort, 'in', { spaces, root });
  const front = await begin(plan, target, shape, workers, serverPort, 'out', { spaces, root });
  const running = { ...front, behind: behind.program, spaces, others: [server, authority] };
  try {
    await tunnelLoad(spaces, { kind: 'ready', seconds: 15 });
  } catch (error) {
    await stop([running]);
    const said = [running.program, running.behind, server, authority].map((program) => program.said);
    throw new Error(`${target.name} carries nothing:\n${said.join('\n')}`, { cause: error });
  }
  return running;
}

async function startAuthority(plan: Plan, spaces: Namespaces): Promise<{ program: Program; root: string }> {
  const directory = mkdtempSync(join(plan.directory, 'authority-'));
  const root = join(directory, 'root.pem');
  const file = new URL('hbone/authority.ts', import.meta.url).pathname;
  const argv = [...spaces.enter('in'), process.execPath, file, serverAddress, String(authorityPort), root];
  const program = new Program('authority', Core.Load, argv, join(directory, 'log'));
  const until = performance.now() + 10_000;
  while (!existsSync(root)) {
    if (performance.now() > until) throw new Error(`no authority:\n${program.said}`);
    await sleep(20);
  }
  return { program, root };
}

async function begin(
  plan: Plan,
  target: Target,
  shape: Shape,
  workers: number,
  upstreamPort: number,
  side: Place['side'],
  apart: { readonly spaces: Namespaces; readonly root: string } | null = null,
): Promise<Omit<Running, 'behind' | 'spaces' | 'others'>> {
  const [listenPort, adminPort] = await freePorts(2);
  const directory = mkdtempSync(join(plan.directory, `${target.name.replaceAll('/', '_')}-`));
  const { certificates } = plan;
  const authorityRoot = apart?.root ?? '';
  const authorizationPort = plan.upstream.h2Port;
  const place: Place = {
    listenPort,
    adminPort,
    upstreamPort,
    authorizationPort,
    directory,
    side,
    certificates,
    authorityRoot,
  };
  const argv = [...(apart?.spaces.enter(side) ?? []), ...target.prepare(shape, place, workers)];
  return { target, place, program: new Program(target.name, Core.Proxy, argv, join(directory, 'log')) };
}

async function stop(running: readonly Running[]): Promise<void> {
  for (const { program, behind, others, spaces } of running) {
    await program.stop();
    await behind?.stop();
    for (const other of others ?? []) await other.stop();
    spaces?.close();
  }
}

/** Everybody is started and warmed up, then each round measures everybody once, beginning with another one each time. */
async function runShared(plan: Plan, scenario: SharedScenario): Promise<Map<string, Rounds>> {
  const running: Running[] = [];
  const results = new Map<string, (Sample | null)[]>();
  try {
    for (const target of plan.targets.filter((target) => target.supports(scenario.shape))) {
      const one = await start(plan, target, scenario.shape, 1);
      running.push(one);
      if (one.spaces === null) await one.program.listens(one.place.listenPort);
      results.set(target.name, []);
    }
    for (const one of running) {
      await scenario.warmUp?.(one);
      await attempt(one.target, () => scenario.measure(one, { ...plan.scale, seconds: plan.warmUpSeconds }));
    }
    for (let round = 0; round < plan.rounds; round++) {
      for (let turn = 0; turn < running.length; turn++) {
        const one = running[(round + turn) % running.length];
        results.get(one.target.name)!.push(await attempt(one.target, () => scenario.measure(one, plan.scale)));
      }
    }
  } finally {
    await stop(running);
  }
  return results;
}

async function runOwn(plan: Plan, scenario: OwnScenario): Promise<Map<string, Rounds>> {
  const results = new Map<string, (Sample | null)[]>();
  const targets = plan.targets.filter((target) => target.supports(scenario.shape));
  for (const target of targets) results.set(target.name, []);
  for (let round = 0; round < plan.rounds; round++) {
    for (let turn = 0; turn < targets.length; turn++) {
      const target = targets[(round + turn) % targets.length];
      results.get(target.name)!.push(await attempt(target, () => measureOwn(plan, scenario, target)));
    }
  }
  return results;
}

async function measureOwn(plan: Plan, scenario: OwnScenario, target: Target): Promise<Sample> {
  const running: Running[] = [];
  const begin = async (workers: number) => {
    const one = await start(plan, target, scenario.shape, workers);
    running.push(one);
    return one;
  };
  try {
    return await scenario.measure(async (workers) => {
      const one = await begin(workers);
      // Polling for the port would disturb what the start scenarios measure; they ask for an answer themselves.
      if (scenario.waitsForStart === true && one.spaces === null) await one.program.listens(one.place.listenPort);
      return one;
    }, plan.scale);
  } finally {
    await stop(running);
  }
}

async function attempt(target: Target, measure: () => Promise<Sample>): Promise<Sample | null> {
  try {
    return await measure();
  } catch (error) {
    console.error(`  ${target.name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
    return null;
  }
}

function targetNamed(name: string): Target {
  const others = [envoy, tunedEnvoy, nginx, haproxy, ztunnel].find((target) => target.name === name);
  if (others === undefined && name.startsWith('sekisho-ztunnel')) return sekishoZtunnel(name);
  return others ?? sekisho(name);
}

function chooseTargets(names: string): Target[] {
  return names
    .split(',')
    .map(targetNamed)
    .filter((target) => {
      const reason = target.unavailable();
      if (reason !== null) console.log(`${target.name} ${reason}`);
      return reason === null;
    });
}

function chooseScenarios(names: string | undefined, isShort: boolean): Scenario[] {
  if (names === undefined) return scenarios.filter((scenario) => !isShort || scenario.isShort === true);
  return names.split(',').map((name) => {
    const found = scenarios.find((scenario) => scenario.name === name);
    if (found === undefined)
      throw new Error(`no scenario ${name}; there are ${scenarios.map((s) => s.name).join(', ')}`);
    return found;
  });
}

function summary(scenario: Scenario, results: ReadonlyMap<string, Rounds>): object {
  const targets = [...results].map(([name, rounds]) => {
    const metrics = scenario.metrics.map((metric) => [metric.key, compare(metric, rounds, results.get('envoy'))]);
    return [name, { metrics: Object.fromEntries(metrics) as object, rounds }];
  });
  return { summary: scenario.summary, goal: scenario.goal, targets: Object.fromEntries(targets) as object };
}

function rememberEnvoyRate(plan: Plan, results: ReadonlyMap<string, Rounds>): void {
  const rates = (results.get('envoy') ?? []).map((sample) => sample?.rate ?? 0);
  if (rates.length > 0) plan.scale = { ...plan.scale, envoyRate: Math.max(...rates) };
}

function usage(): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return [
    'npm run bench -- [options]',
    '',
    '  --scenario small,churn   those alone; without it, all of them',
    '  --targets envoy,sekisho  side by side; sekisho@DIRECTORY is another checkout, sekisho-dist what `npm run build` made',
    '  --rounds 5               of each target, in turn',
    '  --seconds 3              for each round',
    '  --short                  fewer scenarios, 2 rounds of 1 s, Envoy and sekisho',
    '  --save                   into results/latest.json instead of results/last.json',
    '',
    ...scenarios.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
  ].join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      scenario: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      targets: { type: 'string' },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(usage());
    return;
  }
  const rounds = Number(values.rounds ?? (values.short ? 2 : 5));
  const seconds = Number(values.seconds ?? (values.short ? 1 : 3));
  // wrk takes whole seconds only.
  if (!Number.isInteger(seconds) || seconds < 1) throw new Error('--seconds takes a whole number');
  const targets = chooseTargets(
    values.targets ??
      (values.short ? 'envoy,sekisho' : 'envoy,envoy-tuned,nginx,haproxy,sekisho,ztunnel,sekisho-ztunnel'),
  );
  const directory = mkdtempSync(join(tmpdir(), 'sekisho-bench-'));
  const certificates = await makeCertificates(directory);
  const upstream = await startUpstream(directory);
  const plan: Plan = {
    targets,
    rounds,
    warmUpSeconds: Math.min(seconds, 3),
    upstream,
    certificates,
    directory,
    scale: { seconds, envoyRate: null },
  };
  const where = `${cpus()[0]?.model ?? 'unknown'}, Linux ${release()}, ${isPinned ? 'pinned' : 'not pinned'}`;
  console.log(`${where}; ${rounds} rounds of ${seconds} s`);
  const report: Record<string, object> = {};
  try {
    for (const scenario of chooseScenarios(values.scenario, values.short)) {
      const results = scenario.kind === 'shared' ? await runShared(plan, scenario) : await runOwn(plan, scenario);
      if (scenario.name === 'small') rememberEnvoyRate(plan, results);
      console.log(table(scenario, results));
      report[scenario.name] = summary(scenario, results);
    }
  } finally {
    await upstream.stop();
    rmSync(directory, { recursive: true, force: true });
  }
  const file = join(import.meta.dirname, 'results', values.save ? 'latest.json' : 'last.json');
  mkdirSync(join(import.meta.dirname, 'results'), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ where, rounds, seconds, scenarios: report }, null, 2)}\n`);
}

await main();
