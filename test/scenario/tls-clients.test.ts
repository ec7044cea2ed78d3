/** Other people's TLS clients: curl, openssl, h2load, undici and node:http2, with a certificate of their own. */
import { createHash } from 'node:crypto';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectH2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Authority, type Issued } from '../certificates.ts';
import { findProgram, missing } from '../peers/binaries.ts';
import { App } from './app.ts';
import { bootstrap, cluster, httpListener } from './config.ts';
import { Origin } from './origin.ts';
import { until } from './wait.ts';

type Json = Record<string, unknown>;

const run = promisify(execFile);
const timeout = 60_000;
const mebibyte = 1024 * 1024;
const identity = 'spiffe://scenario.test/ns/a/sa/client';

let authority: Authority;
let server: Issued;
let client: Issued;
let folder: string;
const files = { ca: '', cert: '', key: '' };

beforeAll(async () => {
  authority = await Authority.root();
  server = await authority.issue({ subject: 'CN=server', dns: ['localhost'], ips: ['127.0.0.1'] });
  client = await authority.issue({ subject: 'CN=client', uris: [identity] });
  folder = mkdtempSync(join(tmpdir(), 'sekisho-tls-'));
  const written = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  files.ca = written('ca.pem', authority.rootPem);
  files.cert = written('client.pem', client.chainPem);
  files.key = written('client.key', client.keyPem);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function secured(): Json {
  const listener = httpListener({
    manager: { forward_client_cert_details: 'SANITIZE_SET', set_current_client_cert_details: { uri: true } },
  });
  const [chain] = listener['filter_chains'] as Json[];
  const inline = (text: string) => ({ inline_string: text });
  const transport = {
    name: 'tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
      require_client_certificate: true,
      common_tls_context: {
        alpn_protocols: ['h2', 'http/1.1'],
        tls_certificates: [{ certificate_chain: inline(server.chainPem), private_key: inline(server.keyPem) }],
        validation_context: { trusted_ca: inline(authority.rootPem) },
      },
    },
  };
  return { ...listener, filter_chains: [{ ...chain, transport_socket: transport }] };
}

const started = async (origin: Origin): Promise<number> =>
  (await App.start(bootstrap([secured()], [cluster('origin', [origin.port])]))).port();

/** Answers with what it has heard of the client, and the hash of the body. */
async function echo(): Promise<Origin> {
  return Origin.start((request, response) => {
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => hash.update(chunk));
    request.on('end', () => {
      response.end(`${String(request.headers['x-forwarded-client-cert'])}\n${hash.digest('hex')}\n`);
    });
  });
}

function without(program: string): boolean {
  if (findProgram(program) !== null) return false;
  console.log(missing(program));
  return true;
}

const presenting = () => ['--cacert', files.ca, '--cert', files.cert, '--key', files.key];

const said = (body: Buffer): string => `URI=${identity}\n${createHash('sha256').update(body).digest('hex')}\n`;

test.skipIf(without('curl')).for([
  ['--http1.1', '--tlsv1.2', '--tls-max', '1.2'],
  ['--http1.1', '--tlsv1.3'],
  ['--http2', '--tlsv1.2', '--tls-max', '1.2'],
  ['--http2', '--tlsv1.3'],
])('curl %s %s: a large body there and the client named to the origin', { timeout }, async (flags) => {
  const port = await started(await echo());
  const body = Buffer.alloc(3 * mebibyte, 'abcdefg');
  const file = join(folder, 'body');
  writeFileSync(file, body);
  const argv = ['-sS', ...flags, ...presenting(), '--data-binary', `@${file}`, `https://localhost:${port}/`];
  const { stdout } = await run(findProgram('curl')!, argv);
  expect(stdout.endsWith(said(body)), stdout).toBe(true);
});

test.skipIf(without('curl'))('curl without a certificate is refused', { timeout }, async () => {
  const port = await started(await echo());
  const argv = ['-sS', '--cacert', files.ca, `https://localhost:${port}/`];
  await expect(run(findProgram('curl')!, argv)).rejects.toThrow(/alert|reset|SSL/i);
});

