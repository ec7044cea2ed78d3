import { expect, test } from 'vitest';
import { Verdict, type HttpFilter } from '../../../../../src/filter/filter.ts';
import { parseLocation } from '../../../../../src/proxy/http/redirect/location.ts';
import { bodyOf, fieldOf, HttpWorld, request, response, statusOf, trusted, type Setting } from '../world.ts';

const routes =
  '- { name: from, match: { prefix: / }, route: { cluster: c, internal_redirect_policy: { max_internal_redirects: 2, redirect_response_codes: [302, 303] } } }';
const log = '%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %REQ(:PATH)%';

function world(setting: Setting = {}): HttpWorld {
  return new HttpWorld({ routes, log, ...setting });
}

const redirect = (path: string, status = 302): string => response(status, '', [`location: http://other${path}`]);

test('the stream goes on elsewhere, and the client sees the end of it', () => {
  const bench = world();
  const client = bench.send(request('POST /a', [], 'hello'));
  const upstream = bench.accept();
  upstream.take();
  upstream.receive(redirect('/b'));
  const sent = upstream.take();
  expect(sent).toMatch(/^POST \/b HTTP\/1\.1\r\nhost: other\r\n/);
  expect(fieldOf(sent, 'x-envoy-original-url')).toBe('http://a/a');
  expect(bodyOf(sent)).toBe('hello');
  expect(client.take()).toBe('');
  upstream.receive(response());
  expect(statusOf(client.take())).toBe(200);
  expect(bench.logged).toEqual(['302 internal_redirect /b', '200 via_upstream /b']);
  expect(bench.hcmStats['downstream_rq_active']).toBeUndefined();
  client.receive(request('GET /next'));
  expect(upstream.take()).toContain('GET /next');
});

test('what was posted is not sent to where 303 leads', () => {
  const bench = world();
  bench.send(request('POST /a', [], 'hello'));
  const upstream = bench.accept();
  upstream.take();
  upstream.receive(redirect('/b', 303));
  const sent = upstream.take();
  expect(sent).toMatch(/^GET \/b /);
  expect(bodyOf(sent)).toBe('');
  expect(fieldOf(sent, 'content-length')).toBeUndefined();
});

test('filters see each request, and the client is told of once', () => {
  const seen: string[] = [];
  const filter: HttpFilter = {
    onRequestHead: (_stream, head) => {
      seen.push(head.path);
      return Verdict.Continue;
    },
  };
  const bench = world({ filters: { filter }, hcm: trusted });
  bench.send(request('GET /a'));
  const upstream = bench.accept();
  upstream.take();
  upstream.receive(redirect('/b'));
  expect(seen).toEqual(['/a', '/b']);
  expect(fieldOf(upstream.take(), 'x-forwarded-for')).toBe('10.9.9.9');
});

test('a client that leaves ends the stream that it has become', () => {
  const bench = world();
  const client = bench.send(request('GET /a'));
  const upstream = bench.accept();
  upstream.receive(redirect('/b'));
  client.leave();
  expect(upstream.isOpen).toBe(false);
  expect(bench.logged).toEqual(['302 internal_redirect /b', '0 downstream_remote_disconnect /b']);
});

test('after as many as are allowed the client gets the redirect', () => {
  const bench = world();
  const client = bench.send(request('GET /a'));
  const upstream = bench.accept();
  for (const path of ['/b', '/c', '/d']) upstream.receive(redirect(path));
  expect(fieldOf(client.take(), 'location')).toBe('http://other/d');
  expect(bench.stat('http.p.passthrough_internal_redirect_too_many_redirects')).toBe(1);
  expect(bench.stat('cluster.c.upstream_internal_redirect_succeeded_total')).toBe(2);
  expect(bench.stat('cluster.c.upstream_internal_redirect_failed_total')).toBe(1);
});

test('an answer before the end of the request is the client to follow', () => {
  const bench = world();
  const client = bench.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf');
  bench.accept().receive(redirect('/b'));
  expect(statusOf(client.take())).toBe(302);
});

test.each([
  ['http://a/b?c=d#e', { scheme: 'http', authority: 'a', path: '/b?c=d' }],
  ['HTTPS://a:81', { scheme: 'https', authority: 'a:81', path: '/' }],
  ['http://u:p@a?x', { scheme: 'http', authority: 'a', path: '/?x' }],
  ['http://[::1]:80/', { scheme: 'http', authority: '[::1]:80', path: '/' }],
  ['/b', null],
  ['//a/b', null],
  ['http://', null],
  ['', null],
])('%s', (text, expected) => {
  expect(parseLocation(text)).toEqual(expected);
});
