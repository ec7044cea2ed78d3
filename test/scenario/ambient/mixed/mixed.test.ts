/**
 * The ambient mesh that was recorded of istiod: ztunnels, ours and genuine ones (ZTUNNEL_BIN), with a waypoint, ours and a
 * genuine Envoy, and with a sidecar of ours, in network namespaces with istio-cni's rules: as root.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { findProgram, missing, repository } from '../../../peers/binaries.ts';
import { mixedRules } from './mixed-rules.ts';

/** Whatever is started in them ends with them. */
const apart = ['--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', mixedRules, 'sh'];

function reasonToSkip(): string | null {
  if (process.getuid?.() !== 0) return 'skipped: network namespaces need root';
  for (const program of ['python3', 'setpriv']) if (findProgram(program) === null) return `skipped: no ${program} here`;
  const { stdout, stderr } = spawnSync('unshare', [...apart, 'echo', 'ready'], { encoding: 'utf8' });
  return stdout?.trim() === 'ready' ? null : `skipped: namespaces cannot be made here: ${stderr}`;
}

const reason = reasonToSkip();
if (reason !== null) console.log(reason);

function available(names: readonly string[]): string[] {
  return names.filter((name) => {
    const isThere = name === 'sekisho' || findProgram(name) !== null;
    if (!isThere) console.log(missing(name));
    return isThere;
  });
}

const ztunnels = available(['sekisho', 'ztunnel']);
const waypoints = available(['sekisho', 'envoy']);

async function observe(
  shape: 'waypoint' | 'sidecar',
  ztunnel: string,
  proxy: string,
): Promise<Record<string, unknown>> {
  const node = join(repository, 'node_modules/.bin/node');
  const program = join(import.meta.dirname, 'mixed.ts');
  const child = spawn('unshare', [...apart, node, program, shape, ztunnel, proxy], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 150_000,
    killSignal: 'SIGKILL',
    env: { ...process.env, ...(shape === 'sidecar' && { SIDECAR: 'yes' }) },
  });
  const [output, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (output === '') throw new Error(error);
  return JSON.parse(output) as Record<string, unknown>;
}

/** Whether a reset arrives as one or as an end is chance with a genuine ztunnel, and with Envoy: it is over. */
function roughly(seen: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(seen).map(([name, value]) => [
    name,
    typeof value === 'string' && /^(end|ECONNRESET|)$/.test(value) ? 'over' : value,
  ]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

const doubled = 'hello world\nhello world\n';
const account = (name: string): string => `spiffe://cluster.local/ns/default/sa/${name}`;
const denied = '403 RBAC: access denied';

const throughWaypoint = {
  get: '200 GET /a from 10.90.4.2',
  postIsNotAllowed: denied,
  anotherIsNotAllowed: denied,
  secretIsDenied: denied,
  secretOfNext: denied,
  versions: ['200 GET /v1 from 10.90.4.2', '200 GET /v2 from 10.90.4.2'],
  halfClose: `10.90.4.2 ${doubled}`,
  bulk: 4_000_000,
  short: 2000,
  serversReset: 'ECONNRESET',
  clientsReset: 'hello\n',
  // A waypoint makes an end of it.
  clientsResetAtServer: 'hello: end',
  byAddress: `10.90.4.31 ${doubled}`,
  strict: 'ECONNRESET',
  notAllowedByWaypoint: '',
  notForThisPort: 'ECONNRESET',
  towardsWaypoint: [account('client'), account('waypoint')],
  fromWaypoint: [account('waypoint'), account('shop')],
  waypointKilled: 'ECONNRESET',
  withoutWaypoint: 'ECONNRESET',
  waypointAnew: `10.90.4.2 ${doubled}`,
  ztunnelKilled: 'end',
  ztunnelAnew: `10.90.4.2 ${doubled}`,
  refusals: [],
};

const bySidecar = {
  get: '200 GET /a from 10.90.4.31',
  otherNode: '200 GET /b from 10.90.4.31',
  halfClose: `10.90.4.31 ${doubled}`,
  bulk: 4_000_000,
  short: 2000,
  serversReset: 'ECONNRESET',
  clientsReset: 'hello\n',
  clientsResetAtServer: 'hello: end',
  allowed: '200 GET /c from 10.90.4.31',
  notForThisPort: '',
  fromSidecar: [account('client'), account('shop')],
  getIn: '200 GET /d from 127.0.0.6',
  otherNodeIn: '200 GET /e from 127.0.0.6',
  bulkIn: 4_000_000,
  shortIn: 2000,
  serversResetIn: 'ECONNRESET',
  clientsResetIn: 'hello\n',
  clientsResetInAtServer: 'hello: end',
  toSidecar: [account('shop'), account('client')],
  sidecarKilled: 'ECONNRESET',
  sidecarAnew: `127.0.0.6 ${doubled}`,
  ztunnelKilled: 'end',
  ztunnelAnew: `127.0.0.6 ${doubled}`,
  refusals: [],
};

describe.skipIf(reason !== null).each(ztunnels)('ztunnel: %s', { timeout: 200_000 }, (ztunnel) => {
  test.each(waypoints)('a waypoint between them: %s', async (waypoint) => {
    const seen = await observe('waypoint', ztunnel, waypoint);
    expect(roughly(seen)).toEqual(roughly(throughWaypoint));
    if (ztunnel === 'sekisho' && waypoint === 'sekisho') expect(seen).toEqual(throughWaypoint);
  });

  test('a sidecar beside it', async () => {
    expect(roughly(await observe('sidecar', ztunnel, 'sekisho'))).toEqual(roughly(bySidecar));
  });
});
