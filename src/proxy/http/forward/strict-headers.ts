import type { RequestHead } from '../../../core/head.ts';
import { ResponseFlag } from '../../../core/failure.ts';
import type { LocalReply } from '../../../filter/filter.ts';
import { parseRetryOn } from '../../../route/retry-on.ts';

/** Whether the value of a control header is one that Envoy's strict check takes. */
const checks: Readonly<Record<string, (value: string) => boolean>> = {
  'x-envoy-upstream-rq-timeout-ms': isWhole,
  'x-envoy-upstream-rq-per-try-timeout-ms': isWhole,
  'x-envoy-max-retries': isWhole,
  'x-envoy-retry-on': areTokens,
  'x-envoy-retry-grpc-on': areTokens,
};

function isWhole(value: string): boolean {
  return /^[0-9]{1,10}$/.test(value);
}

function areTokens(value: string): boolean {
  return value.split(',').every((token) => parseRetryOn(token.trim()) !== 0);
}

/** The router's `strict_check_headers`: the answer to the first bad one; null: all are good. */
export function checkStrictly(head: RequestHead, names: readonly string[]): LocalReply | null {
  for (const name of names) {
    const value = head.headers.get(name);
    if (value === undefined || checks[name]?.(value) !== false) continue;
    const body = `invalid header '${name}' with value '${value}'`;
    return {
      status: 400,
      body,
      details: 'request_headers_failed_strict_check',
      flags: ResponseFlag.InvalidEnvoyRequestHeaders,
    };
  }
  return null;
}
