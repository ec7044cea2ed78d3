import { describe, expect, test } from 'vitest';
import { bodyOf, fieldOf, HttpWorld, request, response, statusOf, trusted, type Setting } from '../world.ts';

const log = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%';
const half = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf';
const halfAnswer = 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf';

function world(more: string, setting: Setting = {}): HttpWorld {
  return new HttpWorld({ log, routes: `- { match: { prefix: / }, route: { cluster: c, ${more} } }`, ...setting });
}

describe('route timeout', () => {
  test('is 15 s, from the end of the request', () => {
    const here = world('');
    const client = here.send(half);
    here.accept();
    here.advance(60_000);
    expect(client.written).toBe('');
    client.receive('12345');
    here.advance(14_999);
    expect(client.written).toBe('');
    here.advance(1);
    expect(statusOf(client.written)).toBe(504);
    expect(bodyOf(client.take())).toBe('upstream request timeout');
    expect(here.logged).toEqual(['504 UT response_timeout']);
    expect(here.stat('cluster.c.upstream_rq_timeout')).toBe(1);
    expect(here.stat('cluster.c.upstream_rq_504')).toBe(1);
    expect(here.upstream.isOpen).toBe(false);
  });

  test('runs while the connection is being opened', () => {
    const here = world('timeout: 1s');
    const client = here.send(request());
    here.advance(1000);
    expect(statusOf(client.take())).toBe(504);
    expect(here.stat('cluster.c.upstream_rq_cancelled')).toBe(1);
  });

  test('0 is none', () => {
    const here = world('timeout: 0s');
    const client = here.send(request());
    here.accept();
    here.advance(299_999);
    expect(client.written).toBe('');
  });

  test('does not end with the response’s head', () => {
    const here = world('timeout: 1s');
    const client = here.send(request());
    here.accept().receive(halfAnswer);
    client.take();
    here.advance(1000);
    expect(client.take()).toBe('');
    expect(client.isClosing).toBe(true);
    expect(here.logged).toEqual(['200 UT response_timeout']);
  });

  test('is over when the response is complete', () => {
    const here = world('timeout: 1s');
    const client = here.send(request());
    here.accept().receive(response());
    client.take();
    here.advance(10_000);
    expect(client.take()).toBe('');
    expect(client.isClosing).toBe(false);
    expect(here.stat('cluster.c.upstream_rq_timeout')).toBe(0);
  });

  test('comes from x-envoy-upstream-rq-timeout-ms of an internal request', () => {
    const here = world('timeout: 10s', { hcm: trusted });
    const client = here.send(request('GET /', ['x-envoy-upstream-rq-timeout-ms: 150']));
    const sent = here.accept().take();
    expect(fieldOf(sent, 'x-envoy-upstream-rq-timeout-ms')).toBeUndefined();
    expect(fieldOf(sent, 'x-envoy-expected-rq-timeout-ms')).toBe('150');
    here.advance(150);
    expect(statusOf(client.take())).toBe(504);
  });

  test('is answered by an empty 204 where the request asks for it', () => {
    const here = world('timeout: 1s', { hcm: trusted });
    const client = here.send(request('GET /', ['x-envoy-upstream-rq-timeout-alt-response: 1']));
    here.accept();
    here.advance(1000);
    expect(statusOf(client.written)).toBe(204);
    expect(bodyOf(client.take())).toBe('');
  });
});

