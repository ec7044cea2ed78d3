import { hexBytes } from './hex-bytes.ts';
import { WireType } from '../../filter/wire/wire-type.ts';
import type { WireWriter } from '../../filter/wire/wire-writer.ts';
import { SpanKind, type Span } from '../../observe/trace/span.ts';
import { durationOf, lastEvent, micros, type ZipkinEndpoint } from './zipkin-json.ts';
import { writeFlag, writeNumber, writeText } from './wire-text.ts';

/** `zipkin.proto3.Span.Kind`. */
const kinds = { client: 1, server: 2 };

/** An entry of `zipkin.proto3.ListOfSpans`. Ids are big-endian, as Zipkin reads them (Envoy writes span ids reversed). */
export function writeZipkinSpan(writer: WireWriter, span: Span, { serviceName, address }: ZipkinEndpoint): void {
  writer.tag(1, WireType.LengthDelimited).begin();
  writer.tag(1, WireType.LengthDelimited).bytesWithLength(hexBytes(span.traceId));
  if (span.parentId !== '') writer.tag(2, WireType.LengthDelimited).bytesWithLength(hexBytes(span.parentId));
  writer.tag(3, WireType.LengthDelimited).bytesWithLength(hexBytes(span.id));
  writeNumber(writer, 4, span.kind === SpanKind.Server ? kinds.server : kinds.client);
  writeText(writer, 5, span.name);
  writer.tag(6, WireType.Bit64).fixed64(BigInt(micros(span.startEpochMs)));
  writeNumber(writer, 7, durationOf(span));
  writer.tag(8, WireType.LengthDelimited).begin();
  writeText(writer, 1, serviceName);
  const ip = addressBytes(address);
  if (ip !== null) writer.tag(ip.length === 4 ? 2 : 3, WireType.LengthDelimited).bytesWithLength(ip);
  writer.end();
  for (const { name, epochMs } of [...span.events, lastEvent(span)]) {
    writer.tag(10, WireType.LengthDelimited).begin();
    writer.tag(1, WireType.Bit64).fixed64(BigInt(micros(epochMs)));
    writeText(writer, 2, name);
    writer.end();
  }
  const { tags } = span;
  for (let i = 0; i < tags.length; i += 2) {
    writer.tag(11, WireType.LengthDelimited).begin();
    writeText(writer, 1, tags[i]);
    writeText(writer, 2, tags[i + 1]);
    writer.end();
  }
  writeFlag(writer, 13, span.isShared);
  writer.end();
}

/** Null: it is no IPv4 address, and Zipkin can do without. */
function addressBytes(address: string): Uint8Array | null {
  const parts = address.split('.').map(Number);
  return parts.length === 4 ? Uint8Array.from(parts) : null;
}
