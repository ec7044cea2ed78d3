import { inOnePiece } from '../../core/bytes.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import { HttpVersion } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { NameTable } from '../../core/name-table.ts';
import type { CodecHost } from '../codec.ts';
import { isBodiless } from './methods.ts';
import { HeaderKeyFormat } from './options.ts';
import { statusLine } from './status-line.ts';

/** How the bytes after a head are written (RFC 9112 section 6). */
export const Framing = {
  /** As they come: a content-length was given, or the body ends with the connection, or it is another protocol. */
  Plain: 0,
  Chunked: 1,
  /** There is no body, whatever is given: answers to HEAD, 204, 304. */
  None: 2,
} as const;
export type Framing = (typeof Framing)[keyof typeof Framing];

/** What a server's encoder must know of the request. */
export interface AnsweredRequest {
  readonly method: string;
  readonly version: HttpVersion;
}

/** What the `connection` field of a head is to say. */
export const Persistence = { Unsaid: 0, Close: 1, KeepAlive: 2 } as const;
export type Persistence = (typeof Persistence)[keyof typeof Persistence];

/** Writes messages: a head as one string, bodies as they are. */
export class Encoder {
  framing: Framing;
  private readonly host: CodecHost;
  private readonly keyFormat: HeaderKeyFormat;
  private readonly enableTrailers: boolean;
  private sawLength: boolean;

  constructor(host: CodecHost, keyFormat: HeaderKeyFormat, enableTrailers: boolean) {
    this.framing = Framing.Plain;
    this.host = host;
    this.keyFormat = keyFormat;
    this.enableTrailers = enableTrailers;
    this.sawLength = false;
  }

  /** A response's head; the framing fields are written here and nowhere else. */
  response(head: ResponseHead, end: boolean, request: AnsweredRequest, persistence: Persistence): void {
    const { status, headers } = head;
    const isHttp10 = request.version === HttpVersion.Http10;
    const start = statusLine(status, request.version);
    let text = this.fields(start, headers, responseBegins, persistence !== Persistence.Unsaid);
    if (persistence === Persistence.Close) text += this.field('connection', 'close');
    else if (persistence === Persistence.KeepAlive) text += this.field('connection', 'keep-alive');
    const isHead = request.method === 'HEAD';
    this.framing = isHead ? Framing.None : Framing.Plain;
    if (status < 200 || status === 204 || status === 304) {
      if (status !== 101) this.framing = Framing.None;
    } else if (!this.sawLength && !(request.method === 'CONNECT' && status < 300)) {
      if (end && !isHead) text += this.field('content-length', '0');
      else if (!isHttp10) {
        text += this.field('transfer-encoding', 'chunked');
        if (!isHead) this.framing = Framing.Chunked;
      }
    }
    this.host.writeLatin1(text + '\r\n\r\n');
  }

  /** A request's head. `target` is the path, or whatever stands in its place. */
  request(head: RequestHead, target: string, end: boolean, isUpgrade: boolean): void {
    const { method, headers, authority } = head;
    let text = `${method} ${target} HTTP/1.1`;
    if (authority !== '' || head.hasAuthority) text += this.field('host', authority);
    text = this.fields(text, headers, requestBegins, false);
    this.framing = Framing.Plain;
    if (!this.sawLength && !isUpgrade && method !== 'CONNECT') {
      if (!end) {
        text += this.field('transfer-encoding', 'chunked');
        this.framing = Framing.Chunked;
      } else if (!isBodiless(method)) text += this.field('content-length', '0');
    }
    this.host.writeLatin1(text + '\r\n\r\n');
  }

  data(chunk: Uint8Array, end: boolean): void {
    const { host, framing } = this;
    if (framing === Framing.Plain) {
      if (chunk.length > 0) host.write(chunk);
      return;
    }
    if (framing === Framing.None) return;
    if (chunk.length > 0) {
      host.writeLatin1(chunk.length.toString(16) + '\r\n');
      host.write(chunk);
      host.writeLatin1(end ? '\r\n0\r\n\r\n' : '\r\n');
    } else if (end) host.writeLatin1('0\r\n\r\n');
  }

  trailers(trailers: Headers): void {
    if (this.framing !== Framing.Chunked) return;
    this.host.writeLatin1((this.enableTrailers ? this.fields('0', trailers, otherBegins, false) : '0') + '\r\n\r\n');
  }

  /**
   * `start` with the field lines behind it, each with the line end before it. Transfer-Encoding is never passed on: the
   * framing is this encoder's. `connection` neither where its place is taken.
   */
  private fields(start: string, headers: Headers, begins: NameTable<string>, withoutConnection: boolean): string {
    const { names, values } = headers;
    this.sawLength = false;
    if (this.keyFormat !== HeaderKeyFormat.LowerCase) return this.formattedFields(start, headers, withoutConnection);
    begins.begin();
    let text = start;
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      if (name === 'content-length') this.sawLength = true;
      else if (name === 'transfer-encoding' || (withoutConnection && name === 'connection')) continue;
      text = text + begins.get(name) + values[i];
    }
    return text;
  }

  private formattedFields(start: string, headers: Headers, withoutConnection: boolean): string {
    const { names, values, rawNames } = headers;
    let text = start;
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      if (name === 'content-length') this.sawLength = true;
      else if (name === 'transfer-encoding' || (withoutConnection && name === 'connection')) continue;
      const raw = rawNames === null || this.keyFormat !== HeaderKeyFormat.PreserveCase ? name : rawNames[i];
      text = text + otherBegins.get(this.keyFormat === HeaderKeyFormat.ProperCase ? properCase(name) : raw) + values[i];
    }
    return text;
  }

  private field(name: string, value: string): string {
    return otherBegins.get(this.keyFormat === HeaderKeyFormat.ProperCase ? properCase(name) : name) + value;
  }
}

/** What stands between the line before a field and its value. */
function beginOf(name: string): string {
  return inOnePiece(`\r\n${name}: `);
}

/** Each for fields that come in an order of their own. */
const requestBegins = new NameTable([], beginOf);
const responseBegins = new NameTable([], beginOf);
const otherBegins = new NameTable([], beginOf);

const properNames = new Map<string, string>();
/** Bound of the memory of spellings: names come from peers. */
const properNamesMax = 1024;

/** `x-request-id` → `X-Request-Id`: a letter after anything that is not alphanumeric is upper-case, as Envoy does it. */
export function properCase(name: string): string {
  const known = properNames.get(name);
  if (known !== undefined) return known;
  const proper = name.replace(/(^|[^a-z0-9])([a-z])/g, (_, before: string, c: string) => before + c.toUpperCase());
  if (properNames.size < properNamesMax) properNames.set(name, proper);
  return proper;
}
