/** ghz, grpc-go's load, with HTTP/2 on both sides. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { Authority, type Issued } from '../../certificates.ts';
import { findProgram, missing } from '../../peers/binaries.ts';
import { App } from '../app.ts';
import { bootstrap, cluster, httpListener, route } from '../config.ts';
import { http2Cluster } from '../h2-origin.ts';
import { echoProto, startEcho } from './echo-service.ts';
import { securedListener } from './secured.ts';

const ghz = findProgram('ghz');
if (ghz === null) console.log(missing('ghz'));

interface Report {
  readonly count: number;
  readonly statusCodeDistribution: Readonly<Record<string, number>>;
  readonly errorDistribution: Readonly<Record<string, number>> | null;
}

let authority: Authority;
let server: Issued;

beforeAll(async () => {
  authority = await Authority.root();
  server = await authority.issue({ subject: 'CN=server', dns: ['localhost'] });
});

describe.skipIf(ghz === null).each([false, true])('ghz, TLS: %s', (isSecured) => {
  test.each([
    ['Say', 5000],
    ['Spell', 1000],
    ['Gather', 1000],
    ['Talk', 1000],
  ])('%s: none of %i calls fails', async (name, calls) => {
    const parts = { routes: [route('/', 'origin', { timeout: '0s' })] };
    const listener = isSecured ? securedListener({ authority, server }, parts) : httpListener(parts);
    const app = await App.start(bootstrap([listener], [cluster('origin', [await startEcho()], http2Cluster())]));
    const file = (base: string, content: string): string => {
      writeFileSync(join(app.folder, base), content);
      return join(app.folder, base);
    };
    const proto = file('echo.proto', echoProto);
    const trust = isSecured ? ['--cacert', file('ca.pem', authority.rootPem)] : ['--insecure'];
    // A stream of requests is an array of messages.
    const data = name === 'Gather' || name === 'Talk' ? '[{"value":"one"},{"value":"two"}]' : '{"value":"hello"}';
    const load = ['-n', String(calls), '-c', '40', '--connections', '4', '-d', data, '-O', 'json'];
    const argv = ['--proto', proto, '--call', `scenario.Echo/${name}`, ...trust, ...load];
    const { stdout } = await promisify(execFile)(ghz!, [...argv, `localhost:${await app.port()}`], {
      maxBuffer: 64 * 1024 * 1024,
    });
    const report = JSON.parse(stdout) as Report;
    expect(report.errorDistribution ?? {}).toEqual({});
    expect(report).toMatchObject({ count: calls, statusCodeDistribution: { OK: calls } });
    await app.statIs('cluster.origin.upstream_rq_active', 0);
    expect(await app.stat('http.ingress.downstream_cx_protocol_error')).toBe(0);
  });
});
