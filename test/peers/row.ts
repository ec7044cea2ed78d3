import type { TlsClient } from './tls/client.ts';
import type { TlsOrigin } from './tls/origin.ts';

export type Pairs = readonly (readonly [string, string])[];

/** One request, written out exactly in this order. `host: test.local` is added in front unless the row gives a host. */
export interface Request {
  readonly method?: string;
  readonly path?: string;
  readonly version?: string;
  readonly host?: string | null;
  readonly headers?: Pairs;
  /** Sent with a content-length. */
  readonly body?: string;
  /** Sent chunked. */
  readonly chunks?: readonly string[];
  readonly trailers?: Pairs;
  /** Over HTTP/2: `:scheme`, that of the connection unless said. */
  readonly scheme?: string;
  /** Over HTTP/2: `:protocol` of an extended CONNECT. */
  readonly protocol?: string;
  /** Over HTTP/2: after each chunk. */
  readonly chunkPauseMs?: number;
  /** Over HTTP/2: RST_STREAM with this code in place of the end. */
  readonly resetCode?: number;
  /** Over HTTP/2: the request does not end. */
  readonly isOpen?: boolean;
}

/** What the upstream does with one attempt. The n-th attempt that a row makes meets the n-th step; the last one repeats. */
export interface Step {
  readonly status?: number;
  readonly headers?: Pairs;
  readonly body?: string;
  readonly chunks?: readonly string[];
  readonly trailers?: Pairs;
  /** Interim responses before the answer. */
  readonly interim?: readonly number[];
  /** Waits before it answers. */
  readonly delayMs?: number;
  /** Answers without waiting for the end of the request body. */
  readonly isEarly?: boolean;
  /**
   * An upgrade or CONNECT is answered (101 or 200 unless `status` says otherwise) and its stream then does as the TCP
   * origin of this name; absent: it is answered with a length and a body.
   */
  readonly tunnel?: 'echo' | 'greet' | 'count' | 'mute' | 'slam' | 'bye';
  /** These bytes instead of all of the above. */
  readonly raw?: string;
  /** After the answer (or `raw`): `close` ends the connection, `reset` destroys it. */
  readonly ending?: 'close' | 'reset';
  /** An HTTP/2 upstream: RST_STREAM with this code in place of the answer's end; without `chunks` before its head. */
  readonly resetCode?: number;
  /** An HTTP/2 upstream: GOAWAY with this code, in front of the answer. */
  readonly goAwayCode?: number;
  /** What `{{frames}}` answers: HTTP/2 frames as lines of test/wire, `{id}` in place of the stream, and pauses. */
  readonly frames?: readonly Segment[];
}

/** Bytes, or a pause of so many milliseconds between them; the word `end` closes the sending half, `reset` the socket. */
export type Segment = string | number;

