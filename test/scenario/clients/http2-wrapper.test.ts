/** http2-wrapper as client: HTTP/2 by itself, and whichever version ALPN says. */
import { createHash } from 'node:crypto';
import type { ClientRequest, IncomingMessage } from 'node:http';
import http2wrapper from 'http2-wrapper';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Authority, type Issued } from '../../certificates.ts';
import { App } from '../app.ts';
import { bootstrap, cluster, httpListener } from '../config.ts';
import { H2Origin, http2Cluster } from '../h2-origin.ts';
import { Origin } from '../origin.ts';
import { securedListener } from './secured.ts';

let authority: Authority;
let server: Issued;

beforeAll(async () => {
  authority = await Authority.root();
  server = await authority.issue({ subject: 'CN=server', dns: ['localhost'] });
});

interface Answer {
  readonly version: string;
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

async function answerTo(request: ClientRequest, body: Buffer | null): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({
          version: response.httpVersion,
          status: response.statusCode!,
          headers: response.headers,
          body: text,
        });
      });
    });
    request.end(body ?? undefined);
  });
}

/** Says the method, the path, a header and the body's hash. */
async function echoing(): Promise<number> {
  const origin = await Origin.start((request, response) => {
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => hash.update(chunk));
    request.on('end', () => {
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.end(`${request.method} ${request.url} ${String(request.headers['x-said'])} ${hash.digest('hex')}`);
    });
  });
  return origin.port;
}

const body = Buffer.alloc(1024 * 1024, 'body ');
const said = (method: string, sent = body): string =>
  `${method} /p?q=1 this ${createHash('sha256').update(sent).digest('hex')}`;

describe('over TLS', () => {
  async function started(alpn: readonly string[]): Promise<App> {
    const listener = securedListener({ authority, server, common: { alpn_protocols: alpn } });
    return App.start(bootstrap([listener], [cluster('origin', [await echoing()])]));
  }

  test.each([
    [['h2', 'http/1.1'], '2.0'],
    [['http/1.1'], '1.1'],
    [[], '1.1'],
  ])('auto, where the listener offers %s: HTTP/%s', async (alpn, version) => {
    const app = await started(alpn);
    const url = `https://localhost:${await app.port()}/p?q=1`;
    const agent = new http2wrapper.Agent({});
    onTestFinished(() => agent.destroy());
    // What ALPN said of an address is remembered, and ports come again.
    http2wrapper.auto.protocolCache.clear();
    const options = { ca: authority.rootPem, headers: { 'x-said': 'this' }, agent: { http2: agent } };
    for (const method of ['GET', 'POST', 'PUT']) {
      const sent = method === 'GET' ? Buffer.alloc(0) : body;
      const request = await http2wrapper.auto(url, { ...options, method } as never);
      const answer = await answerTo(request, sent.length === 0 ? null : sent);
      expect([answer.version, answer.status, answer.body]).toEqual([version, 200, said(method, sent)]);
      expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    }
    const counter = `http.ingress.downstream_cx_http${version === '2.0' ? 2 : 1}_total`;
    expect(await app.stat(counter)).toBeGreaterThan(0);
  });

  test('an agent asks fifty times at once over one connection', async () => {
    const app = await started(['h2']);
    const agent = new http2wrapper.Agent({ maxEmptySessions: 1 });
    onTestFinished(() => agent.destroy());
    const url = new URL(`https://localhost:${await app.port()}/p?q=1`);
    const options = { agent, ca: authority.rootPem, method: 'POST', headers: { 'x-said': 'this' } };
    // Node's own client refuses streams when they hold too much together.
    const sent = body.subarray(0, 64 * 1024);
    const ask = () => answerTo(http2wrapper.request(url, options as never), sent);
    const answers = await Promise.all(Array.from({ length: 50 }, ask));
    for (const answer of answers) expect(answer.body).toBe(said('POST', sent));
    expect(await app.stat('http.ingress.downstream_cx_http2_total')).toBe(1);
  });
});

test('without TLS, an agent whose sessions are given: trailers arrive', async () => {
  const origin = await H2Origin.start((stream) => {
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-last': 'yes' }));
    stream.respond({ ':status': 201, 'x-first': 'here' }, { waitForTrailers: true });
    stream.end('answer');
  });
  const app = await App.start(bootstrap([httpListener()], [cluster('origin', [origin.port], http2Cluster())]));
  const { connect } = await import('node:http2');
  const session = connect(await app.url());
  onTestFinished(() => session.destroy());
  const request = http2wrapper.request(`${await app.url()}/x`, { h2session: session } as never);
  const answer = answerTo(request, null);
  let trailers: NodeJS.Dict<string> = {};
  request.on('response', (response) => response.on('end', () => (trailers = response.trailers)));
  expect(await answer).toMatchObject({ status: 201, body: 'answer', headers: { 'x-first': 'here' } });
  expect(trailers).toMatchObject({ 'x-last': 'yes' });
});
