import type { Message } from '@bufbuild/protobuf';
import { create, DurationSchema, FieldMaskSchema, TimestampSchema } from '../proto/protobuf.js';
import { Refusal } from './scalar.ts';

/** google.protobuf's own limit: about 10 000 years. */
const durationSecondsMax = 315_576_000_000;

const notDuration = new Refusal('must be a duration: seconds with up to nine decimals and an s, as 0.25s');
const negativeDuration = new Refusal('must be a duration that is not negative');
const longDuration = new Refusal(`must be a duration of at most ${durationSecondsMax}s`);
const notTimestamp = new Refusal('must be a time as 2006-01-02T15:04:05Z');

/** `0.1s`; not `100ms`, `1`, `.5s` or `1.s`, which Envoy refuses too. */
export function durationFromText(text: string): Message | Refusal {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?s$/.exec(text);
  if (match === null) return otherUnit(text) ?? notDuration;
  const [, sign, whole, decimals = ''] = match;
  if (Number(whole) > durationSecondsMax) return longDuration;
  const nanos = Number(decimals.padEnd(9, '0'));
  // Envoy refuses a negative duration where it is used, whatever the field.
  if (sign === '-' && (Number(whole) > 0 || nanos > 0)) return negativeDuration;
  return create(DurationSchema, { seconds: BigInt(whole), nanos });
}

const unitSeconds: Record<string, number> = { ns: 1e-9, us: 1e-6, ms: 1e-3, m: 60, h: 3600, d: 86400, '': 1 };

/** `100ms` and the like: the same duration as it must be written. */
function otherUnit(text: string): Refusal | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ns|us|ms|m|h|d|)$/.exec(text);
  if (match === null) return undefined;
  const seconds = Number(match[1]) * unitSeconds[match[2]];
  return new Refusal(notDuration.allowed, `${Number(seconds.toFixed(9))}s`);
}

export function timestampFromText(text: string): Message | Refusal {
  const match = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[-+]\d\d:\d\d)$/.exec(text);
  if (match === null) return notTimestamp;
  const millis = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(millis)) return notTimestamp;
  const nanos = Number((match[2] ?? '').padEnd(9, '0'));
  return create(TimestampSchema, { seconds: BigInt(millis / 1000), nanos });
}

export function fieldMaskFromText(text: string): Message {
  const snake = (path: string): string => path.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return create(FieldMaskSchema, { paths: text === '' ? [] : text.split(',').map(snake) });
}
