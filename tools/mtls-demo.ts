/**
 * `npm run demo:mtls`: makes certificates for the two sidecars of config/mtls, starts both, and shows what the server's
 * application hears of a request. `--stay` leaves them running, `--envoy` runs them on the Envoy that ENVOY_BIN names.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Authority, type Issued } from '../test/certificates.ts';
import { findProgram, missing } from '../test/peers/binaries.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
/** As the files name it. */
const folder = '/tmp/sekisho-mtls';
const trustDomain = 'spiffe://demo.example/ns/default/sa';
const sidecars = { server: 9912, client: 9911 } as const;
const patienceMs = 20_000;

const { values } = parseArgs({
  options: { stay: { type: 'boolean', default: false }, envoy: { type: 'boolean', default: false } },
});

async function makeCertificates(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const authority = await Authority.root('CN=demo.example');
  const write = (name: string, { chainPem, keyPem }: Issued) => {
    writeFileSync(`${folder}/${name}.pem`, chainPem);
    writeFileSync(`${folder}/${name}.key`, keyPem, { mode: 0o600 });
  };
  writeFileSync(`${folder}/ca.pem`, authority.rootPem);
  write('client', await authority.issue({ subject: 'CN=client', uris: [`${trustDomain}/client`] }));
  write('server', await authority.issue({ subject: 'CN=server', uris: [`${trustDomain}/server`] }));
}

function start(name: string): ChildProcess {
  const flags = ['-c', `config/mtls/${name}.yaml`, '--concurrency', '1', '-l', 'error'];
  if (!values.envoy) return spawn(process.execPath, ['src/main.ts', ...flags], { cwd: root, stdio: 'inherit' });
  const envoy = findProgram('envoy');
  if (envoy === null) throw new Error(missing('envoy'));
  return spawn(envoy, [...flags, '--use-dynamic-base-id'], { cwd: root, stdio: 'inherit' });
}

async function untilReady(child: ChildProcess, adminPort: number): Promise<void> {
  const until = performance.now() + patienceMs;
  while (child.exitCode === null && performance.now() < until) {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/ready`).catch(() => null);
    if (answer?.status === 200) return;
    await sleep(20);
  }
  throw new Error(`a sidecar did not become ready; is something else on its ports?`);
}

/** What comes of a handshake without a certificate. */
async function withoutCertificate(): Promise<string> {
  const socket = connect({ port: 10011, host: '127.0.0.1', rejectUnauthorized: false });
  socket.resume();
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.on('error', ({ message }) => resolve(/alert [a-z ]+/.exec(message)?.[0] ?? 'closed'));
  socket.on('close', () => resolve('closed'));
  return promise;
}

async function show(): Promise<void> {
  const answer = await fetch('http://127.0.0.1:10010/hello');
  const said = await answer.text();
  const [what, who] = said.trim().split(' from ') as [string, string];
  console.log(`curl localhost:10010/hello\n\n${what} from`);
  // The hash is another in every run.
  for (const part of who.split(';')) console.log(`  ${part.replace(/^(Hash=).{64}$/, '$1… (of the certificate)')}`);
  console.log(`\nAsking the server's sidecar without a certificate: ${await withoutCertificate()}\n`);
  for (const name of ['handshake', 'fail_verify_no_cert', 'versions.TLSv1.3']) {
    const stat = `listener.127.0.0.1_10011.ssl.${name}`;
    const answer = await fetch(`http://127.0.0.1:${sidecars.server}/stats?filter=^${stat}$`);
    process.stdout.write(await answer.text());
  }
}

async function end(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) {
    if (child.exitCode !== null) continue;
    const exited = once(child, 'exit');
    // Nothing is open that would have to drain.
    child.kill('SIGKILL');
    await exited;
  }
}

await makeCertificates();
const children = Object.keys(sidecars).map(start);
try {
  await Promise.all(Object.values(sidecars).map((port, i) => untilReady(children[i], port)));
  await show();
  if (values.stay) {
    console.log('\nThey go on until Ctrl-C; the first lines of config/mtls/client.yaml say what to try.');
    await once(process, 'SIGINT');
  }
} finally {
  await end(children);
}
