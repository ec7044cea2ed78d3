import type { Failure } from '../../../core/failure.ts';
import { HttpVersion, RequestHead } from '../../../core/head.ts';
import { hostByte } from '../../h1/request-target.ts';
import { InvalidHeader, InvalidMessaging } from '../failures.ts';
import { MessageFields } from './message-fields.ts';
import { isMethod, isScheme } from './field-rules.ts';

/** Reads requests (RFC 9113 section 8.3.1). */
export class RequestFields extends MessageFields {
  private method: string | null = null;
  private scheme: string | null = null;
  private authority: string | null = null;
  private path: string | null = null;
  private protocol: string | null = null;
  private hasHost = false;
  /** Extended CONNECT was advertised. */
  allowsConnect = false;

  override begin(isTrailers: boolean): void {
    super.begin(isTrailers);
    this.method = null;
    this.scheme = null;
    this.authority = null;
    this.path = null;
    this.protocol = null;
    this.hasHost = false;
  }

  override copy(): RequestFields {
    const copy = new RequestFields(this.bytesMax, this.underscores, this.counters);
    copy.assume(this);
    return copy;
  }

  override assume(known: RequestFields): void {
    super.assume(known);
    this.method = known.method;
    this.scheme = known.scheme;
    this.authority = known.authority;
    this.path = known.path;
    this.protocol = known.protocol;
    this.hasHost = known.hasHost;
  }

  /** The head; null: `failure` says why not. */
  take(): RequestHead | null {
    this.failure ??= this.judge();
    const headers = this.end();
    if (this.failure !== null) return null;
    const { method, authority, path, scheme } = this;
    const head = new RequestHead(method!, authority ?? '', path ?? '', HttpVersion.Http2, headers);
    head.scheme = scheme ?? '';
    head.protocol = this.protocol ?? '';
    return head;
  }

  protected override pseudo(name: string, value: string): void {
    switch (name) {
      case ':method':
        if (this.method === null && isMethod(value)) this.method = value;
        else this.refuse();
        break;
      case ':path':
        if (this.path === null && isPath(value)) this.path = value;
        else this.refuse();
        break;
      case ':scheme':
        if (this.scheme === null && isScheme(value)) this.scheme = value;
        else this.refuse();
        break;
      case ':authority':
        if (this.authority === null && isAuthority(value)) this.authority = value;
        else this.refuse();
        break;
      case ':protocol':
        if (this.protocol === null && this.allowsConnect && value !== '') this.protocol = value;
        else this.refuse();
        break;
      default:
        this.refuse();
    }
  }

  /** As Envoy: a Host beside an :authority is dropped, and one without it takes its place. */
  protected override host(value: string): boolean {
    if (this.hasHost || !isAuthority(value)) this.refuse();
    this.hasHost = true;
    this.authority ??= value;
    return false;
  }

  /** Repeated, unknown or invalid. */
  private refuse(): void {
    this.failure = InvalidHeader;
  }

  /** What must and what must not be there. */
  private judge(): Failure | null {
    const { method, path } = this;
    if (method === null) return InvalidMessaging.with('no :method');
    if (method === 'CONNECT' && this.protocol === null) {
      if (this.scheme !== null || path !== null) return InvalidMessaging.with('CONNECT with :scheme or :path');
      return this.authority === null ? InvalidMessaging.with('CONNECT without :authority') : null;
    }
    if (this.protocol !== null && (method !== 'CONNECT' || this.authority === null))
      return InvalidMessaging.with(':protocol without CONNECT and :authority');
    if (this.scheme === null || path === null || this.authority === null)
      return InvalidMessaging.with('no :scheme, no :path or no :authority');
    if (path.charCodeAt(0) !== 47 /* / */ && !(path === '*' && method === 'OPTIONS'))
      return InvalidMessaging.with(':path without /');
    return null;
  }
}

/** As nghttp2: without user information (RFC 9113 section 8.3.1), and not empty. */
function isAuthority(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (hostByte[c] !== 1 || c === 64 /* @ */) return false;
  }
  return value !== '';
}

/** As nghttp2: visible, or beyond ASCII. */
function isPath(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c <= 32 || c === 127) return false;
  }
  return value !== '';
}
