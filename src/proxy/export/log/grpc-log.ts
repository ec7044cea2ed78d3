import { GrpcClient } from '../../../cluster/grpc/grpc-client.ts';
import type { GrpcCall, GrpcMethod } from '../../../cluster/grpc/grpc-call.ts';
import { writeStruct } from '../../../filter/wire/struct-wire.ts';
import { WireType } from '../../../filter/wire/wire-type.ts';
import { WireWriter } from '../../../filter/wire/wire-writer.ts';
import type { AccessLog } from '../../../observe/access-log/access-log.ts';
import { toBytes } from '../../../observe/format/byte-string.ts';
import type { GrpcLogData } from '../../../observe/access-log/log-service-data.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import type { Counter } from '../../../observe/stats/stats.ts';
import { buildCustomTag } from '../../../observe/trace/custom-tag.ts';
import { exporterName, type ExportEnvironment } from '../export-environment.ts';
import { FlushTimer } from '../flush-timer.ts';
import { writeText } from '../wire-text.ts';
import { writeHttpEntry, writeTcpEntry, type HttpEntrySettings } from './http-entry.ts';

const { LengthDelimited } = WireType;

const path = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs';
/** A stream that carries nothing for so long is ended: whoever logs again opens another. */
const idleMs = 300_000;

const asTheyAre = (bytes: Uint8Array): Uint8Array => bytes;
const method: GrpcMethod<Uint8Array, Uint8Array> = { path, encode: asTheyAre, decode: asTheyAre };

/**
 * Entries for an AccessLogService: gathered, and sent over one stream that stays. While there is none, entries wait as
 * long as there is room for them, and the stream is opened again after a while.
 */
export class GrpcLog implements AccessLog {
  private readonly data: GrpcLogData;
  private readonly environment: ExportEnvironment;
  private readonly settings: HttpEntrySettings;
  private readonly isHttp: boolean;
  private readonly stats: GrpcLogStats;
  private readonly writer: WireWriter;
  private readonly flushTimer: FlushTimer;
  private readonly retryTimer: FlushTimer;
  private readonly idleTimer: FlushTimer;
  private entries: Uint8Array[];
  private bytes: number;
  private call: GrpcCall<Uint8Array, Uint8Array> | null;
  /** The stream takes what it is given. */
  private isReady: boolean;
  /** The next message is the stream's first. */
  private isFresh: boolean;
  private isAbove: boolean;
  /** Streams in a row that were never ready. */
  private failures: number;

  constructor(data: GrpcLogData, environment: ExportEnvironment) {
    const { clock, timers } = environment;
    const { filterState, customTags, requestHeaders, responseHeaders, responseTrailers } = data;
    const tags = customTags.map((tag) => buildCustomTag(tag));
    this.data = data;
    this.environment = environment;
    this.settings = { filterState, tags, requestHeaders, responseHeaders, responseTrailers };
    this.isHttp = data.kind === 'http-grpc';
    this.stats = new GrpcLogStats(environment);
    this.writer = new WireWriter();
    this.flushTimer = new FlushTimer(clock, timers, () => this.flush());
    this.retryTimer = new FlushTimer(clock, timers, () => this.open());
    this.idleTimer = new FlushTimer(clock, timers, () => this.rest());
    this.entries = [];
    this.bytes = 0;
    this.call = null;
    this.isReady = false;
    this.isFresh = true;
    this.isAbove = false;
    this.failures = 0;
  }

  /** Something waits that a stream could take, or may yet. */
  get isBusy(): boolean {
    return this.entries.length > 0 && this.failures === 0;
  }

  log(outcome: Outcome): void {
    const { bufferBytesMax, flushIntervalMs } = this.data;
    if (bufferBytesMax > 0 && this.bytes >= bufferBytesMax) this.flush();
    // As Envoy: at least one is taken, however little room there is.
    if (this.bytes > 0 && this.bytes >= bufferBytesMax) {
      this.stats.dropped.inc();
      return;
    }
    const { writer } = this;
    if (this.isHttp) {
      writeHttpEntry(writer, outcome, this.settings);
      this.stats.written.inc();
    } else writeTcpEntry(writer, outcome, this.settings);
    const entry = writer.finish();
    this.entries.push(entry);
    this.bytes += entry.length;
    if (this.bytes >= bufferBytesMax) this.flush();
    else this.flushTimer.set(flushIntervalMs);
  }

