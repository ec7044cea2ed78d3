import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { Agent, request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { writeAddressFile } from '../../../src/admin/address-file.ts';
import { endpoints } from '../../../src/admin/endpoints.ts';
import { AdminPages } from '../../../src/admin/respond.ts';
import { AdminServer } from '../../../src/admin/server.ts';
import type { Address } from '../../../src/core/peer.ts';
import type { AccessLog } from '../../../src/observe/access-log/access-log.ts';
import { LogFormat } from '../../../src/observe/log/log-format.ts';
import { LogLevels } from '../../../src/observe/log/log-levels.ts';
import { LogWriter } from '../../../src/observe/log/log-writer.ts';
import type { Outcome } from '../../../src/observe/outcome.ts';
import { cluster, host, ReportedProcess } from './process.ts';

const anyPort: Address = { kind: 'ip', host: '127.0.0.1', port: 0 };

async function serve(source = new ReportedProcess(), address = anyPort, pipeMode: number | null = null) {
  const outcomes: Outcome[] = [];
  const lines: string[] = [];
  const accessLog: AccessLog = { log: (outcome) => void outcomes.push(outcome) };
  const logs = new LogWriter({
    levels: new LogLevels(),
    format: new LogFormat('%l %v'),
    file: { write: (line) => void lines.push(line), reopen: () => {} },
    origin: { threadId: 1, processId: 1, version: '' },
    isEscaped: false,
    now: () => 0,
  });
  const server = new AdminServer(new AdminPages(endpoints, source), [accessLog], logs.component('admin'));
  const bound = await server.listen(address, pipeMode);
  onTestFinished(() => server.close());
  return { source, outcomes, lines, bound, url: `http://127.0.0.1:${bound.port}` };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sekisho-admin-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test("answers with Envoy's headers", async () => {
  const { url } = await serve();
  const { statusCode, headers, body } = await request(`${url}/ready`);
  expect(statusCode).toBe(200);
  expect(await body.text()).toBe('LIVE\n');
  expect(headers).toMatchObject({
    'content-type': 'text/plain; charset=UTF-8',
    'cache-control': 'no-cache, max-age=0',
    'x-content-type-options': 'nosniff',
    server: 'envoy',
    'transfer-encoding': 'chunked',
  });
});

test('HEAD has no body', async () => {
  const { url } = await serve();
  const { statusCode, body } = await request(`${url}/ready`, { method: 'HEAD' });
  expect([statusCode, await body.text()]).toEqual([200, '']);
});

test('a form is read, up to a limit', async () => {
  const { url, source } = await serve();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const post = (body: string) => request(`${url}/runtime_modify`, { method: 'POST', headers, body });
  expect(await (await post('a=1&b=')).body.text()).toBe('OK\n');
  expect(source.done).toEqual([{ a: '1', b: '' }]);
  const long = await post(`a=${'x'.repeat(70_000)}`);
  expect([long.statusCode, long.headers['connection']]).toEqual([413, 'close']);
  await long.body.dump();
});

test('a GET of what changes something is logged', async () => {
  const { url, lines } = await serve();
  const { statusCode, body } = await request(`${url}/quitquitquit`);
  expect([statusCode, await body.text()]).toEqual([405, 'Method GET not allowed, POST required.']);
  expect(lines).toEqual(['error admin path "/quitquitquit" mutates state, method=GET rather than POST\n']);
});

test('quit comes after the answer', async () => {
  const { url, source } = await serve();
  const { body } = await request(`${url}/quitquitquit`, { method: 'POST' });
  expect([await body.text(), source.done]).toEqual(['OK\n', ['quit']]);
});

test('the access log gets every request', async () => {
  const { url, outcomes } = await serve();
  await (await request(`${url}/nope?x`, { method: 'POST', body: 'abc', headers: { 'user-agent': 'u' } })).body.dump();
  await (await request(`${url}/ready`)).body.dump();
  const [nope, ready] = outcomes;
  expect(nope).toMatchObject({
    protocol: 'HTTP/1.1',
    responseCode: 404,
    bytesReceived: 3,
    requestHead: { method: 'POST', path: '/nope?x', authority: new URL(url).host },
    peer: { remote: { host: '127.0.0.1' } },
  });
  expect(nope.requestHead!.get('user-agent')).toBe('u');
  expect(ready).toMatchObject({ responseCode: 200, bytesSent: 5, bytesReceived: 0 });
  expect(ready.responseHead!.get('server')).toBe('envoy');
});

test('a page that fails is a 500, and the next request is answered', async () => {
  const source = new ReportedProcess();
  source.clusters = () => {
    throw new Error('bug');
  };
  const { url, lines } = await serve(source);
  const { statusCode, body } = await request(`${url}/clusters`);
  expect([statusCode, await body.text()]).toEqual([500, 'internal error\n']);
  expect(lines[0]).toContain('admin page /clusters failed: Error: bug');
  expect((await request(`${url}/ready`)).statusCode).toBe(200);
});

test('a long page comes whole, also to a client without chunked encoding', async () => {
  const source = new ReportedProcess();
  const hosts = Array.from({ length: 20 }, (_, index) => host(index + 1));
  source.clusterReports = Array.from({ length: 100 }, (_, index) => cluster(`cluster_${index}`, { hosts }));
  const { url, bound } = await serve(source);
  const lines = (await (await request(`${url}/clusters`)).body.text()).split('\n');
  expect(lines).toHaveLength(100 * (10 + 20 * 19) + 1);
  const socket = connect(bound.port, '127.0.0.1');
  socket.write('GET /clusters HTTP/1.0\r\n\r\n');
  const answer = await readAll(socket);
  expect(answer.slice(answer.indexOf('\r\n\r\n') + 4).split('\n')).toEqual(lines);
});

test('a Unix socket, with its mode, also where an old one lies', async () => {
  const path = join(folder(), 'admin.sock');
  const address: Address = { kind: 'pipe', host: path, port: 0 };
  const { bound } = await serve(new ReportedProcess(), address, 0o600);
  expect(bound).toEqual(address);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const agent = new Agent({ connect: { socketPath: path } });
  onTestFinished(() => agent.close());
  const { body } = await request('http://admin/ready', { dispatcher: agent });
  expect(await body.text()).toBe('LIVE\n');
});

test('an address that is taken is an error', async () => {
  const { bound } = await serve();
  await expect(serve(new ReportedProcess(), bound)).rejects.toThrow('EADDRINUSE');
});

test('the address file holds the bound address and nothing else', () => {
  const path = join(folder(), 'address');
  writeAddressFile(path, { kind: 'ip', host: '127.0.0.1', port: 9901 });
  expect(readFileSync(path, 'utf8')).toBe('127.0.0.1:9901');
  expect(existsSync(`${path}.tmp`)).toBe(false);
});
