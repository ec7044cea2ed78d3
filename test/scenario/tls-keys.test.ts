/** Keys that outlive a connection: what is logged of them, tickets under keys of one's own, keys in PKCS#12. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { Authority, type Issued } from '../certificates.ts';
import { findProgram, missing } from '../peers/binaries.ts';
import { App } from './app.ts';
import { securedListener } from './clients/secured.ts';
import { answer, bootstrap } from './config.ts';
import { until, within } from './wait.ts';

type Json = Record<string, unknown>;

let authority: Authority;
let server: Issued;

beforeAll(async () => {
  authority = await Authority.root();
  server = await authority.issue({ subject: 'CN=server', dns: ['server.test'] });
});

const listener = (name: string, common: Json, context: Json = {}): Json =>
  securedListener({ authority, server, common, context }, { name, routes: [answer('/', name)] });

interface Visit {
  /** As this client logs them. */
  readonly keys: readonly string[];
  readonly session: Buffer;
  readonly isReused: boolean;
  readonly commonName: string;
}

async function visit(port: number, options: ConnectionOptions = {}): Promise<Visit> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'server.test', ca: authority.rootPem, ...options });
  const keys: string[] = [];
  let session: Buffer | null = null;
  socket.on('keylog', (line: Buffer) => keys.push(line.toString().trim()));
  socket.on('session', (given: Buffer) => (session = given));
  await within('a handshake', once(socket, 'secureConnect'));
  const commonName = socket.getPeerX509Certificate()?.subject ?? '';
  const isReused = socket.isSessionReused();
  socket.write('GET / HTTP/1.1\r\nhost: server.test\r\nconnection: close\r\n\r\n');
  socket.resume();
  await within('the end', once(socket, 'close'));
  return { keys, session: session ?? options.session ?? Buffer.alloc(0), isReused, commonName };
}

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const only = (version: (typeof versions)[number]): ConnectionOptions => ({ minVersion: version, maxVersion: version });

describe.each(versions)('%s', (version) => {
  test('the log of keys is what the client knows, of those it is about', async () => {
    const range = (prefix: string): Json => ({ address_prefix: prefix, prefix_len: 8 });
    const app = await App.start(
      bootstrap(
        [
          listener('all', { key_log: { path: '{{folder}}/all' } }),
          listener('near', { key_log: { path: '{{folder}}/near', remote_address_range: [range('127.0.0.0')] } }),
          listener('far', { key_log: { path: '{{folder}}/far', local_address_range: [range('10.0.0.0')] } }),
        ],
        [],
      ),
    );
    const lines = (name: string): string[] => {
      try {
        return readFileSync(join(app.folder, name), 'utf8').trim().split('\n').filter(Boolean);
      } catch {
        return [];
      }
    };
    for (const name of ['all', 'near', 'far']) {
      const { keys } = await visit(await app.port(name), only(version));
      expect(keys.length).toBeGreaterThan(0);
      if (name === 'far') continue;
      // Of TLS 1.3 each side logs what it has derived; the client’s are all among them.
      await until(`the keys of ${name}`, () => keys.every((line) => lines(name).includes(line)));
    }
    expect(lines('far')).toEqual([]);
  });

  test('listeners with the same ticket keys take up each other’s sessions, in both generations', async () => {
    const keys = (...letters: string[]): Json => ({
      session_ticket_keys: { keys: letters.map((letter) => ({ inline_string: letter.repeat(80) })) },
    });
    const listeners = [
      listener('one', {}, keys('a')),
      listener('same', {}, keys('a')),
      listener('next', {}, keys('b', 'a')),
      listener('later', {}, keys('c', 'b')),
    ];
    const app = await App.start(bootstrap(listeners, []), { concurrency: 2 });
    const at = async (name: string, session?: Buffer): Promise<Visit> =>
      visit(await app.port(name), { ...only(version), ...(session === undefined ? {} : { session }) });
    const first = await at('one');
    expect(first.isReused).toBe(false);
    expect((await at('same', first.session)).isReused).toBe(true);
    // Its first key makes tickets, the second still opens those of the generation before.
    const renewed = await at('next', first.session);
    expect(renewed.isReused).toBe(true);
    expect((await at('later', first.session)).isReused).toBe(false);
    const fresh = await at('next');
    expect((await at('later', fresh.session)).isReused).toBe(true);
    expect((await at('one', fresh.session)).isReused).toBe(false);
  });
});

test.skipIf(findProgram('openssl') === null)('a key and its chain out of PKCS#12, by openssl', async ({ skip }) => {
  const openssl = findProgram('openssl');
  if (openssl === null) {
    console.log(missing('openssl'));
    skip();
  }
  const between = await authority.intermediate();
  const deep = await between.issue({ subject: 'CN=packed', dns: ['server.test'] });
  const common = {
    tls_certificates: [{ pkcs12: { filename: '{{folder}}/key.p12' }, password: { inline_string: 'secret' } }],
  };
  // The file has to be there when the process reads its configuration, and its folder is the process’s.
  const app = await App.start(bootstrap([], []));
  const file = (name: string, text: string): string => {
    writeFileSync(join(app.folder, name), text);
    return join(app.folder, name);
  };
  const argv = ['-in', file('chain.pem', deep.chainPem), '-inkey', file('key.pem', deep.keyPem)];
  execFileSync(openssl!, [
    'pkcs12',
    '-export',
    ...argv,
    '-out',
    join(app.folder, 'key.p12'),
    '-passout',
    'pass:secret',
  ]);
  await app.reload(bootstrap([listener('packed', common)], []));
  // The chain is complete: the client knows the root alone.
  expect((await visit(await app.port('packed'))).commonName).toBe('CN=packed');
});
