import { HttpVersion, RequestHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import { runtimeInteger } from '../../core/runtime-view.ts';
import { WireWriter } from '../../filter/wire/wire-writer.ts';
import { toBytes } from '../../observe/format/byte-string.ts';
import type { Counter, StatsScope } from '../../observe/stats/stats.ts';
import type { Span } from '../../observe/trace/span.ts';
import type { ZipkinData } from '../../observe/trace/trace-data.ts';
import type { SpanReporter } from '../../observe/trace/tracer.ts';
import { answerBytesMax, callsMax, type ExportEnvironment } from './export-environment.ts';
import { FlushTimer } from './flush-timer.ts';
import { zipkinJson, type ZipkinEndpoint } from './zipkin-json.ts';
import { writeZipkinSpan } from './zipkin-proto.ts';

const accepted = 202;

/** Envoy's defaults of the runtime keys. */
const minFlushSpans = 5;
const flushIntervalMs = 5000;
const requestTimeoutMs = 5000;

/** Sends spans to a Zipkin collector, some at a time. */
export class ZipkinReporter implements SpanReporter {
  private readonly data: ZipkinData;
  private readonly environment: ExportEnvironment;
  private readonly endpoint: ZipkinEndpoint;
  private readonly stats: ZipkinStats;
  private readonly timer: FlushTimer;
  private readonly writer: WireWriter;
  /** One span each: JSON as bytes, or an entry of a list. */
  private pending: (string | Uint8Array)[];
  private calls: number;

  constructor(data: ZipkinData, environment: ExportEnvironment) {
    this.data = data;
    this.environment = environment;
    this.endpoint = { serviceName: toBytes(environment.node.cluster), address: environment.localAddress };
    this.stats = new ZipkinStats(environment.stats.scope('tracing.zipkin'));
    this.timer = new FlushTimer(environment.clock, environment.timers, () => {
      this.stats.timerFlushed.inc();
      this.flush();
    });
    this.writer = new WireWriter();
    this.pending = [];
    this.calls = 0;
  }

  /** Spans and requests that are on their way. */
  get isBusy(): boolean {
    return this.pending.length > 0 || this.calls > 0;
  }

  report(span: Span): void {
    const { runtime } = this.environment;
    this.pending.push(this.encode(span));
    if (this.pending.length >= runtimeInteger(runtime, 'tracing.zipkin.min_flush_spans', minFlushSpans)) this.flush();
    else this.timer.set(runtimeInteger(runtime, 'tracing.zipkin.flush_interval_ms', flushIntervalMs));
  }

  flush(): void {
    const { pending, stats, data, environment } = this;
    this.timer.clear();
    if (pending.length === 0) return;
    this.pending = [];
    stats.spansSent.add(pending.length);
    if (environment.clusters.get(data.collector.cluster) === undefined) {
      stats.reportsSkipped.inc();
      return;
    }
    if (this.calls >= callsMax) {
      stats.reportsDropped.inc();
      return;
    }
    this.send(this.bodyOf(pending));
  }

  private send(body: Uint8Array): void {
    const { collector, encoding } = this.data;
    const { stats } = this;
    const headers = new Headers();
    headers.add('content-type', encoding === 'json' ? 'application/json' : 'application/x-protobuf');
    for (const [name, value] of collector.headers) headers.set(name, value);
    const head = new RequestHead('POST', collector.authority, collector.path, HttpVersion.Http11, headers);
    head.scheme = 'http';
    const timeoutMs = runtimeInteger(this.environment.runtime, 'tracing.zipkin.request_timeout', requestTimeoutMs);
    const options = { timeoutMs, bodyBytesMax: answerBytesMax, saysForWhom: true };
    this.calls++;
    this.environment.callOuts.http(collector.cluster, head, body, options, {
      onAnswer: ({ head: { status } }) => {
        this.calls--;
        (status === accepted ? stats.reportsSent : stats.reportsDropped).inc();
      },
      onFailure: () => {
        this.calls--;
        stats.reportsFailed.inc();
      },
    });
  }

  private encode(span: Span): string | Uint8Array {
    if (this.data.encoding === 'json') return zipkinJson(span, this.endpoint);
    writeZipkinSpan(this.writer, span, this.endpoint);
    return this.writer.finish();
  }

  private bodyOf(pending: readonly (string | Uint8Array)[]): Uint8Array {
    if (this.data.encoding === 'json') return latin1Bytes(`[${pending.join(',')}]`);
    for (const piece of pending) this.writer.raw(piece as Uint8Array);
    return this.writer.finish();
  }
}

/** `tracing.zipkin.*`. */
class ZipkinStats {
  readonly spansSent: Counter;
  readonly timerFlushed: Counter;
  readonly reportsSkipped: Counter;
  readonly reportsSent: Counter;
  readonly reportsDropped: Counter;
  readonly reportsFailed: Counter;

  constructor(scope: StatsScope) {
    this.spansSent = scope.counter('spans_sent');
    this.timerFlushed = scope.counter('timer_flushed');
    this.reportsSkipped = scope.counter('reports_skipped_no_cluster');
    this.reportsSent = scope.counter('reports_sent');
    this.reportsDropped = scope.counter('reports_dropped');
    this.reportsFailed = scope.counter('reports_failed');
  }
}

function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
