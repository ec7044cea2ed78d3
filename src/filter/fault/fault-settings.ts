import type { RequestHead } from '../../core/head.ts';
import type { FilterContext } from '../filter.ts';
import type { FractionData } from '../fraction-data.ts';
import { allMatch, HeaderMatcher } from '../../route/match/header-matcher.ts';
import type { FaultData, FaultRuntimeKeys } from './fault-data.ts';

/** A status to end a request with; `grpcStatus` -1: the HTTP status says it all. */
export interface AbortStatus {
  readonly httpStatus: number;
  readonly grpcStatus: number;
}

/** One HTTPFault, of the filter or of a route, ready to be asked. All randomness and runtime is asked here. */
export class FaultSettings {
  /** No fault is configured at all. */
  readonly isIdle: boolean;
  readonly disableDownstreamClusterStats: boolean;
  readonly filterMetadata: Readonly<Record<string, unknown>> | null;
  private readonly data: FaultData;
  private readonly context: FilterContext;
  private readonly matchers: readonly HeaderMatcher[];
  private readonly nodes: ReadonlySet<string> | null;
  private readonly keys: FaultRuntimeKeys;

  constructor(data: FaultData, context: FilterContext) {
    this.isIdle = data.delay === null && data.abort === null && data.responseRateLimit === null;
    this.disableDownstreamClusterStats = data.disableDownstreamClusterStats;
    this.filterMetadata = data.filterMetadata;
    this.data = data;
    this.context = context;
    this.matchers = data.headers.map((matcher) => new HeaderMatcher(matcher));
    this.nodes = data.downstreamNodes.length === 0 ? null : new Set(data.downstreamNodes);
    this.keys = data.runtimeKeys;
  }

  get upstreamCluster(): string {
    return this.data.upstreamCluster;
  }

  appliesTo(head: RequestHead): boolean {
    if (this.nodes !== null) {
      const node = head.headers.get('x-envoy-downstream-service-node');
      if (node === undefined || !this.nodes.has(node)) return false;
    }
    return allMatch(this.matchers, head);
  }

  maxActiveFaults(): number {
    return this.context.runtime.number(this.keys.maxActiveFaults, this.data.maxActiveFaults);
  }

  /** Milliseconds; 0: no delay. `caller` is the downstream service cluster; empty: unknown. */
  delayMs(head: RequestHead, caller: string): number {
    const { delay } = this.data;
    if (delay === null) return 0;
    const percentage =
      delay.fixedMs >= 0 ? delay.percentage : capped(head, `${delayHeader}-percentage`, delay.percentage);
    if (!this.isOn(this.keys.delayPercent, caller, 'delay.fixed_delay_percent', percentage)) return 0;
    const configured = delay.fixedMs >= 0 ? delay.fixedMs : headerNumber(head, delayHeader);
    if (configured < 0) return 0;
    return this.number(this.keys.delayDuration, caller, 'delay.fixed_duration_ms', configured);
  }

  abortStatus(head: RequestHead, caller: string): AbortStatus | null {
    const { abort } = this.data;
    if (abort === null) return null;
    const percentage = abort.fromHeaders
      ? capped(head, 'x-envoy-fault-abort-request-percentage', abort.percentage)
      : abort.percentage;
    if (!this.isOn(this.keys.abortPercent, caller, 'abort.abort_percent', percentage)) return null;
    const http = abort.fromHeaders ? httpStatusOf(head) : abort.httpStatus;
    if (http > 0) {
      return { httpStatus: this.number(this.keys.abortHttpStatus, caller, 'abort.http_status', http), grpcStatus: -1 };
    }
    const grpc = abort.fromHeaders ? headerNumber(head, 'x-envoy-fault-abort-grpc-request') : abort.grpcStatus;
    if (grpc < 0) return null;
    return { httpStatus: 200, grpcStatus: this.number(this.keys.abortGrpcStatus, caller, 'abort.grpc_status', grpc) };
  }

  /** KiB per second; 0: no limit. */
  responseKbps(head: RequestHead): number {
    const limit = this.data.responseRateLimit;
    if (limit === null) return 0;
    const percentage =
      limit.fixedKbps > 0 ? limit.percentage : capped(head, `${throughputHeader}-percentage`, limit.percentage);
    if (!this.isOn(this.keys.responseRateLimitPercent, '', '', percentage)) return 0;
    return limit.fixedKbps > 0 ? limit.fixedKbps : Math.max(0, headerNumber(head, throughputHeader));
  }

  /** Either the general key or the caller's own lets the fault happen. */
  private isOn(key: string, caller: string, suffix: string, { numerator, denominator }: FractionData): boolean {
    const { runtime } = this.context;
    if (runtime.fraction(key, numerator, denominator, this.context.random())) return true;
    if (caller === '') return false;
    return runtime.fraction(`fault.http.${caller}.${suffix}`, numerator, denominator, this.context.random());
  }

  private number(key: string, caller: string, suffix: string, otherwise: number): number {
    const value = this.context.runtime.number(key, otherwise);
    return caller === '' ? value : this.context.runtime.number(`fault.http.${caller}.${suffix}`, value);
  }
}

const delayHeader = 'x-envoy-fault-delay-request';
const throughputHeader = 'x-envoy-fault-throughput-response';

/** The percentage that the request asks for, up to the configured one. */
function capped(head: RequestHead, header: string, percentage: FractionData): FractionData {
  const asked = headerNumber(head, header);
  if (asked < 0) return percentage;
  return { numerator: Math.min(asked, percentage.numerator), denominator: percentage.denominator };
}

function httpStatusOf(head: RequestHead): number {
  const status = headerNumber(head, 'x-envoy-fault-abort-request');
  return status >= 200 && status < 600 ? status : 0;
}

/** A header's decimal number; -1: absent or none. */
function headerNumber(head: RequestHead, header: string): number {
  const value = head.headers.get(header);
  if (value === undefined || value === '' || value.length > 15) return -1;
  let number = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}
