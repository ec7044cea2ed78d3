/**
 * A program: what istiod has sent to a node is played to sekisho, with the bootstrap and the arguments that pilot-agent
 * has given its proxy. Prints what came of it. Arguments: node, `sotw` or `delta`, and the node whose bootstrap it has.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repository } from '../peers/binaries.ts';
import { recorded, RecordedControlPlane } from '../xds/recorded-control-plane.ts';
import { until } from './wait.ts';

const [node, session, bootstrapOf] = process.argv.slice(2);

interface Recording {
  readonly bootstrap: { readonly dynamic_resources: { readonly ads_config: Record<string, unknown> } };
  readonly arguments: readonly string[];
}

const recording = JSON.parse(
  readFileSync(join(repository, `test/fixtures/pilot-agent/${bootstrapOf}.json`), 'utf8'),
) as Recording;
recording.bootstrap.dynamic_resources.ads_config['api_type'] = session === 'delta' ? 'DELTA_GRPC' : 'GRPC';

const folder = mkdtempSync(join(tmpdir(), 'sekisho-replay-'));
const inFolder = (path: string): string => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  return join(folder, path);
};
writeFileSync(inFolder('etc/istio/proxy/envoy-rev.json'), JSON.stringify(recording.bootstrap));
const plane = await RecordedControlPlane.open(node, `unix:${inFolder('etc/istio/proxy/XDS')}`);
const agent = await RecordedControlPlane.open(node, `unix:${inFolder('var/run/secrets/workload-spiffe-uds/socket')}`);
const child = spawn(
  join(repository, 'node_modules/.bin/node'),
  [join(repository, 'src/main.ts'), ...recording.arguments],
  { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
);
let log = '';
for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));

async function admin(path: string): Promise<string | null> {
  const answer = await fetch(`http://127.0.0.1:15000${path}`).catch(() => null);
  return answer?.status === 200 ? answer.text() : null;
}

const asked = new Set(recorded(node, session).map(({ typeUrl }) => typeUrl));
let problem = '';
try {
  await until('readiness', async () => child.exitCode !== null || (await admin('/ready')) !== null);
  if (child.exitCode !== null) problem = `ended with ${child.exitCode}`;
  const stats = (await admin('/stats?filter=warming')) ?? '';
  const warming = stats.split('\n').filter((line) => line !== '' && !line.endsWith(': 0'));
  if (warming.length > 0) problem = warming.join('; ');
} catch (error) {
  problem = (error as Error).message;
}
const verdicts = plane.verdicts.filter(({ typeUrl }) => asked.has(typeUrl));
const said = Object.fromEntries(verdicts.map(({ typeUrl, refusal }) => [shortName(typeUrl), refusal]));
child.kill('SIGKILL');
plane.server.stop();
agent.server.stop();
rmSync(folder, { recursive: true, force: true });
process.stdout.write(JSON.stringify({ problem: problem === '' ? '' : `${problem}\n${log.slice(-3000)}`, said }));
process.exit(0);

function shortName(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
}