  /** Gives the stream what waits, once there is one that takes it. */
  flush(): void {
    this.flushTimer.clear();
    const { entries, call } = this;
    if (entries.length === 0) return;
    // After a failure it is the timer that opens another.
    if (call === null && !this.retryTimer.isSet) this.open();
    else if (call !== null && this.isReady && !this.isAbove) {
      this.entries = [];
      this.bytes = 0;
      const message = this.messageOf(entries);
      this.stats.flushed.add(entries.length);
      this.isAbove = !call.send(message);
      this.idleTimer.clear();
      this.idleTimer.set(idleMs);
    }
  }

  private open(): void {
    const { environment, data } = this;
    if (this.call !== null) return;
    const cluster = environment.clusters.get(data.service.cluster);
    if (cluster === undefined) {
      this.failed();
      return;
    }
    this.retryTimer.clear();
    this.isFresh = true;
    this.isAbove = false;
    const client = new GrpcClient(cluster, environment.clock, environment.timers, () => environment.random());
    let isOver = false;
    const call = client.open(
      method,
      {
        onReady: () => this.ready(),
        onMessage: () => {},
        onDrain: () => this.drained(),
        onStatus: () => {
          isOver = true;
          this.ended();
        },
      },
      { authority: data.service.authority, metadata: this.metadata() },
    );
    if (isOver) return;
    this.call = call;
    // It may have had its stream at once.
    if (this.isReady) this.flush();
  }

  private metadata(): (readonly [string, string])[] {
    const { initialMetadata, skipEnvoyHeaders } = this.data.service;
    const given = initialMetadata.map(({ key, value }) => [key, value] as const);
    if (skipEnvoyHeaders) return given;
    return [['x-envoy-internal', 'true'], ['x-forwarded-for', this.environment.localAddress], ...given];
  }

  private ready(): void {
    this.isReady = true;
    this.failures = 0;
    if (this.call !== null) this.flush();
  }

  private drained(): void {
    this.isAbove = false;
    this.flush();
  }

  /** The server has ended it, or it never was. */
  private ended(): void {
    const wasReady = this.isReady;
    this.call = null;
    this.isReady = false;
    this.idleTimer.clear();
    if (!wasReady) this.failed();
    else if (this.entries.length > 0) this.flushTimer.set(this.data.flushIntervalMs);
  }

  private failed(): void {
    const { data, stats, environment } = this;
    this.failures++;
    if (data.failuresMax > 0 && this.failures > data.failuresMax) {
      stats.dropped.add(this.entries.length);
      stats.flushFailed.add(this.entries.length);
      this.entries = [];
      this.bytes = 0;
      this.failures = 0;
      return;
    }
    const { baseMs, maxMs } = data.backOff;
    const boundMs = Math.min(maxMs, baseMs * 2 ** Math.min(this.failures - 1, 30));
    this.retryTimer.set(Math.max(1, environment.random() * boundMs));
  }

  private rest(): void {
    this.call?.cancel();
    this.call = null;
    this.isReady = false;
  }

  /** A `StreamAccessLogsMessage`. */
  private messageOf(entries: readonly Uint8Array[]): Uint8Array {
    const { writer } = this;
    if (this.isFresh) this.writeIdentifier();
    this.isFresh = false;
    writer.tag(this.isHttp ? 2 : 3, LengthDelimited).begin();
    for (const entry of entries) writer.tag(1, LengthDelimited).bytesWithLength(entry);
    writer.end();
    return writer.finish();
  }

  private writeIdentifier(): void {
    const { writer } = this;
    const { id, cluster, locality, metadata } = this.environment.node;
    writer.tag(1, LengthDelimited).begin();
    writer.tag(1, LengthDelimited).begin();
    writeText(writer, 1, toBytes(id));
    writeText(writer, 2, toBytes(cluster));
    if (metadata !== undefined) {
      writer.tag(3, LengthDelimited).begin();
      writeStruct(writer, metadata);
      writer.end();
    }
    writer.tag(4, LengthDelimited).begin();
    writeText(writer, 1, toBytes(locality.region));
    writeText(writer, 2, toBytes(locality.zone));
    writeText(writer, 3, toBytes(locality.subZone));
    writer.end();
    writeText(writer, 6, exporterName);
    writer.end();
    writeText(writer, 2, toBytes(this.data.logName));
    writer.end();
  }
}

/** `access_logs.grpc_access_log.*`. */
class GrpcLogStats {
  readonly written: Counter;
  readonly dropped: Counter;
  readonly flushed: Counter;
  readonly flushFailed: Counter;

  constructor({ stats }: ExportEnvironment) {
    const scope = stats.scope('access_logs.grpc_access_log');
    this.written = scope.counter('logs_written');
    this.dropped = scope.counter('logs_dropped');
    this.flushed = scope.counter('grpc_entries_flushed');
    this.flushFailed = scope.counter('grpc_entries_flush_failed');
  }
}
