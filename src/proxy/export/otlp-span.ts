import { WireType } from '../../filter/wire/wire-type.ts';
import type { WireWriter } from '../../filter/wire/wire-writer.ts';
import { SpanKind, type Span } from '../../observe/trace/span.ts';
import { hexBytes } from './hex-bytes.ts';
import { nanosOf, writeNumber, writeText } from './wire-text.ts';

/** `opentelemetry.proto.trace.v1.Span.SpanKind`. */
const kinds = { server: 2, client: 3 };
/** `opentelemetry.proto.trace.v1.Status.STATUS_CODE_ERROR`. */
const statusError = 2;

/** The fields of an `opentelemetry.proto.trace.v1.Span`. */
export function writeOtlpSpan(writer: WireWriter, span: Span): void {
  writer.tag(1, WireType.LengthDelimited).bytesWithLength(hexBytes(span.traceId));
  writer.tag(2, WireType.LengthDelimited).bytesWithLength(hexBytes(span.id));
  writeText(writer, 3, span.state);
  if (span.parentId !== '') writer.tag(4, WireType.LengthDelimited).bytesWithLength(hexBytes(span.parentId));
  writeText(writer, 5, span.name);
  writeNumber(writer, 6, span.kind === SpanKind.Server ? kinds.server : kinds.client);
  writer.tag(7, WireType.Bit64).fixed64(nanosOf(span.startEpochMs));
  writer.tag(8, WireType.Bit64).fixed64(nanosOf(span.endEpochMs));
  const { tags } = span;
  for (let i = 0; i < tags.length; i += 2) writeAttribute(writer, 9, tags[i], tags[i + 1]);
  for (const { name, epochMs } of span.events) {
    writer.tag(11, WireType.LengthDelimited).begin();
    writer.tag(1, WireType.Bit64).fixed64(nanosOf(epochMs));
    writeText(writer, 2, name);
    writer.end();
  }
  if (!hasFailed(span)) return;
  writer.tag(15, WireType.LengthDelimited).begin();
  writeNumber(writer, 3, statusError);
  writer.end();
}

/** gRPC statuses that are a server's fault, as OpenTelemetry's conventions have it. */
const serverFaults: ReadonlySet<string> = new Set(['2', '4', '12', '13', '14', '15']);

/** By OpenTelemetry's conventions: of HTTP a client's span fails from 400 on, a server's from 500; of gRPC likewise. */
function hasFailed({ tags, kind }: Span): boolean {
  const isServer = kind === SpanKind.Server;
  for (let i = 0; i < tags.length; i += 2) {
    const value = tags[i + 1];
    if (tags[i] === 'http.status_code' && Number(value) >= (isServer ? 500 : 400)) return true;
    if (tags[i] === 'grpc.status_code' && (isServer ? serverFaults.has(value) : value !== '0')) return true;
  }
  return false;
}

/** A `KeyValue` with a text. */
export function writeAttribute(writer: WireWriter, number: number, key: string, value: string): void {
  writer.tag(number, WireType.LengthDelimited).begin();
  writeText(writer, 1, key);
  writer.tag(2, WireType.LengthDelimited).begin();
  writeAnyText(writer, value);
  writer.end().end();
}

/** The one field of an `AnyValue` that is a text; an empty one is one, too. */
export function writeAnyText(writer: WireWriter, value: string): void {
  if (value === '') writer.tag(1, WireType.LengthDelimited).uint32(0);
  else writeText(writer, 1, value);
}
