import { expect, test } from 'vitest';
import { clusterData } from '../../../cluster/cluster-fixture.ts';
import { HttpWorld, request } from '../world.ts';

const log = '%RESPONSE_CODE% %RESPONSE_FLAGS% %UPSTREAM_REQUEST_ATTEMPT_COUNT% %TRAILER(grpc-status)%';
/** Longer than any back-off of the default policy. */
const pauseMs = 250;

const { http } = clusterData();
const withTrailers = { c: { http: { ...http, http1: { ...http.http1, enableTrailers: true } } } };

function world(policy = 'retry_on: unavailable'): HttpWorld {
  const routes = `- { match: { prefix: / }, route: { cluster: c, retry_policy: { ${policy} } } }`;
  return new HttpWorld({ log, routes, clusters: withTrailers, hcm: { httpProtocolOptions: { enableTrailers: true } } });
}

const call = request('POST /', ['content-type: application/grpc', 'te: trailers'], 'message');
const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ntransfer-encoding: chunked\r\n\r\n';
const end = (status: number): string => `0\r\ngrpc-status: ${status}\r\n\r\n`;

test('a status that comes with its head is tried again', () => {
  const here = world();
  const client = here.send(call);
  here.accept().receive(head + end(14));
  expect(client.written).toBe('');
  here.advance(pauseMs);
  expect(here.dials).toBe(1);
  here.upstream.receive(head + end(0));
  expect(client.take()).toContain('grpc-status: 0');
  expect(here.logged).toEqual(['200 - 2 0']);
  expect(here.stat('cluster.c.upstream_rq_retry_success')).toBe(1);
  expect(here.stat('cluster.c.retry.upstream_rq_200')).toBe(1);
});

test.each([
  ['another status', head + end(13)],
  ['a message before it', `${head}5\r\nhello\r\n${end(14)}`],
])('not %s', (_, answer) => {
  const here = world();
  const client = here.send(call);
  here.accept().receive(answer);
  expect(client.take()).toMatch(/^HTTP\/1\.1 200 [^]*grpc-status: 1[34]/);
  expect(here.stat('cluster.c.upstream_rq_retry')).toBe(0);
});

test('a head that comes alone waits for nothing that is not there yet', () => {
  const here = world();
  const client = here.send(call);
  const upstream = here.accept();
  upstream.receive(head);
  here.advance(0);
  expect(client.take()).toMatch(/^HTTP\/1\.1 200 /);
  upstream.receive(end(14));
  expect(client.take()).toContain('grpc-status: 14');
  expect(here.logged).toEqual(['200 - 1 14']);
});

test('the last of the tries passes on, and the log says why', () => {
  const here = world('retry_on: unavailable, num_retries: 1');
  const client = here.send(call);
  here.accept().receive(head + end(14));
  here.advance(pauseMs);
  here.upstream.receive(head + end(14));
  expect(client.take()).toContain('grpc-status: 14');
  expect(here.logged).toEqual(['200 URX 2 14']);
});

test.each(['retry_on: 5xx', 'retry_on: connect-failure'])(
  'no head is kept back where no status is asked for: %s',
  (policy) => {
    const here = world(policy);
    const client = here.send(call);
    here.accept().receive(head);
    expect(client.take()).toMatch(/^HTTP\/1\.1 200 /);
  },
);

test('a connection that breaks behind a head breaks the answer', () => {
  const here = world('retry_on: "unavailable,reset"');
  const client = here.send(call);
  const upstream = here.accept();
  upstream.receive(head);
  upstream.peerEnded();
  expect(client.take()).toMatch(/^HTTP\/1\.1 200 /);
  expect(here.logged).toEqual(['200 UPE 1 -']);
});
