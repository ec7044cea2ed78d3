import { runtimeInteger } from '../../core/runtime-view.ts';
import { WireType } from '../../filter/wire/wire-type.ts';
import { WireWriter } from '../../filter/wire/wire-writer.ts';
import { toBytes } from '../../observe/format/byte-string.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import type { Span } from '../../observe/trace/span.ts';
import type { OpenTelemetryData } from '../../observe/trace/trace-data.ts';
import type { SpanReporter } from '../../observe/trace/tracer.ts';
import { exporterName, type ExportEnvironment } from './export-environment.ts';
import { FlushTimer } from './flush-timer.ts';
import { OtlpService } from './otlp-service.ts';
import { writeAttribute, writeOtlpSpan } from './otlp-span.ts';
import { writeText } from './wire-text.ts';

const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** Envoy's defaults of the runtime keys. */
const minFlushSpans = 5;
const flushIntervalMs = 5000;

/** Sends spans to an OpenTelemetry collector, some at a time. */
export class OtlpReporter implements SpanReporter {
  private readonly data: OpenTelemetryData;
  private readonly environment: ExportEnvironment;
  private readonly service: OtlpService | null;
  private readonly timer: FlushTimer;
  private readonly writer: WireWriter;
  private readonly spansSent: Counter;
  private readonly spansDropped: Counter;
  private readonly timerFlushed: Counter;
  private pending: Uint8Array[];

  constructor(data: OpenTelemetryData, environment: ExportEnvironment) {
    this.data = data;
    this.environment = environment;
    this.service = data.service === null ? null : new OtlpService(data.service, path, environment, true);
    const scope = environment.stats.scope('tracing.opentelemetry');
    this.spansSent = scope.counter('spans_sent');
    this.spansDropped = scope.counter('spans_dropped');
    this.timerFlushed = scope.counter('timer_flushed');
    this.timer = new FlushTimer(environment.clock, environment.timers, () => {
      this.timerFlushed.inc();
      this.flush();
    });
    this.writer = new WireWriter();
    this.pending = [];
  }

  get isBusy(): boolean {
    return this.pending.length > 0 || (this.service !== null && this.service.isBusy);
  }

  report(span: Span): void {
    if (this.service === null) return;
    if (this.pending.length >= this.data.spansMax) {
      this.spansDropped.inc();
      return;
    }
    writeOtlpSpan(this.writer, span);
    this.pending.push(this.writer.finish());
    const { runtime } = this.environment;
    const min = runtimeInteger(runtime, 'tracing.opentelemetry.min_flush_spans', minFlushSpans);
    if (this.pending.length >= min) this.flush();
    else this.timer.set(runtimeInteger(runtime, 'tracing.opentelemetry.flush_interval_ms', flushIntervalMs));
  }

  flush(): void {
    const { pending, service } = this;
    this.timer.clear();
    if (pending.length === 0 || service === null) return;
    this.pending = [];
    this.spansSent.add(pending.length);
    service.send(this.messageOf(pending), (wasTaken) => {
      if (!wasTaken) this.spansDropped.add(pending.length);
    });
  }

  /** An `ExportTraceServiceRequest`. */
  private messageOf(spans: readonly Uint8Array[]): Uint8Array {
    const { writer } = this;
    writer.tag(1, WireType.LengthDelimited).begin();
    const { resource } = this.data;
    if (resource.length > 0) {
      writer.tag(1, WireType.LengthDelimited).begin();
      for (const [key, value] of resource) writeAttribute(writer, 1, toBytes(key), toBytes(value));
      writer.end();
    }
    writer.tag(2, WireType.LengthDelimited).begin();
    writer.tag(1, WireType.LengthDelimited).begin();
    writeText(writer, 1, exporterName);
    writer.end();
    for (const span of spans) writer.tag(2, WireType.LengthDelimited).bytesWithLength(span);
    writer.end().end();
    return writer.finish();
  }
}
