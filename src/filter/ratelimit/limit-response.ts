import { lowerAscii } from '../../route/wire-text.ts';
import { readHeaderPair } from '../wire/header-wire.ts';
import { WireCursor } from '../wire/wire-cursor.ts';
import { eachField, readBytes, readStruct, within } from '../wire/struct-wire.ts';

/** What is left of one limit. */
export interface LimitStatus {
  /** Null: the service does not say. */
  readonly limit: { readonly name: string; readonly requestsPerUnit: number; readonly unit: number } | null;
  readonly remaining: number;
  readonly resetSeconds: number;
}

/** `envoy.service.ratelimit.v3.RateLimitResponse`. Texts of fields and the body are wire text. */
export interface LimitResponse {
  readonly isOverLimit: boolean;
  readonly statuses: readonly LimitStatus[];
  readonly responseFields: readonly (readonly [string, string])[];
  readonly requestFields: readonly (readonly [string, string])[];
  readonly body: string;
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

const overLimit = 2;

/** @throws WireError of bytes that are none */
export function readLimitResponse(bytes: Uint8Array): LimitResponse {
  const cursor = new WireCursor(bytes);
  const statuses: LimitStatus[] = [];
  const responseFields: [string, string][] = [];
  const requestFields: [string, string][] = [];
  let code = 0;
  let body = '';
  let metadata: Record<string, unknown> | null = null;
  eachField(cursor, (number) => {
    switch (number) {
      case 1:
        code = cursor.uint32();
        return true;
      case 2:
        within(cursor, () => statuses.push(readStatus(cursor)));
        return true;
      case 3:
        within(cursor, () => responseFields.push(readHeader(cursor)));
        return true;
      case 4:
        within(cursor, () => requestFields.push(readHeader(cursor)));
        return true;
      case 5:
        body = readBytes(cursor);
        return true;
      case 6:
        within(cursor, () => (metadata = readStruct(cursor)));
        return true;
      default:
        return false;
    }
  });
  return { isOverLimit: code === overLimit, statuses, responseFields, requestFields, body, metadata };
}

function readStatus(cursor: WireCursor): LimitStatus {
  let limit: LimitStatus['limit'] = null;
  let remaining = 0;
  let resetSeconds = 0;
  eachField(cursor, (number) => {
    switch (number) {
      case 2:
        within(cursor, () => (limit = readLimit(cursor)));
        return true;
      case 3:
        remaining = cursor.uint32();
        return true;
      case 4:
        within(cursor, () => (resetSeconds = readSeconds(cursor)));
        return true;
      default:
        return false;
    }
  });
  return { limit, remaining, resetSeconds };
}

function readLimit(cursor: WireCursor): { name: string; requestsPerUnit: number; unit: number } {
  const limit = { name: '', requestsPerUnit: 0, unit: 0 };
  eachField(cursor, (number) => {
    switch (number) {
      case 1:
        limit.requestsPerUnit = cursor.uint32();
        return true;
      case 2:
        limit.unit = cursor.uint32();
        return true;
      case 3:
        limit.name = readBytes(cursor);
        return true;
      default:
        return false;
    }
  });
  return limit;
}

function readSeconds(cursor: WireCursor): number {
  let seconds = 0;
  eachField(cursor, (number) => {
    if (number !== 1) return false;
    seconds = Number(cursor.uint64());
    return true;
  });
  return seconds;
}

function readHeader(cursor: WireCursor): [string, string] {
  const [key, value] = readHeaderPair(cursor);
  return [lowerAscii(key), value];
}
