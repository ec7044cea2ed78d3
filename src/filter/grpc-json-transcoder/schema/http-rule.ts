import { WireCursor } from '../../wire/wire-cursor.ts';
import { WireType } from '../../wire/wire-type.ts';

const decoder = new TextDecoder();

/** google.api.HttpRule, as far as it says how a method is called. */
export interface HttpRule {
  /** Empty: the rule has no pattern. */
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly responseBody: string;
  readonly additional: readonly HttpRule[];
}

/** Number of the extension `google.api.http` of MethodOptions (google/api/annotations.proto). */
export const httpRuleExtension = 72_295_728;

/** Bindings within bindings; the annotation allows one level. */
const depthMax = 16;

const patterns: ReadonlyMap<number, string> = new Map([
  [2, 'GET'],
  [3, 'PUT'],
  [4, 'POST'],
  [5, 'DELETE'],
  [6, 'PATCH'],
]);

/** Reads an HttpRule. Throws where the bytes are none. */
export function readHttpRule(bytes: Uint8Array, depth = 0): HttpRule {
  const rule = { method: '', path: '', body: '', responseBody: '', additional: [] as HttpRule[] };
  forEachText(bytes, (number, value) => {
    const pattern = patterns.get(number);
    if (pattern !== undefined) {
      rule.method = pattern;
      rule.path = decoder.decode(value);
    } else if (number === 7) rule.body = decoder.decode(value);
    else if (number === 8) Object.assign(rule, readCustomPattern(value));
    else if (number === 11 && depth < depthMax) rule.additional.push(readHttpRule(value, depth + 1));
    else if (number === 12) rule.responseBody = decoder.decode(value);
  });
  return rule;
}

/** google.api.CustomHttpPattern */
function readCustomPattern(bytes: Uint8Array): { method: string; path: string } {
  const pattern = { method: '', path: '' };
  forEachText(bytes, (number, value) => {
    if (number === 1) pattern.method = decoder.decode(value);
    else if (number === 2) pattern.path = decoder.decode(value);
  });
  return pattern;
}

function forEachText(bytes: Uint8Array, visit: (number: number, value: Uint8Array) => void): void {
  const cursor = new WireCursor(bytes);
  for (let tag = cursor.tag(); tag !== 0; tag = cursor.tag()) {
    if ((tag & 7) === WireType.LengthDelimited) {
      const end = cursor.lengthEnd();
      visit(tag >>> 3, bytes.subarray(cursor.at, end));
      cursor.at = end;
    } else cursor.skip(tag >>> 3, (tag & 7) as WireType);
  }
}
