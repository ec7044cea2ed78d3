/** Node by node sekisho or a genuine ztunnel (ZTUNNEL_BIN): every pair of them carries the same, and tells the same of it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { ambientRules, clientAddress, otherAddress, plainAddress } from '../../scenario/ambient/ambient-rules.ts';
import { findProgram, missing, repository } from '../binaries.ts';
import { kinds, type Kind } from './node-proxy.ts';
import { comparedLines, comparedMetrics, metricsOf } from './compared.ts';

/** What `two-nodes.ts` prints. */
interface Observed {
  readonly seen: Readonly<Record<string, unknown>>;
  readonly access: Readonly<Record<string, Readonly<Record<'clients' | 'servers', readonly string[]>>>>;
  /** Of connections that went well, and of all. */
  readonly metrics: Readonly<Record<'clients' | 'servers', string>>;
  readonly allMetrics: Readonly<Record<'clients' | 'servers', string>>;
}

/** Whatever is started in them ends with them. */
const apart = ['--net', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', ambientRules, 'sh'];

function reasonToSkip(): string | null {
  if (findProgram('ztunnel') === null) return missing('ztunnel');
  if (process.getuid?.() !== 0) return 'skipped: network namespaces need root';
  for (const program of ['python3', 'curl']) if (findProgram(program) === null) return `skipped: no ${program} here`;
  const { stdout, stderr } = spawnSync('unshare', [...apart, 'echo', 'ready'], { encoding: 'utf8' });
  return stdout?.trim() === 'ready' ? null : `skipped: namespaces cannot be made here: ${stderr}`;
}

const reason = reasonToSkip();
if (reason !== null) console.log(`sekisho and a genuine ztunnel: ${reason}`);

const known = new Map<string, Promise<Observed>>();

function observed(clients: Kind, servers: Kind): Promise<Observed> {
  const name = `${clients} ${servers}`;
  const found = known.get(name) ?? observe(clients, servers);
  known.set(name, found);
  return found;
}

async function observe(clients: Kind, servers: Kind): Promise<Observed> {
  const node = join(repository, 'node_modules/.bin/node');
  const child = spawn('unshare', [...apart, node, join(import.meta.dirname, 'two-nodes.ts'), clients, servers], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 150_000,
    killSignal: 'SIGKILL',
  });
  const [output, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (output === '') throw new Error(error);
  return JSON.parse(output) as Observed;
}

const doubled = 'hello worldhello world';
const carried = {
  byAddress: `${clientAddress} ${doubled}`,
  byService: `${clientAddress} ${doubled}`,
  curl: `GET /a from ${clientAddress}GET /b from ${clientAddress}`,
  bulk: 20_000_000,
  short: 1000,
  serversEndFirst: 'good day',
  clientsWordsAfterIt: 'and to you end',
  serversReset: 'ECONNRESET',
  clientsReset: 'hello',
  clientsResetAtServer: 'hello ECONNRESET',
  denied: 'ECONNRESET',
  notAllowed: 'ECONNRESET',
  allowed: `${otherAddress} ${doubled}`,
  anothersIdentity: 'ECONNRESET',
  nobodyThere: 'ECONNRESET',
  toPlain: `${clientAddress} ${doubled}`,
  fromPlain: `${plainAddress} ${doubled}`,
  fromPlainStrict: 'ECONNRESET',
  ownListener: 'ECONNRESET',
  serversHbonePort: 'ECONNRESET',
  serversOutbound: 'ECONNRESET',
  plainToHbone: 'a TLS alert',
  connects: {
    '10.9.3.1:15000': 200,
    '10.9.3.1:6060': 401,
    '10.9.3.1:15001': 503,
    '10.9.3.1:15008': 503,
    '10.9.3.1:4': 503,
    '10.9.4.1:15000': 400,
    '10.9.3.2:15000': 400,
    '127.0.0.1:15000': 400,
    '[::1]:15000': 400,
    'doubling.example:80': 200,
    'nobody.example:80': 503,
    '10.9.3.1': 400,
  },
  deniedWhileOpen: 'ECONNRESET',
  deniedAnew: 'ECONNRESET',
  policiesRefused: [],
  openWhileItGoes: 'open',
  openWhenItHasGone: 'ECONNRESET',
  statusOfWhoWent: 0,
  serversProxyKilled: 'ECONNRESET',
  withoutServersProxy: 'ECONNRESET',
  serversProxyAnew: `${clientAddress} ${doubled}`,
  clientsProxyKilled: 'end',
  clientsProxyKilledAtServer: 'hello ECONNRESET',
};

/** A genuine one makes an end of most resets, and whether it is one or the other is chance: it is over. */
function roughly(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const isOver = typeof value === 'string' && /^(hello )?(end|ECONNRESET|)$/.test(value);
      return [name, isOver ? value.replace(/(end|ECONNRESET|)$/, 'over') : value];
    }),
  );
}

describe.skipIf(reason !== null).each(kinds.flatMap((clients) => kinds.map((servers) => ({ clients, servers }))))(
  'from $clients to $servers',
  { timeout: 200_000 },
  ({ clients, servers }) => {
    test('connections, their ends, and who may', async () => {
      const { seen } = await observed(clients, servers);
      if (clients === 'sekisho' && servers === 'sekisho') expect(seen).toEqual(carried);
      else expect(roughly(seen)).toEqual(roughly(carried));
    });
  },
);

/** One of a genuine pair is replaced: what is told at its place is as before. */
describe.skipIf(reason !== null).each([
  { node: 'clients', pair: ['sekisho', 'ztunnel'] },
  { node: 'servers', pair: ['ztunnel', 'sekisho'] },
] as const)('$node', { timeout: 400_000 }, ({ node, pair: [clients, servers] }) => {
  test('access log', async () => {
    const genuine = await observed('ztunnel', 'ztunnel');
    const ours = await observed(clients, servers);
    expect(comparedLines(ours.access, node)).toEqual(comparedLines(genuine.access, node));
  });

  test('metrics', async () => {
    const genuine = await observed('ztunnel', 'ztunnel');
    const ours = await observed(clients, servers);
    expect(comparedMetrics(ours.metrics[node])).toEqual(comparedMetrics(genuine.metrics[node]));
    for (const who of ['spiffe://cluster.local/ns/shop/sa/other', 'unknown'])
      expect(metricsOf(ours.allMetrics[node], who)).toEqual(metricsOf(genuine.allMetrics[node], who));
  });
});
