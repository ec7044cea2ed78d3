import { WireType } from '../../wire/wire-type.ts';
import type { WireWriter } from '../../wire/wire-writer.ts';
import { WellKnown, type MessagePlan } from '../schema/message-plan.ts';
import { parseFieldMask } from './field-mask-text.ts';
import { type JsonScalar, scalarText } from './scalar-text.ts';
import { parseDuration, parseTimestamp, type TimeOrError } from './timestamp-text.ts';

/** Whether a scalar in JSON is a message of this type. Wrappers and Values are too; their writing is the fields'. */
export function isWrittenAsScalar(plan: MessagePlan): boolean {
  const { wellKnown } = plan;
  return wellKnown >= WellKnown.Timestamp && wellKnown !== WellKnown.Struct && wellKnown !== WellKnown.ListValue;
}

/**
 * Writes the inside of a Timestamp, Duration or FieldMask.
 * @returns what is wrong with it, in Envoy's words; empty: nothing
 */
export function writeWellKnown(out: WireWriter, plan: MessagePlan, value: JsonScalar): string {
  if (value === null) return '';
  switch (plan.wellKnown) {
    case WellKnown.Timestamp:
      if (typeof value !== 'string') return `Invalid data type for timestamp, value is ${scalarText(value)}`;
      return writeTime(out, parseTimestamp(value));
    case WellKnown.Duration:
      if (typeof value !== 'string') return `Invalid data type for duration, value is ${scalarText(value)}`;
      return writeTime(out, parseDuration(value));
    default:
      if (typeof value !== 'string') return `Invalid data type for field mask, value is ${scalarText(value)}`;
      return writeFieldMask(out, value);
  }
}

/** Zeros are written too, as Envoy does. */
function writeTime(out: WireWriter, time: TimeOrError): string {
  if (typeof time === 'string') return time;
  out.tag(1, WireType.Varint).uint64(time.seconds);
  out.tag(2, WireType.Varint).int32(time.nanos);
  return '';
}

function writeFieldMask(out: WireWriter, text: string): string {
  const paths: string[] = [];
  const error = parseFieldMask(text, paths);
  for (const path of paths) out.tag(1, WireType.LengthDelimited).string(path);
  return error;
}
