import type { Group, Row } from '../../row.ts';
import { asking } from './ext-authz-config.ts';

const rows: readonly Row[] = [
  { name: 'ok at once', upstream: [{}, {}] },
  { name: 'an error, then ok', upstream: [{ status: 503 }, {}, {}] },
  { name: 'an error with a body, then ok', upstream: [{ status: 500, body: 'sorry' }, {}, {}] },
  { name: 'two errors, then denied', upstream: [{ status: 503 }, { status: 502 }, { status: 403, body: 'no' }] },
  { name: 'too many errors', upstream: [{ status: 503 }, { status: 502 }, { status: 500 }] },
  { name: 'a reset, then ok', upstream: [{ raw: '', ending: 'reset' }, {}, {}] },
  { name: 'too late, then ok', upstream: [{ delayMs: 1300 }, {}, {}] },
  { name: 'denied is an answer', upstream: [{ status: 401 }] },
  { name: 'a POST', request: { path: '/', body: 'a body' }, upstream: [{ status: 503 }, {}, {}] },
];

const retried = (name: string, policy: string): Group =>
  asking(
    `retries: ${name}`,
    `http_service: { server_uri: { uri: 'http://authz.test', cluster: two, timeout: 2s }, retry_policy: { ${policy}, retry_back_off: { base_interval: 0.001s, max_interval: 1s } } }, with_request_body: { max_request_bytes: 10 }`,
    rows,
  );

/** `http_service.retry_policy`. */
export const extAuthzRetriesGroups: readonly Group[] = [
  retried('for nothing', 'num_retries: 2'),
  retried('two', "num_retries: 2, retry_on: 'gateway-error, 5xx'"),
  retried('one, on 5xx', 'retry_on: 5xx'),
];
