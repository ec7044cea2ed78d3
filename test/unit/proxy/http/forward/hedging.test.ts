import { describe, expect, test } from 'vitest';
import { bodyOf, fieldOf, HttpWorld, request, response, statusOf, type Setting } from '../world.ts';

const log = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_REQUEST_ATTEMPT_COUNT%';
/** Longer than any back-off of the default policy. */
const pauseMs = 250;

function world(policy = 'retry_on: 5xx, num_retries: 2', setting: Setting = {}): HttpWorld {
  const hedge = 'hedge_policy: { hedge_on_per_try_timeout: true }';
  const retry = `retry_policy: { ${policy}, per_try_timeout: 1s }`;
  return new HttpWorld({
    log,
    routes: `- { match: { prefix: / }, route: { cluster: c, ${hedge}, ${retry} } }`,
    ...setting,
  });
}

/** The first try has taken too long, and the second has begun. */
function hedgedTries(here: HttpWorld, text = request()) {
  const client = here.send(text);
  const first = here.accept();
  here.advance(1000);
  here.advance(pauseMs);
  const second = here.accept();
  return { client, first, second };
}

describe('a try that takes too long', () => {
  test('goes on beside the next one, and the first answer wins', () => {
    const here = world();
    const { client, first, second } = hedgedTries(here);
    expect(first.isOpen).toBe(true);
    second.receive(response(200, 'second'));
    expect(bodyOf(client.take())).toBe('second');
    expect(first.isOpen).toBe(false);
    expect(here.logged).toEqual(['200 - via_upstream 2']);
    expect(here.stat('cluster.c.upstream_rq_per_try_timeout')).toBe(0);
    expect(here.stat('cluster.c.upstream_rq_retry')).toBe(1);
  });

  test('may win after all', () => {
    const here = world();
    const { client, first, second } = hedgedTries(here);
    first.receive(response(200, 'first'));
    expect(bodyOf(client.take())).toBe('first');
    expect(second.isOpen).toBe(false);
  });

  test('and answers badly is not listened to while another may answer', () => {
    const here = world();
    const { client, first, second } = hedgedTries(here);
    first.receive(response(503));
    expect(client.written).toBe('');
    second.receive(response(200, 'second'));
    expect(bodyOf(client.take())).toBe('second');
  });

  test('and breaks is not missed', () => {
    const here = world();
    const { client, first, second } = hedgedTries(here);
    first.peerEnded();
    expect(client.written).toBe('');
    second.receive(response(200, 'second'));
    expect(bodyOf(client.take())).toBe('second');
  });

  test('has the client answered where it was the last', () => {
    const here = world('retry_on: 5xx, num_retries: 1');
    const { client, first, second } = hedgedTries(here);
    second.receive(response(503, 'second'));
    expect(client.written).toBe('');
    first.peerEnded();
    expect(statusOf(client.take())).toBe(503);
    expect(here.logged).toEqual(['503 URX,UC upstream_reset_before_response_started{connection_termination} 2']);
  });

  test('is followed by another though nothing of it would be retried', () => {
    const here = world('retry_on: connect-failure');
    const { client, second } = hedgedTries(here);
    second.receive(response(200, 'second'));
    expect(bodyOf(client.take())).toBe('second');
  });

  test('has its body sent again', () => {
    const here = world();
    const { second } = hedgedTries(here, request('POST /', [], 'hello'));
    const sent = second.take();
    expect(bodyOf(sent)).toBe('hello');
    expect(fieldOf(sent, 'x-envoy-expected-rq-timeout-ms')).toBe('13750');
  });

  test('ends with the whole request', () => {
    const here = world('retry_on: 5xx, num_retries: 1');
    const { client, first, second } = hedgedTries(here);
    here.advance(1000);
    here.advance(15_000);
    expect(statusOf(client.take())).toBe(504);
    expect([first.isOpen, second.isOpen]).toEqual([false, false]);
    expect(here.stat('cluster.c.upstream_rq_timeout')).toBe(2);
    expect(here.logged).toEqual(['504 URX,UT response_timeout 2']);
  });

  test('and a client that leaves end all of them', () => {
    const here = world();
    const { client, first, second } = hedgedTries(here);
    client.leave();
    expect([first.isOpen, second.isOpen]).toEqual([false, false]);
  });
});

test('an answer ends the wait for another try', () => {
  const here = world();
  const client = here.send(request());
  const first = here.accept();
  here.advance(1000);
  first.receive(response(200, 'first'));
  expect(bodyOf(client.take())).toBe('first');
  here.advance(pauseMs);
  expect(here.dials).toBe(1);
  expect(here.stat('cluster.c.upstream_rq_retry')).toBe(0);
});
