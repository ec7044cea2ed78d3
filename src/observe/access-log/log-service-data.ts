import type { FormatExtension } from '../format/format.ts';
import type { CustomTagData, GrpcCollectorData, OtlpServiceData } from '../trace/trace-data.ts';

/** What logs of every service share: how entries are gathered, and what they say besides. */
interface LogServiceCommonData {
  readonly logName: string;
  /** What has been gathered leaves after so many milliseconds. */
  readonly flushIntervalMs: number;
  /** Or when it has so many bytes; 0: each entry by itself. */
  readonly bufferBytesMax: number;
  /** Keys of filter state. */
  readonly filterState: readonly string[];
  readonly customTags: readonly CustomTagData[];
}

/** `HttpGrpcAccessLogConfig` and `TcpGrpcAccessLogConfig`: a stream to an AccessLogService. */
export interface GrpcLogData extends LogServiceCommonData {
  readonly kind: 'http-grpc' | 'tcp-grpc';
  readonly service: GrpcCollectorData;
  /** Lower-case. */
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
  readonly responseTrailers: readonly string[];
  /** Until a stream is opened anew, milliseconds. */
  readonly backOff: { readonly baseMs: number; readonly maxMs: number };
  /** Streams that fail one after the other until what waits is given up; 0: it waits as long as there is room. */
  readonly failuresMax: number;
}

/** A value of OpenTelemetry whose texts are formats. */
export type LogValueData =
  | { readonly kind: 'text'; readonly format: string }
  | { readonly kind: 'list'; readonly values: readonly LogValueData[] }
  | { readonly kind: 'map'; readonly entries: readonly LogAttributeData[] };

export type LogAttributeData = readonly [key: string, value: LogValueData];

/** `OpenTelemetryAccessLogConfig`: log records by OTLP. */
export interface OtlpLogData extends LogServiceCommonData {
  readonly kind: 'open-telemetry';
  readonly service: OtlpServiceData;
  /** The resource says which log, zone, cluster and node it is of. */
  readonly namesNode: boolean;
  /** Besides; their texts are no formats. */
  readonly resource: readonly LogAttributeData[];
  /** Null: records have none. */
  readonly body: LogValueData | null;
  readonly attributes: readonly LogAttributeData[];
  /** `access_logs.open_telemetry_access_log.<statPrefix>`; empty: none. */
  readonly statPrefix: string;
  readonly extensions: readonly FormatExtension[];
}

export type LogServiceData = GrpcLogData | OtlpLogData;
