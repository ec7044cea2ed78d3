import type { JsonValue } from '@bufbuild/protobuf';
import type { AdminSource } from './admin-source.ts';

export interface PageRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Of the target and, for forms, of the body. */
  readonly query: URLSearchParams;
}

export interface PageResponse {
  readonly status: number;
  readonly contentType: string;
  /** A long body comes in pieces, so that neither a slow reader nor its length holds the main thread up. */
  readonly body: string | Iterable<string>;
  /** Done when the answer has been written. */
  readonly after?: () => void;
}

/** A page is a pure function of the request and the process; only those that need POST change anything. */
export type Page = (request: PageRequest, source: AdminSource) => PageResponse | Promise<PageResponse>;

const plainText = 'text/plain; charset=UTF-8';

export function text(body: string | Iterable<string>, status = 200, contentType = plainText): PageResponse {
  return { status, contentType, body };
}

/** As Envoy prints JSON: one space of indent, a newline at the end. */
export function json(value: JsonValue): PageResponse {
  return { status: 200, contentType: 'application/json', body: `${JSON.stringify(value, null, 1)}\n` };
}

export function html(body: string): PageResponse {
  return { status: 200, contentType: 'text/html; charset=UTF-8', body };
}

export const done: PageResponse = text('OK\n');

export function escapeHtml(value: string): string {
  return value.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * Reads `a=1&b=2` as Envoy does: percent escapes only, so that a `+` in a regular expression stays one; a broken
 * escape stays as it is.
 */
export function parseQuery(query: string): URLSearchParams {
  const pairs: [string, string][] = [];
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    pairs.push([unescape(name), equals < 0 ? '' : unescape(part.slice(equals + 1))]);
  }
  return new URLSearchParams(pairs);
}

function unescape(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
