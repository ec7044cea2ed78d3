import { WireType } from '../../../filter/wire/wire-type.ts';
import type { WireWriter } from '../../../filter/wire/wire-writer.ts';
import { toBytes } from '../../../observe/format/byte-string.ts';
import { compileFormat, type FormatExtension } from '../../../observe/format/format.ts';
import type { LogAttributeData, LogValueData } from '../../../observe/access-log/log-service-data.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import { writeAnyText } from '../otlp-span.ts';
import { writeText } from '../wire-text.ts';

const { LengthDelimited } = WireType;

/** A value of OpenTelemetry, compiled once. */
export interface LogValue {
  /** The one field of an `AnyValue`. */
  write(writer: WireWriter, outcome: Outcome): void;
}

/** `extensions` null: texts are no formats. */
export function buildLogValue(data: LogValueData, extensions: readonly FormatExtension[] | null): LogValue {
  switch (data.kind) {
    case 'text':
      return buildText(data.format, extensions);
    case 'list': {
      const values = data.values.map((value) => buildLogValue(value, extensions));
      return { write: (writer, outcome) => writeList(writer, values, outcome) };
    }
    case 'map': {
      const attributes = data.entries.map((entry) => buildAttribute(entry, extensions));
      return { write: (writer, outcome) => writeMap(writer, attributes, outcome) };
    }
  }
}

/** A `KeyValue`. */
export class LogAttribute {
  private readonly key: string;
  private readonly value: LogValue;

  constructor(key: string, value: LogValue) {
    this.key = key;
    this.value = value;
  }

  write(writer: WireWriter, number: number, outcome: Outcome): void {
    writer.tag(number, LengthDelimited).begin();
    writeText(writer, 1, this.key);
    writer.tag(2, LengthDelimited).begin();
    this.value.write(writer, outcome);
    writer.end().end();
  }
}

export function buildAttribute(
  [key, value]: LogAttributeData,
  extensions: readonly FormatExtension[] | null,
): LogAttribute {
  return new LogAttribute(toBytes(key), buildLogValue(value, extensions));
}

function buildText(format: string, extensions: readonly FormatExtension[] | null): LogValue {
  if (extensions === null) {
    const bytes = toBytes(format);
    return { write: (writer) => writeAnyText(writer, bytes) };
  }
  const formatter = compileFormat(format, { extensions });
  return { write: (writer, outcome) => writeAnyText(writer, formatter.format(outcome)) };
}

/** An `ArrayValue`. */
function writeList(writer: WireWriter, values: readonly LogValue[], outcome: Outcome): void {
  writer.tag(5, LengthDelimited).begin();
  for (const value of values) {
    writer.tag(1, LengthDelimited).begin();
    value.write(writer, outcome);
    writer.end();
  }
  writer.end();
}

/** A `KeyValueList`. */
function writeMap(writer: WireWriter, attributes: readonly LogAttribute[], outcome: Outcome): void {
  writer.tag(6, LengthDelimited).begin();
  for (const attribute of attributes) attribute.write(writer, 1, outcome);
  writer.end();
}
