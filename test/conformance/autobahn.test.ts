/** The Autobahn suite's client against `ws`, alone and with sekisho between them: whatever it sends and hears is unchanged. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { findProgram, missing } from '../peers/binaries.ts';
import { freePorts } from '../peers/ports.ts';
import { App } from '../scenario/app.ts';
import { startWsEcho } from '../scenario/clients/ws-echo.ts';
import { bootstrap, cluster, httpListener, route } from '../scenario/config.ts';
import { http2Cluster } from '../scenario/h2-origin.ts';
import { forSuite } from '../scenario/scope.ts';

type Json = Record<string, unknown>;

const wstest = findProgram('wstest');
if (wstest === null) console.log(missing('wstest'));

const waitMs = 180_000;

/** All but those of compression: the suite's client waits for a delayed ACK in front of each of their 216 000 messages. */
const cases = ['1.*', '2.*', '3.*', '4.*', '5.*', '6.*', '7.*', '9.*', '10.*'];
const paths = {
  'HTTP/1.1 to HTTP/1.1': 'plain',
  'to HTTP/2 and back': 'over',
  'to HTTP/2, HTTP/2 and back': 'overAgain',
} as const;

/** Of one case: how it went, and with which code the connection closed. */
interface Verdict {
  readonly behavior: string;
  readonly behaviorClose: string;
  readonly remoteCloseCode: number | null;
}

type Report = Readonly<Record<string, Verdict>>;

/** Three ways through one process; those over HTTP/2 come in by another of its listeners. */
function configuration(origin: number, over: number, overAgain: number): object {
  const manager = {
    upgrade_configs: [{ upgrade_type: 'websocket' }],
    http2_protocol_options: { allow_connect: true },
    // The suite's client waits for the end of the connection after each case, which would be a second.
    delayed_close_timeout: '0s',
  };
  const listener = (name: string, to: string, port = 0): Json =>
    httpListener({ name, port, manager, routes: [route('/', to, { timeout: '0s' })] });
  const http2 = http2Cluster({ allow_connect: true });
  return bootstrap(
    [
      listener('plain', 'origin'),
      listener('over', 'second'),
      listener('overAgain', 'third'),
      listener('back', 'origin', over),
      listener('between', 'second', overAgain),
    ],
    [cluster('origin', [origin]), cluster('second', [over], http2), cluster('third', [overAgain], http2)],
  );
}

async function tested(agent: string, port: number): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-autobahn-'));
  try {
    const servers = [{ agent, url: `ws://127.0.0.1:${port}` }];
    const spec = { outdir: folder, servers, cases, 'exclude-cases': [], 'exclude-agent-cases': {} };
    writeFileSync(join(folder, 'spec.json'), JSON.stringify(spec));
    await promisify(execFile)(wstest!, ['-m', 'fuzzingclient', '-s', join(folder, 'spec.json')], {
      maxBuffer: 64 * 1024 * 1024,
    });
    return (JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Record<string, Report>)[agent];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const verdict = ({ behavior, behaviorClose, remoteCloseCode }: Verdict): string =>
  `${behavior} ${behaviorClose} ${remoteCloseCode}`;

const verdicts = (report: Report): Record<string, string> =>
  Object.fromEntries(Object.entries(report).map(([name, of]) => [name, verdict(of)]));

describe.skipIf(wstest === null)('Autobahn', () => {
  const atEnd = forSuite();
  let direct: Report;
  const through = new Map<string, Report>();

  beforeAll(async () => {
    const origin = await startWsEcho(atEnd);
    const [over, overAgain] = await freePorts(2);
    const app = await App.start(configuration(origin, over, overAgain), { atEnd });
    const all = Object.values(paths).map(async (name) => {
      through.set(name, await tested(name, await app.port(name)));
    });
    direct = await tested('direct', origin);
    await Promise.all(all);
  }, waitMs);

  test('without a proxy: more than 300 cases, and none fails', () => {
    const all = Object.values(direct);
    expect(all.length).toBeGreaterThan(300);
    expect(all.filter(({ behavior }) => behavior === 'FAILED')).toEqual([]);
  });

  test.each(Object.entries(paths))('%s', (_, name) => {
    expect(verdicts(through.get(name)!)).toEqual(verdicts(direct));
  });
});
