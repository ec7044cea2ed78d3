/** config/mtls: the two sidecars understand each other, and so do one of them and a real Envoy. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { Authority, type Issued } from '../certificates.ts';
import { repository } from '../peers/binaries.ts';
import { freePorts } from '../peers/ports.ts';
import { envoy, Proxy, sekisho, type ProxyKind } from '../peers/proxy.ts';

const trustDomain = 'spiffe://demo.example/ns/default/sa';
const written = [9911, 9912, 10010, 10011, 10012];

let authority: Authority;
let client: Issued;
let server: Issued;

beforeAll(async () => {
  authority = await Authority.root();
  client = await authority.issue({ uris: [`${trustDomain}/client`] });
  server = await authority.issue({ uris: [`${trustDomain}/server`] });
});

const reason = envoy.unavailable();
if (reason !== null) console.log(reason);
const pairs: readonly { near: ProxyKind; far: ProxyKind }[] =
  reason === null
    ? [
        { near: sekisho, far: sekisho },
        { near: sekisho, far: envoy },
        { near: envoy, far: sekisho },
      ]
    : [{ near: sekisho, far: sekisho }];

/** The URL of the client's sidecar, both of them running on ports of their own. */
async function start(clientKind: ProxyKind, serverKind: ProxyKind, shown: Issued): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'sekisho-mtls-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const put = (name: string, text: string) => writeFileSync(join(directory, name), text);
  put('ca.pem', authority.rootPem);
  put('client.pem', shown.chainPem);
  put('client.key', shown.keyPem);
  put('server.pem', server.chainPem);
  put('server.key', server.keyPem);
  const free = await freePorts(written.length);
  const moved = new Map(written.map((port, index) => [port, free[index]]));
  for (const [name, kind, admin] of [
    ['server', serverKind, 9912],
    ['client', clientKind, 9911],
  ] as const) {
    const text = readFileSync(join(repository, 'config/mtls', `${name}.yaml`), 'utf8');
    const own = text
      .replaceAll(/port_value: (\d+)/g, (_, port: string) => `port_value: ${moved.get(Number(port))}`)
      .replaceAll('/tmp/sekisho-mtls', directory);
    put(`${name}.yaml`, own);
    const proxy = await Proxy.start(kind, join(directory, `${name}.yaml`), moved.get(admin)!, []);
    onTestFinished(() => proxy.stop());
  }
  return `http://127.0.0.1:${moved.get(10010)}`;
}

async function get(url: string): Promise<{ status: number; text: string }> {
  const { statusCode, body } = await request(url, { headers: { 'x-forwarded-client-cert': 'URI=spiffe://a.lie' } });
  return { status: statusCode, text: await body.text() };
}

test.each(pairs)('$near.name in front of the client, $far.name in front of the server', async ({ near, far }) => {
  const url = await start(near, far, client);
  const said = `^GET /hello from By=${trustDomain}/server;Hash=[0-9a-f]{64};URI=${trustDomain}/client\n$`;
  for (let i = 0; i < 3; i++)
    expect(await get(`${url}/hello`)).toEqual({ status: 200, text: expect.stringMatching(said) });
});

test.each(pairs)('a client of another trust domain: $near.name, $far.name', async ({ near, far }) => {
  const stranger = await authority.issue({ uris: ['spiffe://elsewhere.example/client'] });
  const url = await start(near, far, stranger);
  const { status, text } = await get(url);
  expect(status).toBe(503);
  // What went wrong in the handshake is the operator's to know.
  expect(text).not.toMatch(/TLS_error|CERTIFICATE/);
});