/** What `openssl s_client` prints of a connection on which it sent these lines. */
async function sClient(port: number, flags: readonly string[], lines: string): Promise<string> {
  const argv = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-CAfile', files.ca, ...flags];
  const child = spawn(findProgram('openssl')!, [...argv, '-cert', files.cert, '-key', files.key], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stdin.write(lines);
  await once(child, 'close');
  return printed;
}

const asked = 'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';

test.skipIf(without('openssl'))(
  'openssl s_client: the chain verifies, sessions are taken up',
  { timeout },
  async () => {
    const port = await started(await echo());
    for (const version of ['-tls1_2', '-tls1_3']) {
      const session = join(folder, `session${version}`);
      const first = await sClient(port, [version, '-sess_out', session, '-ign_eof'], asked);
      expect(first).toMatch(/Verify return code: 0 \(ok\)/);
      expect(first).toMatch(/200 OK/);
      const second = await sClient(port, [version, '-sess_in', session, '-ign_eof'], asked);
      expect(second).toMatch(/^Reused, TLSv1\.[23]/m);
      // Of a resumed session, too, the origin hears who the client is.
      expect(second).toContain(`URI=${identity}`);
    }
  },
);

test.skipIf(without('openssl'))('openssl s_client: keys are updated in between', { timeout }, async () => {
  const port = await started(await echo());
  // `K` on a line of its own asks for new keys of both sides.
  const lines = `GET / HTTP/1.1\r\nhost: localhost\r\n\r\n`;
  const argv = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-CAfile', files.ca];
  const child = spawn(findProgram('openssl')!, [...argv, '-tls1_3', '-cert', files.cert, '-key', files.key], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const shows = (text: string, count = 1) => until(`${count} × ${text}`, () => printed.split(text).length - 1 >= count);
  child.stdin.write(lines);
  await shows('200 OK');
  child.stdin.write('K\n');
  // A command swallows what is read along with it.
  await shows('KEYUPDATE');
  child.stdin.write(lines);
  await shows('200 OK', 2);
  child.kill();
  await once(child, 'close');
});

test.skipIf(without('h2load')).for([
  ['HTTP/2', '-m8'],
  ['HTTP/1.1', '--h1'],
])('h2load with %s: none of 2 000 requests fails', { timeout }, async ([, flag]) => {
  const origin = await echo();
  const listener = secured();
  const [chain] = listener['filter_chains'] as [{ transport_socket: { typed_config: Json } }];
  // It has no certificate to show.
  chain.transport_socket.typed_config['require_client_certificate'] = false;
  const app = await App.start(bootstrap([listener], [cluster('origin', [origin.port])]));
  const argv = ['-n2000', '-c8', flag, `https://127.0.0.1:${await app.port()}/`];
  const { stdout } = await run(findProgram('h2load')!, argv);
  expect(stdout).toContain('2000 succeeded, 0 failed, 0 errored, 0 timeout');
});

test.for([false, true])('undici, HTTP/2 allowed: %s', { timeout }, async (allowH2) => {
  const port = await started(await echo());
  const connect = { ca: authority.rootPem, cert: client.chainPem, key: client.keyPem };
  const dispatcher = new Agent({ allowH2, connect });
  const body = Buffer.alloc(mebibyte, 'xyz');
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const response = await fetch(`https://localhost:${port}/`, { method: 'POST', body, dispatcher });
      return response.text();
    }),
  );
  for (const answer of answers) expect(answer.endsWith(said(body))).toBe(true);
  await dispatcher.close();
});

test('node:http2: a hundred streams of one connection', { timeout }, async () => {
  const port = await started(await echo());
  const options = { ca: authority.rootPem, cert: client.chainPem, key: client.keyPem };
  const session = connectH2(`https://localhost:${port}`, options);
  const body = Buffer.alloc(64 * 1024, 'n');
  const answers = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const stream = session.request({ ':method': 'POST', ':path': '/' });
      stream.end(body);
      let text = '';
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      await once(stream, 'end');
      return text;
    }),
  );
  for (const answer of answers) expect(answer.endsWith(said(body))).toBe(true);
  session.close();
});