/** One comparison: what is sent, how the upstream behaves, and how long is listened. */
export interface Row {
  readonly name: string;
  /** One request, or several: in turn on one connection unless `mode` says otherwise. */
  readonly request?: Request | readonly Request[];
  /** `h2`: the requests are streams of one HTTP/2 connection (prior knowledge); `HTTP/1.1` unless said. */
  readonly over?: 'h2';
  /** How the client speaks TLS; null: not at all. As the group has it unless said. */
  readonly tls?: TlsClient | null;
  /** HTTP/2 frames instead, as the transcripts of test/wire write them, and pauses; preface and settings come before. */
  readonly frames?: readonly Segment[];
  /** Exact bytes instead. */
  readonly raw?: string | readonly Segment[];
  readonly mode?: 'in turn' | 'pipelined' | 'together';
  /** Between requests sent `together`. */
  readonly staggerMs?: number;
  /** For `in turn`: between an answer and the next request. */
  readonly pauseMs?: number;
  readonly upstream?: readonly Step[];
  /**
   * From this row on: what the origins answer to active checks, by name. Checks are no requests of the row, and take no
   * step of `upstream`.
   */
  readonly health?: Readonly<Record<string, Step>>;
  /** Stats that are waited for before anything is sent: a value, or `+n` for what they have grown by since the row began. */
  readonly awaits?: Readonly<Record<string, number | `+${number}`>>;
  /** Compare the last check that each origin saw. */
  readonly seesChecks?: boolean;
  /** Admin paths that are posted to before anything is sent. */
  readonly posts?: readonly string[];
  /** Files of `{{directory}}` that are put in place, as a rename does it, before anything is awaited. */
  readonly files?: Readonly<Record<string, string>>;
  /** Brought by SDS before anything is sent. */
  readonly secrets?: Secrets;
  /** `answered` (default) hangs up after the answers; `closed` waits for the proxy to close, up to `waitMs`. */
  readonly until?: 'answered' | 'closed';
  /** How many answers `raw` bytes get; 1 unless said. */
  readonly answers?: number;
  /** The longest wait for an answer; 3 000 unless said. */
  readonly waitMs?: number;
  /** The proxy's own pages instead of its listener: `GET` of this admin path. */
  readonly admin?: string;
  /** GET unless said. */
  readonly adminMethod?: 'POST';
  /** Compare the order of headers too, not only their values. */
  readonly isOrdered?: boolean;
  /** Spans and entries that the group's collector is to get before the row is over; those that come are compared. */
  readonly collects?: number;
  /** Log lines to wait for; as many as requests unless said. */
  readonly logLines?: number;
  /** What each proxy's log must say of this row, its lines joined by `, `; `-` for a request that never was whole. */
  readonly logged?: Readonly<Record<'envoy' | 'sekisho', string>>;
  /** Counters whose change is compared besides the group's. */
  readonly stats?: RegExp | null;
  /** Paths of the observation that chance decides, such as which host of two comes first. */
  readonly ignores?: RegExp;
  /** Known differences: a path of the observation (or its beginning) and why sekisho differs there. */
  readonly differs?: Readonly<Record<string, string>>;
}

/** A row without any asks for `/`. */
export function requestsOf(row: Row): readonly Request[] {
  if (row.request === undefined) return [{}];
  return Array.isArray(row.request) ? (row.request as readonly Request[]) : [row.request as Request];
}

/** As the row says, else by whether there is a body. */
export function methodOf(request: Request): string {
  return request.method ?? (request.body === undefined && request.chunks === undefined ? 'GET' : 'POST');
}

/** Ports by the names that a configuration calls them. */
export type Ports = Readonly<Record<string, number>>;

/** Replaces `{{name}}`, in a configuration and in what is sent, by what the name stands for in one proxy's world. */
export function filled(text: string, values: Readonly<Record<string, number | string>>): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`{{${name}}} is no port of the harness`);
    return String(value);
  });
}

/** By name what a Secret has besides, in YAML; files are those of tls/certificates.ts. */
export type Secrets = Readonly<Record<string, string>>;

/** Rows that share one configuration, and with it one process per proxy. */
export interface Group {
  readonly name: string;
  /** Envoy's YAML. `{{name}}` is replaced by a port: `listen`, `admin`, `log` (a path) and the upstreams' names. */
  readonly config: string;
  readonly rows: readonly Row[];
  /** How the clients of its rows speak TLS unless they say otherwise; absent: not at all. */
  readonly tls?: TlsClient;
  /** Origins that speak TLS, by the names that the configuration calls their ports. */
  readonly origins?: Readonly<Record<string, TlsOrigin>>;
  /** Files beside the configuration, in `{{directory}}`, with the same placeholders. */
  readonly files?: Readonly<Record<string, string>>;
  /** What the control plane at the port `sds` has from the start; absent: there is none. */
  readonly secrets?: Secrets;
  /** Bytes per second and the like: command-line flags for both proxies. */
  readonly flags?: readonly string[];
  /** Which counters are compared; all of listener, http, cluster and tcp unless said. */
  readonly stats?: RegExp;
}
