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
  /** Extended CONNECT was advertised. */
  allowsConnect = false;

  override begin(isTrailers: boolean): void {
    super.begin(isTrailers);
    this.method = null;
    this.scheme = null;
    this.authority = null;
    this.path = null;
    this.protocol = null;
  }

  /** The head; null: `failure` says why not. */
  take(): RequestHead | null {
    this.failure ??= this.judge();
    const headers = this.end();
    if (this.failure !== null) return null;
    const { method, authority, path, scheme } = this;
    const head = new RequestHead(method!, authority ?? '', path ?? '', HttpVersion.Http2, headers);
    head.hasAuthority = authority !== null;
    head.scheme = scheme ?? '';
    head.protocol = this.protocol ?? '';
    return head;
  }

  protected override pseudo(name: string, value: string): void {
    switch (name) {
      case ':method':
        if (this.method === null && isMethod(value)) this.method = value;
        else this.refuse(name);
        break;
      case ':path':
        if (this.path === null && value !== '') this.path = value;
        else this.refuse(name);
        break;
      case ':scheme':
        if (this.scheme === null && isScheme(value)) this.scheme = value;
        else this.refuse(name);
        break;
      case ':authority':
        if (this.authority === null && isAuthority(value)) this.authority = value;
        else this.refuse(name);
        break;
      case ':protocol':
        if (this.protocol === null && this.allowsConnect && value !== '') this.protocol = value;
        else this.refuse(name);
        break;
      default:
        this.refuse(name);
    }
  }

  /** As Envoy: a Host beside an :authority is dropped, and one without it takes its place. */
  protected override host(value: string): boolean {
    if (this.authority !== null) return false;
    if (isAuthority(value)) this.authority = value;
    else this.failure = InvalidHeader.with('invalid host');
    return false;
  }

  private refuse(name: string): void {
    this.failure = InvalidMessaging.with(`${name} is repeated, unknown or invalid`);
  }

  /** What must and what must not be there. */
  private judge(): InvalidHeaderOrNull {
    const { method, path } = this;
    if (method === null) return InvalidMessaging.with('no :method');
    if (method === 'CONNECT' && this.protocol === null) {
      if (this.scheme !== null || path !== null) return InvalidMessaging.with('CONNECT with :scheme or :path');
      return this.authority === null ? InvalidMessaging.with('CONNECT without :authority') : null;
    }
    if (this.protocol !== null && (method !== 'CONNECT' || this.authority === null))
      return InvalidMessaging.with(':protocol without CONNECT and :authority');
    if (this.scheme === null || path === null) return InvalidMessaging.with('no :scheme or no :path');
    if (path.charCodeAt(0) !== 47 /* / */ && !(path === '*' && method === 'OPTIONS'))
      return InvalidMessaging.with(':path without /');
    return null;
  }
}

type InvalidHeaderOrNull = typeof InvalidMessaging | null;

function isAuthority(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (hostByte[value.charCodeAt(i)] !== 1) return false;
  return true;
}
