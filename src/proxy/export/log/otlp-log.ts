import { WireType } from '../../../filter/wire/wire-type.ts';
import { WireWriter } from '../../../filter/wire/wire-writer.ts';
import type { AccessLog } from '../../../observe/access-log/access-log.ts';
import { toBytes } from '../../../observe/format/byte-string.ts';
import type { OtlpLogData } from '../../../observe/access-log/log-service-data.ts';
import { Outcome } from '../../../observe/outcome.ts';
import type { Counter } from '../../../observe/stats/stats.ts';
import { buildCustomTag, type CustomTag } from '../../../observe/trace/custom-tag.ts';
import type { ExportEnvironment } from '../export-environment.ts';
import { FlushTimer } from '../flush-timer.ts';
import { hexBytes } from '../hex-bytes.ts';
import { OtlpService } from '../otlp-service.ts';
import { writeAttribute } from '../otlp-span.ts';
import { nanosOf } from '../wire-text.ts';
import { stateJson } from './filter-state-wire.ts';
import { buildAttribute, buildLogValue, type LogAttribute, type LogValue } from './log-value.ts';

const { LengthDelimited, Bit64 } = WireType;

const path = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';

/** Records for an OpenTelemetry collector, some at a time. */
export class OtlpLog implements AccessLog {
  private readonly data: OtlpLogData;
  private readonly service: OtlpService;
  private readonly resource: Uint8Array;
  private readonly body: LogValue | null;
  private readonly attributes: readonly LogAttribute[];
  private readonly tags: readonly CustomTag[];
  private readonly writer: WireWriter;
  private readonly timer: FlushTimer;
  private readonly written: Counter;
  private readonly dropped: Counter;
  private records: Uint8Array[];
  private bytes: number;

  constructor(data: OtlpLogData, environment: ExportEnvironment) {
    this.data = data;
    this.service = new OtlpService(data.service, path, environment, false);
    this.writer = new WireWriter();
    this.resource = this.resourceOf(environment);
    this.body = data.body === null ? null : buildLogValue(data.body, data.extensions);
    this.attributes = data.attributes.map((attribute) => buildAttribute(attribute, data.extensions));
    this.tags = data.customTags.map((tag) => buildCustomTag(tag));
    this.timer = new FlushTimer(environment.clock, environment.timers, () => this.flush());
    const scope = environment.stats.scope('access_logs.open_telemetry_access_log');
    const prefix = data.statPrefix.replace(/\.$/, '');
    const own = prefix === '' ? scope : scope.scope(prefix);
    this.written = own.counter('logs_written');
    this.dropped = own.counter('logs_dropped');
    this.records = [];
    this.bytes = 0;
  }

  get isBusy(): boolean {
    return this.records.length > 0 || this.service.isBusy;
  }

  log(outcome: Outcome): void {
    this.writeRecord(outcome);
    const record = this.writer.finish();
    this.records.push(record);
    this.bytes += record.length;
    if (this.bytes >= this.data.bufferBytesMax) this.flush();
    else this.timer.set(this.data.flushIntervalMs);
  }

  flush(): void {
    this.timer.clear();
    const { records } = this;
    if (records.length === 0) return;
    this.records = [];
    this.bytes = 0;
    this.service.send(this.messageOf(records), (wasTaken) =>
      (wasTaken ? this.written : this.dropped).add(records.length),
    );
  }

  /** The fields of an `opentelemetry.proto.logs.v1.LogRecord`. */
  private writeRecord(outcome: Outcome): void {
    const { writer, body } = this;
    writer.tag(1, Bit64).fixed64(nanosOf(outcome.startEpochMs));
    if (body !== null) {
      writer.tag(5, LengthDelimited).begin();
      body.write(writer, outcome);
      writer.end();
    }
    for (const attribute of this.attributes) attribute.write(writer, 6, outcome);
    for (const key of this.data.filterState) {
      const json = stateJson(outcome, key);
      if (json !== null) writeAttribute(writer, 6, toBytes(key), json);
    }
    for (const tag of this.tags) {
      const value = tag.value(outcome);
      if (value !== '') writeAttribute(writer, 6, tag.tag, value);
    }
    const { traceId, spanId } = outcome;
    if (traceId !== '') writer.tag(9, LengthDelimited).bytesWithLength(hexBytes(traceId.padStart(32, '0')));
    if (spanId !== '') writer.tag(10, LengthDelimited).bytesWithLength(hexBytes(spanId));
  }

  /** The fields of an `opentelemetry.proto.resource.v1.Resource`. */
  private resourceOf({ node }: ExportEnvironment): Uint8Array {
    const { writer, data } = this;
    if (data.namesNode) {
      writeAttribute(writer, 1, 'log_name', toBytes(data.logName));
      writeAttribute(writer, 1, 'zone_name', toBytes(node.locality.zone));
      writeAttribute(writer, 1, 'cluster_name', toBytes(node.cluster));
      writeAttribute(writer, 1, 'node_name', toBytes(node.id));
    }
    const nobody = new Outcome();
    for (const attribute of data.resource) buildAttribute(attribute, null).write(writer, 1, nobody);
    return writer.finish();
  }

  /** An `ExportLogsServiceRequest`. */
  private messageOf(records: readonly Uint8Array[]): Uint8Array {
    const { writer } = this;
    writer.tag(1, LengthDelimited).begin();
    writer.tag(1, LengthDelimited).bytesWithLength(this.resource);
    writer.tag(2, LengthDelimited).begin();
    for (const record of records) writer.tag(2, LengthDelimited).bytesWithLength(record);
    writer.end().end();
    return writer.finish();
  }
}