describe('per_try_timeout', () => {
  const policy = (more: string): string => `retry_policy: { retry_on: 5xx, ${more} }`;

  test('gives up one try, and the next has its own', () => {
    const here = world(policy('num_retries: 1, per_try_timeout: 1s'));
    const client = here.send(request());
    const first = here.accept();
    here.advance(1000);
    expect(first.isOpen).toBe(false);
    expect(client.written).toBe('');
    here.advance(25);
    here.accept();
    here.advance(999);
    expect(client.written).toBe('');
    here.advance(1);
    expect(statusOf(client.written)).toBe(504);
    expect(bodyOf(client.take())).toBe('upstream request timeout');
    expect(here.logged[0]).toMatch(/^504 URX,UT upstream_per_try_timeout$/);
    expect(here.stat('cluster.c.upstream_rq_per_try_timeout')).toBe(2);
    expect(here.stat('cluster.c.upstream_rq_timeout')).toBe(0);
  });

  test('does not run while the connection is being opened', () => {
    const here = world(policy('per_try_timeout: 1s'));
    const client = here.send(request());
    here.advance(1500);
    expect(here.stat('cluster.c.upstream_rq_per_try_timeout')).toBe(0);
    here.accept().receive(response());
    expect(statusOf(client.take())).toBe(200);
  });

  test('ends with the response’s head', () => {
    const here = world(policy('per_try_timeout: 1s'));
    const client = here.send(request());
    here.accept().receive(halfAnswer);
    here.advance(2000);
    expect(client.isClosing).toBe(false);
  });

  test('is ignored at or above the route’s', () => {
    const here = world(`timeout: 1s, ${policy('per_try_timeout: 1s')}`);
    const client = here.send(request());
    here.accept();
    here.advance(1000);
    expect(statusOf(client.take())).toBe(504);
    expect(here.stat('cluster.c.upstream_rq_per_try_timeout')).toBe(0);
    expect(here.stat('cluster.c.upstream_rq_timeout')).toBe(1);
  });

  test('is what the upstream is told', () => {
    const here = world(policy('per_try_timeout: 2s'));
    here.send(request());
    expect(fieldOf(here.accept().take(), 'x-envoy-expected-rq-timeout-ms')).toBe('2000');
  });

  test('x-envoy-upstream-rq-per-try-timeout-ms wins', () => {
    const here = world(policy('num_retries: 0, per_try_timeout: 2s'), { hcm: trusted });
    const client = here.send(request('GET /', ['x-envoy-upstream-rq-per-try-timeout-ms: 100']));
    expect(fieldOf(here.accept().take(), 'x-envoy-upstream-rq-per-try-timeout-ms')).toBeUndefined();
    here.advance(100);
    expect(statusOf(client.take())).toBe(504);
  });

  test('per_try_idle_timeout begins anew with every byte', () => {
    const here = world('timeout: 0s, retry_policy: { retry_on: reset, num_retries: 1, per_try_idle_timeout: 1s }');
    const client = here.send(request());
    here.accept();
    here.advance(1000);
    expect(here.stat('cluster.c.upstream_rq_per_try_idle_timeout')).toBe(1);
    here.advance(25);
    here.accept();
    here.advance(1000);
    expect(statusOf(client.take())).toBe(504);
    expect(here.logged[0]).toMatch(/^504 .*\bSI\b.* upstream_per_try_idle_timeout$/);
  });
});

describe('stream idle timeout', () => {
  test('is 5 min; the upstream’s silence is a 504', () => {
    const here = world('timeout: 0s');
    const client = here.send(request());
    here.accept();
    here.advance(299_999);
    expect(client.written).toBe('');
    here.advance(1);
    expect(statusOf(client.written)).toBe(504);
    expect(bodyOf(client.take())).toBe('stream timeout');
    expect(here.logged).toEqual(['504 SI stream_idle_timeout']);
    expect(here.hcmStats.downstream_rq_idle_timeout).toBe(1);
  });

  test('the client’s silence is a 408, and the end of its connection', () => {
    const here = world('idle_timeout: 2s');
    const client = here.send(half);
    here.accept();
    here.advance(2000);
    expect(statusOf(client.written)).toBe(408);
    expect(fieldOf(client.written, 'connection')).toBe('close');
    expect(bodyOf(client.take())).toBe('stream timeout');
    expect(client.isClosing).toBe(true);
    expect(here.upstream.isOpen).toBe(false);
  });

  test('begins anew with every byte, of either side', () => {
    const here = world('timeout: 0s, idle_timeout: 2s');
    const client = here.send(half);
    const upstream = here.accept();
    here.advance(1500);
    client.receive('1234');
    here.advance(1500);
    client.receive('5');
    here.advance(1500);
    upstream.receive(halfAnswer);
    here.advance(1500);
    upstream.receive('12345');
    expect(bodyOf(client.take())).toBe('half12345');
    expect(here.logged).toEqual(['200 - via_upstream']);
  });

  test('within the response the client learns by the end of its connection', () => {
    const here = world('timeout: 0s, idle_timeout: 2s');
    const client = here.send(request());
    here.accept().receive(halfAnswer);
    client.take();
    here.advance(2000);
    expect(client.take()).toBe('');
    expect(client.isClosing).toBe(true);
    expect(here.logged).toEqual(['200 SI stream_idle_timeout']);
  });

  test('the route’s 0 switches the manager’s off', () => {
    const here = world('timeout: 0s, idle_timeout: 0s', { hcm: { streamIdleTimeout: '1s' } });
    const client = here.send(request());
    here.accept();
    here.advance(600_000);
    expect(client.written).toBe('');
  });
});

describe('request_timeout', () => {
  test('bounds the request, not the response', () => {
    const here = world('timeout: 0s', { hcm: { requestTimeout: '3s' } });
    const slow = here.send(half);
    here.advance(2999);
    slow.receive('1');
    here.advance(1);
    expect(statusOf(slow.written)).toBe(408);
    expect(fieldOf(slow.written, 'connection')).toBe('close');
    expect(bodyOf(slow.take())).toBe('request timeout');
    expect(here.logged).toEqual(['408 - request_overall_timeout']);
    expect(here.hcmStats.downstream_rq_timeout).toBe(1);
    const patient = here.send(request());
    here.advance(10_000);
    expect(patient.written).toBe('');
  });
});

