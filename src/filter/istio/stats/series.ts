import { shortFlags } from '../../../observe/format/response-flag-names.ts';
import type { Counter, Histogram } from '../../../observe/stats/stats.ts';
import type { EndFacts } from './ends.ts';
import type { StandardMetric } from './istio-stats-data.ts';
import type { Metric } from './metric.ts';

export type Metrics = Readonly<Record<StandardMetric, Metric>>;

/** What one kind of request is counted by; null: it is dropped. */
export interface RequestSeries {
  readonly requests: Counter | null;
  readonly duration: Histogram | null;
  readonly requestBytes: Histogram | null;
  readonly responseBytes: Histogram | null;
}

export interface MessageSeries {
  readonly requests: Counter | null;
  readonly responses: Counter | null;
}

export interface ConnectionSeries {
  readonly opened: Counter | null;
  readonly closed: Counter | null;
  readonly sent: Counter | null;
  readonly received: Counter | null;
}

const noGrpc = 0;
const noStatus = 1;
/** gRPC's codes, 0 … 16, and -1 for what is none of them, behind the two above. */
const statusBase = 3;
const statusRange = 20;

/**
 * Everything that is counted between two ends, by what happened. Found by numbers alone in steady state: neither a text
 * nor an object is made for a request that is like one before.
 */
export class EndsSeries {
  readonly facts: EndFacts;
  /** Of both ends. */
  readonly labels: readonly string[];
  private readonly policy: string;
  private readonly metrics: Metrics;
  /** By response flags, then by status and gRPC status, then, where there are expressions, by their values. */
  private readonly requests: Map<number, Map<number, RequestSeries | Map<string, RequestSeries>>>;
  private readonly messageSeries: Map<string, MessageSeries>;

  /** `policy`: of the connection between them. */
  constructor(facts: EndFacts, labels: readonly string[], policy: string, metrics: Metrics) {
    this.facts = facts;
    this.labels = labels;
    this.policy = policy;
    this.metrics = metrics;
    this.requests = new Map();
    this.messageSeries = new Map();
  }

  /** `grpcStatus`: -1 … 16; undefined: the request is no gRPC; null: nothing is known of it. */
  request(
    code: number,
    flags: number,
    grpcStatus: number | null | undefined,
    values: readonly string[],
    askedMs: number,
  ): RequestSeries {
    const status = statusIndex(grpcStatus);
    const key = code * statusRange + status;
    let byCode = this.requests.get(flags);
    if (byCode === undefined) this.requests.set(flags, (byCode = new Map()));
    const known = byCode.get(key);
    if (values.length === 0) {
      if (known !== undefined) return known as RequestSeries;
      const made = this.makeRequest(code, flags, grpcStatus, values, askedMs);
      byCode.set(key, made);
      return made;
    }
    const byValues = (known ?? new Map()) as Map<string, RequestSeries>;
    if (known === undefined) byCode.set(key, byValues);
    const joined = values.join('\0');
    let series = byValues.get(joined);
    if (series === undefined) {
      series = this.makeRequest(code, flags, grpcStatus, values, askedMs);
      byValues.set(joined, series);
    }
    return series;
  }

  /** Messages are told while a stream goes on, so that nothing of its end is among their labels. */
  messages(values: readonly string[], askedMs: number): MessageSeries {
    const joined = values.join('\0');
    let series = this.messageSeries.get(joined);
    if (series === undefined) {
      const { request_messages_total: requests, response_messages_total: responses } = this.metrics;
      series = {
        requests: requests.counter(this.labels, values, askedMs),
        responses: responses.counter(this.labels, values, askedMs),
      };
      this.messageSeries.set(joined, series);
    }
    return series;
  }

  /** Of one connection, which keeps it. */
  connection(flags: number, values: readonly string[], askedMs: number): ConnectionSeries {
    const labels = [...this.labels, 'request_protocol', 'tcp', ...this.endLabels(flags, false)];
    const { metrics } = this;
    return {
      opened: metrics.tcp_connections_opened_total.counter(labels, values, askedMs),
      closed: metrics.tcp_connections_closed_total.counter(labels, values, askedMs),
      sent: metrics.tcp_sent_bytes_total.counter(labels, values, askedMs),
      received: metrics.tcp_received_bytes_total.counter(labels, values, askedMs),
    };
  }

  private makeRequest(
    code: number,
    flags: number,
    grpcStatus: number | null | undefined,
    values: readonly string[],
    askedMs: number,
  ): RequestSeries {
    const labels = [
      ...this.labels,
      'request_protocol',
      grpcStatus === undefined ? 'http' : 'grpc',
      'response_code',
      String(code),
      'grpc_response_status',
      grpcStatus === undefined || grpcStatus === null ? '' : String(grpcStatus),
      ...this.endLabels(flags, true),
    ];
    const { metrics } = this;
    return {
      requests: metrics.requests_total.counter(labels, values, askedMs),
      duration: metrics.request_duration_milliseconds.histogram(labels, values, askedMs),
      requestBytes: metrics.request_bytes.histogram(labels, values, askedMs),
      responseBytes: metrics.response_bytes.histogram(labels, values, askedMs),
    };
  }

  private endLabels(flags: number, isHttp: boolean): string[] {
    return ['response_flags', shortFlags(flags, isHttp), 'connection_security_policy', this.policy];
  }
}

function statusIndex(status: number | null | undefined): number {
  if (status === undefined) return noGrpc;
  return status === null ? noStatus : status + statusBase;
}
