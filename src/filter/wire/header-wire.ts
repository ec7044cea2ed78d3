import { eachField, readBytes } from './struct-wire.ts';
import type { WireCursor } from './wire-cursor.ts';

/** `envoy.config.core.v3.HeaderValue` (and messages of its shape): key, and value or raw value. */
export function readHeaderPair(cursor: WireCursor): [key: string, value: string] {
  let key = '';
  let value = '';
  eachField(cursor, (number) => {
    if (number === 1) key = readBytes(cursor);
    else if (number === 2 || number === 3) value = readBytes(cursor) || value;
    else return false;
    return true;
  });
  return [key, value];
}