describe('request_headers_timeout', () => {
  test('bounds the head', () => {
    const here = world('', { hcm: { requestHeadersTimeout: '2s' } });
    const slow = here.send('GET / HTTP/1.1\r\n');
    here.advance(1999);
    slow.receive('host: a\r\n');
    here.advance(1);
    expect(statusOf(slow.written)).toBe(408);
    expect(bodyOf(slow.take())).toBe('request header timeout');
    expect(slow.isClosing).toBe(true);
    expect(here.logged).toEqual(['408 - request_header_timeout']);
    expect(here.hcmStats.downstream_rq_header_timeout).toBe(1);
  });

  test('is over with the head', () => {
    const here = world('', { hcm: { requestHeadersTimeout: '2s' } });
    const client = here.send(half);
    here.advance(3000);
    expect(client.written).toBe('');
  });

  test('does not run before the first byte', () => {
    const here = world('', { hcm: { requestHeadersTimeout: '2s' } });
    const client = here.connect();
    here.advance(10_000);
    expect(client.isClosing).toBe(false);
  });
});

describe('max_stream_duration', () => {
  test('504 when the request was complete', () => {
    const here = world('timeout: 0s, max_stream_duration: { max_stream_duration: 1s }');
    const client = here.send(request());
    here.accept();
    here.advance(1000);
    expect(statusOf(client.written)).toBe(504);
    expect(bodyOf(client.take())).toBe('downstream duration timeout');
    expect(here.logged).toEqual(['504 - max_duration_timeout']);
    expect(here.hcmStats.downstream_rq_max_duration_reached).toBe(1);
  });

  test('408 when it was not', () => {
    const here = world('', { hcm: { commonHttpProtocolOptions: { maxStreamDuration: '1s' } } });
    const client = here.send(half);
    here.advance(500);
    client.receive('1');
    here.advance(500);
    expect(statusOf(client.take())).toBe(408);
    expect(client.isClosing).toBe(true);
  });

  test('the route’s 0 switches the manager’s off', () => {
    const here = world('timeout: 0s, max_stream_duration: { max_stream_duration: 0s }', {
      hcm: { commonHttpProtocolOptions: { maxStreamDuration: '1s' } },
    });
    const client = here.send(request());
    here.accept();
    here.advance(10_000);
    expect(client.written).toBe('');
  });
});

describe('grpc-timeout', () => {
  const call = (timeout: string, type = 'application/grpc'): string =>
    request('POST /', [`content-type: ${type}`, `grpc-timeout: ${timeout}`], 'x');

  /** The moment at which a stream ends that nobody answers. */
  const lasts = (more: string, text: string): number => {
    const here = world(`timeout: 0s, ${more}`);
    const client = here.send(text);
    here.accept();
    for (let ms = 0; ms <= 5000; ms += 50) {
      if (client.written !== '') return ms;
      here.advance(50);
    }
    return Infinity;
  };

  test('is ignored unless grpc_timeout_header_max is set', () => {
    expect(lasts('idle_timeout: 0s', call('1S'))).toBe(Infinity);
  });

  test.each([
    ['within the maximum', 'grpc_timeout_header_max: 3s', call('1S'), 1000],
    ['above the maximum', 'grpc_timeout_header_max: 3s', call('1H'), 3000],
    ['without a maximum', 'grpc_timeout_header_max: 0s', call('4000m'), 4000],
    ['with an offset', 'grpc_timeout_header_max: 3s, grpc_timeout_header_offset: 0.2s', call('1S'), 800],
    [
      'with an offset that leaves little',
      'grpc_timeout_header_max: 3s, grpc_timeout_header_offset: 0.95s',
      call('1S'),
      50,
    ],
    ['of a request that is not gRPC', 'grpc_timeout_header_max: 3s', call('1S', 'text/plain'), 1000],
  ])('%s', (_, more, text, expected) => {
    expect(lasts(`max_stream_duration: { ${more} }`, text)).toBe(expected);
  });

  test('is answered as gRPC wants it: deadline exceeded', () => {
    const here = world('timeout: 0s, max_stream_duration: { grpc_timeout_header_max: 3s }');
    const client = here.send(call('1S'));
    here.accept();
    here.advance(1000);
    expect(statusOf(client.written)).toBe(200);
    expect(fieldOf(client.written, 'grpc-status')).toBe('4');
    expect(fieldOf(client.take(), 'grpc-message')).toBe('downstream duration timeout');
  });
});

test('flush_interval: a long stream is logged again and again', () => {
  const here = world('timeout: 0s', {
    log: '%ACCESS_LOG_TYPE%',
    hcm: { accessLogOptions: { accessLogFlushInterval: '1s', flushAccessLogOnNewRequest: true } },
  });
  const client = here.send(request());
  here.advance(1000);
  here.advance(1000);
  here.accept().receive(response());
  here.advance(5000);
  client.take();
  expect(here.logged).toEqual(['DownstreamStart', 'DownstreamPeriodic', 'DownstreamPeriodic', 'DownstreamEnd']);
});
