import { doubleText } from '../json/json-number.ts';
import { type JsonValue } from '../json/json-value.ts';

/** A JSON value that is no object and no array. */
export type JsonScalar = Exclude<JsonValue, object> | null;

/** The value as Envoy's error messages show it. */
export function scalarText(value: JsonScalar): string {
  if (typeof value === 'string') return `"${value}"`;
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return doubleText(value);
  return String(value);
}
