import type { Headers } from '../../../core/headers.ts';

/** What a trusted client may ask of the router. None of it reaches the upstream, where a request is told otherwise. */
export const ControlHeader = {
  Timeout: 'x-envoy-upstream-rq-timeout-ms',
  PerTryTimeout: 'x-envoy-upstream-rq-per-try-timeout-ms',
  AltResponse: 'x-envoy-upstream-rq-timeout-alt-response',
  ExpectedTimeout: 'x-envoy-expected-rq-timeout-ms',
  Hedge: 'x-envoy-hedge-on-per-try-timeout',
  StreamDuration: 'x-envoy-upstream-stream-duration-ms',
  RetryOn: 'x-envoy-retry-on',
  RetryGrpcOn: 'x-envoy-retry-grpc-on',
  MaxRetries: 'x-envoy-max-retries',
  RetriableNames: 'x-envoy-retriable-header-names',
  RetriableCodes: 'x-envoy-retriable-status-codes',
} as const;

/** Of retries. */
export const retryHeaders: readonly string[] = [
  ControlHeader.RetryOn,
  ControlHeader.RetryGrpcOn,
  ControlHeader.MaxRetries,
  ControlHeader.RetriableNames,
  ControlHeader.RetriableCodes,
];

const all: ReadonlySet<string> = new Set(Object.values(ControlHeader));

/** Whether there is any: most requests have none, and are asked once instead of for each. */
export function hasControlHeaders({ names }: Headers): boolean {
  for (let i = 0; i < names.length; i++) {
    if (names[i].startsWith('x-envoy-') && all.has(names[i])) return true;
  }
  return false;
}

/** A number of milliseconds; -1: absent or no whole number, which Envoy ignores. */
export function milliseconds(text: string | undefined): number {
  if (text === undefined || text === '' || text.length > 15) return -1;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
  }
  return Number(text);
}
