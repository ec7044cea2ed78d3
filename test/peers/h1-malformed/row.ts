/** A row of the table of malformed HTTP/1.1 messages, and what its bytes are built of. All strings are latin1. */

/** Listener options beside the defaults under which a row was asked. */
export type Variant =
  | 'default'
  | 'customMethods'
  | 'http10'
  | 'noAbsolute'
  | 'trailers'
  | 'chunkedLength'
  | 'underscoreReject'
  | 'underscoreDrop';

/** The same options as Envoy's `http_protocol_options` and `common_http_protocol_options`. */
export const variantOptions: Readonly<
  Record<Variant, { readonly http1: Record<string, boolean>; readonly common: Record<string, string> }>
> = {
  default: { http1: {}, common: {} },
  customMethods: { http1: { allow_custom_methods: true }, common: {} },
  http10: { http1: { accept_http_10: true }, common: {} },
  noAbsolute: { http1: { allow_absolute_url: false }, common: {} },
  trailers: { http1: { enable_trailers: true }, common: {} },
  chunkedLength: { http1: { allow_chunked_length: true }, common: {} },
  underscoreReject: { http1: {}, common: { headers_with_underscores_action: 'REJECT_REQUEST' } },
  underscoreDrop: { http1: {}, common: { headers_with_underscores_action: 'DROP_HEADER' } },
};

/**
 * What a proxy did with the bytes: `<status> <details>` of each request in the access log, joined by `, `; `-` for one
 * that was still waiting for bytes when the client went away. Every path is routed to an upstream that answers 200.
 */
export type Verdict = string;

export interface RequestRow {
  readonly name: string;
  /** What the client sends, at once. */
  readonly bytes: string;
  readonly variant?: Variant;
  readonly envoy: Verdict;
  /** Only where it is not Envoy's. */
  readonly sekisho?: Verdict;
  readonly why?: string;
}

export interface ResponseRow {
  readonly name: string;
  /** What the upstream sends, at once, when it has read the request's head. */
  readonly bytes: string;
  /** The upstream then closes. */
  readonly end?: boolean;
  /** What the client asked; else a GET. */
  readonly request?: string;
  readonly envoy: Verdict;
  readonly sekisho?: Verdict;
  readonly why?: string;
}

/** A Host line. */
export const H = 'Host: a.test\r\n';
export const GET = `GET / HTTP/1.1\r\n${H}\r\n`;
export const HEAD = `HEAD / HTTP/1.1\r\n${H}\r\n`;
/** Another request, behind the first. */
export const N = `GET /next HTTP/1.1\r\n${H}\r\n`;

export function get(fields: string): string {
  return `GET / HTTP/1.1\r\n${H}${fields}\r\n`;
}

export function post(fields: string, body: string): string {
  return `POST / HTTP/1.1\r\n${H}${fields}\r\n${body}`;
}

export function chunked(body: string): string {
  return post('Transfer-Encoding: chunked\r\n', body);
}

export function ok(fields: string, body = ''): string {
  return `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`;
}

/** The request that a row of `responseRows` is an answer to. */
export function requestOf(row: ResponseRow): string {
  return row.request ?? GET;
}
